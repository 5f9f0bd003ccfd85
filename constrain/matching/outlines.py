"""What short tokens see of the states of a text: its language, whatever its counts are while they are far.

`[a-z]{1,64}` has a state for each number of letters, but a token of a few bytes goes on from all of
them alike as long as more letters are left than it has. The same holds for a limit of the length of a
part, `local & .{0,64}`, as long as what is left finishes the part wherever a token leaves it: a
regular expression without such limits can be finished in so many bytes (`largest_tail`).
"""

from __future__ import annotations

from constrain.automata.languages_cy import (
    CONCATENATION,
    INTERSECTION,
    MACHINE,
    REPETITION,
    UNION,
    Language,
)
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.automata.lengths import bottom_up, largest_tail, least, operands, split_limit

__all__ = ["Outlines", "outlines_of"]

#: Smaller counts are part of an outline.
_MANY_TIMES = 16
#: So many repetitions have to be left behind the tokens.
_ENOUGH = 2
#: So much of an expression is looked at for counts.
_MOST_NODES = 256


class Outlines:
    """The outlines of the states of one automaton."""

    def __init__(self, automaton: LazyDfa) -> None:
        self._automaton = automaton
        #: By language: its outline, and how far the nearest of its counts is from its end; -1 without any.
        self._known: dict[Language, tuple[object, int]] = {}

    def of(self, state: int, steps: int) -> object:
        """Return the outline of a state for tokens of at most `steps` bytes.

        States of one outline are alike for these tokens: those stay inside the text or do not.

        Returns:
            `None` if there is no count, or one that may end within so many bytes.
        """
        goal = self._automaton.components(state)[0]
        for node in bottom_up(goal, self._known):
            self._known[node] = self._read(node)
        outline, margin = self._known[goal]
        # A byte takes one off a count at most.
        return outline if margin - steps >= _ENOUGH else None

    def _read(self, node: Language) -> tuple[object, int]:
        known = self._known
        count = _count(node)
        if count >= 0 and least(node.first)[0]:
            return ((REPETITION, node.first.number, node.low), count)
        if node.kind == INTERSECTION:
            return self._limited(node)
        if node.kind == MACHINE:
            machine, (state, begun) = node.payload
            found = None if begun else machine.outline(state)
            return (node.number, -1) if found is None else ((MACHINE, machine, found[0]), found[1])
        read = [known[part] for part in operands(node)]
        margins = [margin for _, margin in read if margin >= 0]
        if not margins or node.kind not in (CONCATENATION, UNION, REPETITION):
            return (node.number, -1)
        parts = [outline for outline, _ in read]
        outline: object = (node.kind, *parts)
        if node.kind == UNION:
            outline = (UNION, frozenset(parts))
        elif node.kind == REPETITION:
            outline = (REPETITION, node.low, node.high, *parts)
        return (outline, min(margins))

    def _limited(self, node: Language) -> tuple[object, int]:
        """Read a regular expression whose members have at most so many bytes or characters."""
        languages = self._automaton.languages
        parts = split_limit(languages, node)
        tail = -1 if parts is None else largest_tail(languages, parts[1])
        if parts is None or tail < 0 or _count(parts[0]) < 0:
            return (node.number, -1)
        limit, other = parts
        outline, margin = self._known[other]
        left = max(_count(limit) - tail, 0)
        return ((INTERSECTION, limit.first.number, outline), left if margin < 0 else min(left, margin))


def _count(node: Language) -> int:
    """Return how often a language repeats something at most if that is worth it, else -1."""
    if node.kind != REPETITION or node.high is None or node.high < _MANY_TIMES:
        return -1
    return node.high


def outlines_of(automaton: LazyDfa) -> Outlines | None:
    """Return the outlines of an automaton if its texts count something, else `None`.

    A count that stands deep in a large expression is not looked for.
    """
    if automaton.start < 0:
        return None
    pending = [automaton.components(automaton.start)[0]]
    seen = set(pending)
    while pending and len(seen) < _MOST_NODES:
        node = pending.pop()
        if _count(node) >= 0 or (node.kind == MACHINE and node.payload[0].has_outlines):
            return Outlines(automaton)
        for part in operands(node):
            if part not in seen:
                seen.add(part)
                pending.append(part)
    return None
