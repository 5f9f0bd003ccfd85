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

#: The bytes that each member has, above those that some member may have; as bits of one number, at which
#: the garbage collector does not look.
Occurring = int

_WIDTH = 256
_ALL = (1 << _WIDTH) - 1
#: Of the language without members: each of them has every byte, and none has any.
_NONE: Occurring = _ALL << _WIDTH


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
        return 0
    if kind == BYTES:
        mask: int = node.payload
        return mask << _WIDTH | mask if mask & (mask - 1) == 0 else mask
    if kind == CONCATENATION:
        first, second = known[node.first], known[node.second]
        return _NONE if _NONE in (first, second) else first | second
    if kind == REPETITION:
        return known[node.first] if node.low else known[node.first] & _ALL
    if kind == UNION:
        each, some = _ALL, 0
        for part in node.items:
            each &= known[part] >> _WIDTH
            some |= known[part] & _ALL
        return each << _WIDTH | some
    if kind == INTERSECTION:
        each, some = 0, _ALL
        for part in node.items:
            each |= known[part] >> _WIDTH
            some &= known[part] & _ALL
        return _NONE if each & ~some else each << _WIDTH | some
    if kind == MACHINE:
        machine, state = node.payload
        return int(machine.alphabet(state))
    return _ALL
