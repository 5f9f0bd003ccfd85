"""The formats of JSON Schema (2020-12 Validation 7.3) as languages."""

from __future__ import annotations

from constrain.automata.languages_cy import Language, Languages
from constrain.frontends.json_schema import date_formats, internet_formats
from constrain.frontends.json_schema.grammar import DIGIT, HEX, Grammar, Rule

__all__ = ["FORMATS", "KNOWN_FORMATS", "NARROWED_FORMATS", "format_language"]


def _uuid(g: Grammar) -> Language:
    """RFC 4122 3."""
    digit = g.one(HEX)
    four = g.times(4, 4, digit)
    return g.seq(g.times(8, 8, digit), "-", four, "-", four, "-", four, "-", g.times(12, 12, digit))


def _json_pointer(g: Grammar) -> Language:
    """RFC 6901 3."""
    character = g.one("\0-.", "0-}", "\x7f-\U0010ffff")
    return g.some("/", g.some(g.alt(character, "~0", "~1")))


def _relative_json_pointer(g: Grammar) -> Language:
    """draft-handrews-relative-json-pointer-01 3."""
    number = g.alt("0", g.seq(g.one("1-9"), g.some(g.one(DIGIT))))
    return g.seq(number, g.alt("#", g.rule(_json_pointer)))


_RULES: dict[str, Rule] = {
    "date": date_formats.date,
    "date-time": date_formats.date_time,
    "duration": date_formats.duration,
    "email": internet_formats.email,
    "hostname": internet_formats.hostname,
    "idn-email": internet_formats.idn_email,
    "ipv4": internet_formats.ipv4,
    "ipv6": internet_formats.ipv6,
    "iri": internet_formats.iri,
    "iri-reference": internet_formats.iri_reference,
    "json-pointer": _json_pointer,
    "relative-json-pointer": _relative_json_pointer,
    "time": date_formats.time,
    "uri": internet_formats.uri,
    "uri-reference": internet_formats.uri_reference,
    "uri-template": internet_formats.uri_template,
    "uuid": _uuid,
}

#: The formats that have a language here.
FORMATS: frozenset[str] = frozenset(_RULES)
#: All formats that drafts 4 to 2020-12 define; other names are annotations.
KNOWN_FORMATS: frozenset[str] = FORMATS | {"idn-hostname", "regex"}
#: Formats whose language here is smaller than the specification's, and what is missing.
NARROWED_FORMATS: dict[str, str] = {
    "hostname": "A-labels (`xn--...`) are refused, because their validity is a matter of decoding them"
}


def format_language(languages: Languages, name: str) -> Language | None:
    """Return the texts of a format; `None` if it has no language here."""
    rule = _RULES.get(name)
    return None if rule is None else Grammar(languages).rule(rule)
