"""Patterns as pydantic reads them -> ECMA-262 patterns, which JSON Schema has.

pydantic hands patterns to the Rust crate `regex`, or to Python's `re` if a class asks for it. Both search as
ECMA-262 does, but their shorthand classes are Unicode's: `\\D` excludes Arabic digits there, and would let
them in here. The translation accepts nothing that they refuse. It accepts less in one case: `\\d` and `\\w`
stand for ASCII, as usual in JSON Schema.
"""

from __future__ import annotations

import re

__all__ = ["UntranslatablePatternError", "ecma_pattern"]

_TOKEN = re.compile(r"\\.|\(\?P<|\{,|\[\^?\]?|&&|--|~~|.", re.DOTALL)
# At least the word characters of either dialect (UTS #18 annex C; `str.isalnum`).
_WORD = r"\p{L}\p{M}\p{N}\p{Pc}\p{So}\p{Cf}"
_OUTSIDE = {
    r"\A": "^",
    r"\z": "$",
    r"\Z": "$",
    r"\D": r"\P{Nd}",
    r"\s": r"\p{White_Space}",
    r"\S": r"\P{White_Space}",
    r"\W": f"[^{_WORD}]",
    ".": r"[^\n]",
    "(?P<": "(?<",
}
_IN_CLASS = {key: _OUTSIDE[key] for key in (r"\D", r"\s", r"\S")}
_IN_NEGATED_CLASS = {**_IN_CLASS, r"\d": r"\p{Nd}", r"\w": _WORD}
_DIFFERS_OUTSIDE = frozenset({r"\b", r"\B", "{,", "[]", "[^]"})
_DIFFERS_IN_CLASS = frozenset({r"\W", "[", "[^", "[]", "[^]", "&&", "--", "~~"})


class UntranslatablePatternError(ValueError):
    """Part of a pattern means something else in ECMA-262; its text is that part."""


def ecma_pattern(pattern: str) -> str:
    """Return an ECMA-262 pattern that matches only what pydantic matches.

    Raises:
        UntranslatablePatternError: a part has another meaning there and no translation.
    """
    result = []
    in_class = negated = False
    for token in _TOKEN.findall(pattern):
        if not in_class:
            if token in _DIFFERS_OUTSIDE:
                raise UntranslatablePatternError(token)
            in_class, negated = token in ("[", "[^"), token == "[^"
            result.append(_OUTSIDE.get(token, token))
            continue
        in_class = token != "]"
        if token in _DIFFERS_IN_CLASS:
            raise UntranslatablePatternError(token)
        result.append((_IN_NEGATED_CLASS if negated else _IN_CLASS).get(token, token))
    return "".join(result)
