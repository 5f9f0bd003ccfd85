"""Which bytes the members of a language have: those that each has, and those that some may have.

`\\d\\d:\\d\\dZ` asks for a colon and a `Z`; where a date without the letter is all that may follow, the two
have nothing in common, and no derivative has to be looked at to know it.
"""

from __future__ import annotations

from constrain.automata.languages_cy import (
    BYTES,
    CONCATENATION,
    EMPTY,
    INTERSECTION,
    MACHINE,
    NOTHING,
    REPETITION,
    UNION,
    Language,
)
from constrain.automata.lengths import bottom_up

__all__ = ["Occurring", "have_no_member"]

#: The bytes that each member has, and those that some member may have; as bits.
Occurring = tuple[int, int]

_ALL = (1 << 256) - 1
#: Of the language without members: each of them has every byte, and none has any.
_NONE: Occurring = (_ALL, 0)


def have_no_member(language: Language, known: dict[Language, Occurring]) -> bool:
    """Return whether the bytes alone tell that a language has no members.

    Args:
        known: what was found before, of any language of the arena.
    """
    for node in bottom_up(language, known):
        known[node] = _occurring(node, known)
    return known[language] == _NONE


def _occurring(node: Language, known: dict[Language, Occurring]) -> Occurring:
    kind = node.kind
    if kind == NOTHING:
        return _NONE
    if kind == EMPTY:
        return (0, 0)
    if kind == BYTES:
        mask: int = node.payload
        return (mask if mask & (mask - 1) == 0 else 0, mask)
    if kind == CONCATENATION:
        first, second = known[node.first], known[node.second]
        return _NONE if _NONE in (first, second) else (first[0] | second[0], first[1] | second[1])
    if kind == REPETITION:
        each, some = known[node.first]
        return (each, some) if node.low else (0, some)
    if kind == UNION:
        each, some = _NONE
        for part in node.items:
            each &= known[part][0]
            some |= known[part][1]
        return (each, some)
    if kind == INTERSECTION:
        each, some = 0, _ALL
        for part in node.items:
            each |= known[part][0]
            some &= known[part][1]
        return _NONE if each & ~some else (each, some)
    if kind == MACHINE:
        machine, state = node.payload
        return (0, machine.alphabet(state))
    return (0, _ALL)
