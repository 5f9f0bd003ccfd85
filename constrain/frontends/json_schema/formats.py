"""The formats of JSON Schema (2020-12 Validation 7.3) as languages."""

from __future__ import annotations

from functools import cache

from constrain.automata.languages_cy import Language, Languages
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.frontends.json_schema import date_formats, internet_formats
from constrain.frontends.json_schema.grammar import DIGIT, HEX, Grammar, Rule

__all__ = ["FORMATS", "edition", "format_automaton", "format_language"]


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


def _hostname(g: Grammar) -> Language:
    """RFC 1123 2.1, with the A-labels of RFC 5890 2.3.2.1."""
    from constrain.frontends.json_schema.domain_names import DomainName

    return g.languages.machine(DomainName(international=False))


def _idn_hostname(g: Grammar) -> Language:
    """RFC 5890 2.3.2.3, with the separators of RFC 3490 3.1."""
    from constrain.frontends.json_schema.domain_names import DomainName

    return g.languages.machine(DomainName(international=True))


def _regex(g: Grammar) -> Language:
    """ECMA-262 21.2.1, with the `u` flag."""
    from constrain.frontends.json_schema.regex_syntax import RegexSyntax

    return g.languages.machine(RegexSyntax())


_RULES: dict[str, Rule] = {
    "date": date_formats.date,
    "date-time": date_formats.date_time,
    "duration": date_formats.duration,
    "email": internet_formats.email,
    "hostname": _hostname,
    "idn-email": internet_formats.idn_email,
    "idn-hostname": _idn_hostname,
    "ipv4": internet_formats.ipv4,
    "ipv6": internet_formats.ipv6,
    "iri": internet_formats.iri,
    "iri-reference": internet_formats.iri_reference,
    "json-pointer": _json_pointer,
    "regex": _regex,
    "relative-json-pointer": _relative_json_pointer,
    "time": date_formats.time,
    "uri": internet_formats.uri,
    "uri-reference": internet_formats.uri_reference,
    "uri-template": internet_formats.uri_template,
    "uuid": _uuid,
}

#: What drafts 4 and 6 mean otherwise: their host names are those of RFC 1034.
_OLD_RULES: dict[str, Rule] = {"hostname": internet_formats.hostname}

#: All formats that drafts 4 to 2020-12 define; other names are annotations.
FORMATS: frozenset[str] = frozenset(_RULES)


def format_language(languages: Languages, name: str, draft: str = "2020-12") -> Language | None:
    """Return the texts of a format of a draft; `None` if it is no format of JSON Schema.

    Every draft has the formats of all drafts.
    """
    rule = _OLD_RULES.get(name) if draft in ("4", "6") else None
    rule = rule or _RULES.get(name)
    return None if rule is None else Grammar(languages).rule(rule)


def edition(name: str, draft: str) -> str:
    """Return a draft in which a format means the same as in `draft`: the same one for as many as can be."""
    return "4" if name in _OLD_RULES and draft in ("4", "6") else "2020-12"


@cache
def format_automaton(name: str, draft: str = "2020-12") -> LazyDfa:
    """Return the automaton of a format, which everybody shares."""
    languages = Languages()
    language = format_language(languages, name, draft)
    if language is None:
        raise ValueError(name)
    automaton = LazyDfa(languages, language)
    automaton.is_shared = True
    return automaton
