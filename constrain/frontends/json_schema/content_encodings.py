"""The encodings of `contentEncoding`: RFC 4648, and those of RFC 2045 that leave a text as it is."""

from __future__ import annotations

from constrain.automata.languages_cy import Language, Languages
from constrain.frontends.json_schema.grammar import HEX, Grammar

__all__ = ["encoding_language"]

_BASE64 = "A-Za-z0-9+/"
_BASE64_URL = "-A-Za-z0-9_"
_BASE32 = "A-Z2-7"
_BASE32_HEX = "0-9A-V"
#: RFC 2045 6.2: nothing is encoded.
_IDENTITY = ("7bit", "8bit", "binary")


def _padded(g: Grammar, alphabet: str, digits: int, ends: list[tuple[int, int]]) -> Language:
    """Return the texts of groups of `digits` digits, the last one padded (RFC 4648 4, 6).

    Args:
        ends: for each length of a last group that is not full, the number of its digits and the
            unused bits of the last of them, which are zero (3.5).
    """
    values = _digits(alphabet)
    digit = g.one(alphabet)
    group = g.times(digits, digits, digit)
    last = [g.seq("")]
    for count, bits in ends:
        final = g.alt(*[values[index] for index in range(0, len(values), 1 << bits)])
        last.append(g.seq(g.times(count - 1, count - 1, digit), final, "=" * (digits - count)))
    return g.seq(g.some(group), g.alt(*last))


def _digits(alphabet: str) -> str:
    """Return the digits of an alphabet in the order of their values."""
    orders = {
        _BASE64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        _BASE64_URL: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        _BASE32: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        _BASE32_HEX: "0123456789ABCDEFGHIJKLMNOPQRSTUV",
    }
    return orders[alphabet]


_ENDS_64 = [(2, 4), (3, 2)]
_ENDS_32 = [(2, 2), (4, 4), (5, 1), (7, 3)]


def encoding_language(languages: Languages, name: str) -> Language | None:
    """Return the texts that an encoder of this name writes; `None` if it has no language here.

    Names are not case-sensitive (RFC 2045 6.1).
    """
    g = Grammar(languages)
    name = name.lower()
    if name == "base64":
        return _padded(g, _BASE64, 4, _ENDS_64)
    if name == "base64url":
        return _padded(g, _BASE64_URL, 4, _ENDS_64)
    if name == "base32":
        return _padded(g, _BASE32, 8, _ENDS_32)
    if name == "base32hex":
        return _padded(g, _BASE32_HEX, 8, _ENDS_32)
    if name == "base16":
        # RFC 4648 8: either case.
        return g.some(g.times(2, 2, g.one(HEX)))
    return languages.any_text if name in _IDENTITY else None
