"""Addresses and names of the internet: RFC 1123, 2673, 3986, 3987, 4291, 5321, 6531, 6570."""

from __future__ import annotations

from constrain.automata.languages_cy import Language
from constrain.frontends.json_schema.grammar import ALPHA, DIGIT, HEX, Grammar

__all__ = [
    "email",
    "hostname",
    "idn_email",
    "ipv4",
    "ipv6",
    "iri",
    "iri_reference",
    "uri",
    "uri_reference",
    "uri_template",
]

_SUB_DELIMS = "!$&'()*+,;="
_UNRESERVED = (ALPHA, DIGIT, "-._~")
#: RFC 3987 2.2 `ucschar` and `iprivate`.
_UCSCHAR = (
    "\xa0-\ud7ff",
    "\uf900-\ufdcf",
    "\ufdf0-\uffef",
    *(f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 14)),
    "\U000e1000-\U000efffd",
)
_IPRIVATE = ("\ue000-\uf8ff", "\U000f0000-\U000ffffd", "\U00100000-\U0010fffd")
_NON_ASCII = "\x80-\U0010ffff"


def ipv4(g: Grammar) -> Language:
    """RFC 2673 3.2 `dotted-quad`, no leading zeros."""
    number = g.alt(
        g.one(DIGIT),
        g.seq(g.one("1-9"), g.one(DIGIT)),
        g.seq("1", g.one(DIGIT), g.one(DIGIT)),
        g.seq("2", g.one("0-4"), g.one(DIGIT)),
        g.seq("25", g.one("0-5")),
    )
    return g.seq(number, g.times(3, 3, ".", number))


def ipv6(g: Grammar) -> Language:
    """RFC 4291 2.2, all three forms; `::` stands for at least one group."""
    group = g.times(1, 4, g.one(HEX))
    quad = g.rule(ipv4)
    # `count` groups; the last two may be written as a dotted quad.
    forms = [g.seq(g.times(7, 7, group, ":"), group), g.seq(g.times(6, 6, group, ":"), quad)]
    for before in range(8):
        left = g.seq(g.times(before - 1, before - 1, group, ":"), group) if before else ""
        most = 7 - before
        right = [g.seq("")]
        if most >= 1:
            right.append(g.seq(g.times(0, most - 1, group, ":"), group))
        if most >= 2:
            right.append(g.seq(g.times(0, most - 2, group, ":"), quad))
        forms.append(g.seq(left, "::", g.alt(*right)))
    return g.alt(*forms)


def hostname(g: Grammar) -> Language:
    """RFC 1034 3.5 and RFC 1123 2.1, at most 253 characters; `xn--` means nothing to them."""
    label = g.seq(g.one(ALPHA, DIGIT), g.opt(g.times(0, 61, g.one("-", ALPHA, DIGIT)), g.one(ALPHA, DIGIT)))
    return g.both(g.seq(label, g.some(".", label)), g.times(1, 253, g.languages.any_character))


def _mailbox(g: Grammar, *more: str) -> Language:
    """RFC 5321 4.1.2 `Mailbox`, with `more` characters (RFC 6531 3.3) and the sizes of 4.5.3.1."""
    atom = g.many(g.one(ALPHA, DIGIT, "-!#$%&'*+/=?^_`{|}~", *more))
    quoted = g.seq('"', g.some(g.alt(g.one(" -!#-[]-~", *more), g.seq("\\", g.one(" -~")))), '"')
    octets = g.languages.repeat(g.languages.byte_range(0, 255), 0, 64)
    local = g.both(g.alt(g.seq(atom, g.some(".", atom)), quoted), octets)
    letter = g.one(ALPHA, DIGIT, *more)
    label = g.seq(letter, g.opt(g.times(0, 61, g.one("-", ALPHA, DIGIT, *more)), letter))
    domain = g.both(g.seq(label, g.some(".", label)), g.times(0, 253, g.languages.any_character))
    tag = g.seq(g.one("Ii"), g.one("Pp"), g.one("Vv"), "6:")
    address = g.seq("[", g.alt(g.rule(ipv4), g.seq(tag, g.rule(ipv6))), "]")
    return g.seq(local, "@", g.alt(domain, address))


def email(g: Grammar) -> Language:
    """RFC 5321 4.1.2 `Mailbox`."""
    return _mailbox(g)


def idn_email(g: Grammar) -> Language:
    """The same with what RFC 6531 3.3 adds."""
    return _mailbox(g, _NON_ASCII)


class _Uri:
    """The rules of RFC 3986 appendix A, or those of RFC 3987 2.2 with `more` and `private` characters."""

    def __init__(self, g: Grammar, more: tuple[str, ...] = (), private: tuple[str, ...] = ()) -> None:
        encoded = g.seq("%", g.one(HEX), g.one(HEX))

        def characters(*classes: str) -> Language:
            return g.alt(g.one(*_UNRESERVED, _SUB_DELIMS, *more, *classes), encoded)

        segment = g.some(characters(":@"))
        segments = g.some("/", segment)
        first = g.many(characters(":@"))
        first_without_colon = g.many(characters("@"))
        future = g.seq(g.one("Vv"), g.many(g.one(HEX)), ".", g.many(g.one(*_UNRESERVED, _SUB_DELIMS, ":")))
        host = g.alt(g.some(characters()), g.seq("[", g.alt(g.rule(ipv6), future), "]"))
        authority = g.seq(g.opt(g.some(characters(":")), "@"), host, g.opt(":", g.some(g.one(DIGIT))))
        rooted = g.alt(g.seq("//", authority, segments), g.seq("/", g.opt(first, segments)), "")
        query = g.opt("?", g.some(characters(":@/?", *private)))
        fragment = g.opt("#", g.some(characters(":@/?")))
        scheme = g.seq(g.one(ALPHA), g.some(g.one("-", ALPHA, DIGIT, "+.")))
        tail = g.seq(query, fragment)
        self.absolute = g.seq(scheme, ":", g.alt(rooted, g.seq(first, segments)), tail)
        self.relative = g.seq(g.alt(rooted, g.seq(first_without_colon, segments)), tail)


def uri(g: Grammar) -> Language:
    """RFC 3986 `URI`."""
    return _Uri(g).absolute


def uri_reference(g: Grammar) -> Language:
    """RFC 3986 `URI-reference`."""
    rules = _Uri(g)
    return g.alt(rules.absolute, rules.relative)


def iri(g: Grammar) -> Language:
    """RFC 3987 `IRI`."""
    return _Uri(g, _UCSCHAR, _IPRIVATE).absolute


def iri_reference(g: Grammar) -> Language:
    """RFC 3987 `IRI-reference`."""
    rules = _Uri(g, _UCSCHAR, _IPRIVATE)
    return g.alt(rules.absolute, rules.relative)


def uri_template(g: Grammar) -> Language:
    """RFC 6570 2, with the apostrophe of erratum 6937."""
    encoded = g.seq("%", g.one(HEX), g.one(HEX))
    literals = g.alt(g.one("!#$&'(-;=?-[]_a-z~", *_UCSCHAR, *_IPRIVATE), encoded)
    letter = g.alt(g.one(ALPHA, DIGIT, "_"), encoded)
    name = g.seq(letter, g.some(g.opt("."), letter))
    prefix = g.seq(":", g.one("1-9"), g.times(0, 3, g.one(DIGIT)))
    variable = g.seq(name, g.alt("", "*", prefix))
    operator = g.one("+#./;?&=,!@|")
    expression = g.seq("{", g.alt("", operator), variable, g.some(",", variable), "}")
    return g.some(g.alt(literals, expression))
