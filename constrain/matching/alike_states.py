"""States of a text that no token tells apart: those that differ by a count which is far from its end.

`(\\w+ ){0,190}` and `(\\w+ ){0,180}` differ for texts of many words only. When a mask is made, the tokens
visit all the states that they can lead to, so the automaton has them. If in none of them the count
has come near its end, then it was as good as endless: the same tokens go on, and to the same
effect, from every state that is like this one but for the count, if that is no nearer its end.
"""

from __future__ import annotations

from constrain.automata.languages_cy import (
    BYTES,
    CONCATENATION,
    EMPTY,
    NOTHING,
    REPETITION,
    UNION,
    WORDS,
    Language,
)
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.automata.lengths import bottom_up, least, operands

__all__ = ["AlikeStates", "counted"]

#: A count is worth it from here on.
_MANY_TIMES = 16
#: So many repetitions have to be left in each state that was visited. A count that ends comes by two; of one
#: repetition it is not told that it was counted.
_ENOUGH = 3
#: Everything about regular expressions that can be finished whatever their counts are.
_PLAIN = frozenset((NOTHING, EMPTY, BYTES, WORDS, CONCATENATION, UNION, REPETITION))


def counted(languages: tuple[Language, ...]) -> Language | None:
    """Return what plain regular expressions repeat up to the highest bound, if that is worth it."""
    found: Language | None = None
    most = _MANY_TIMES - 1
    seen: set[Language] = set(languages)
    pending = list(seen)
    while pending:
        node = pending.pop()
        if node.kind not in _PLAIN:
            return None
        if node.kind == REPETITION and node.high is not None and node.high > most and least(node.first)[0]:
            found, most = node.first, node.high
        for part in operands(node):
            if part not in seen:
                seen.add(part)
                pending.append(part)
    return found


class _Shape:
    """A state without its counts, and how few were left after the tokens from one such state."""

    __slots__ = ("drop", "first")

    def __init__(self) -> None:
        self.first = -1
        self.drop = 0


class AlikeStates:
    """The states of one automaton as the tokens of one vocabulary see them.

    Args:
        body: what is counted, see `counted`.
    """

    def __init__(self, automaton: LazyDfa, body: Language) -> None:
        self._automaton = automaton
        self._body = body
        #: By language: the text of its structure, and the least and greatest bound in it, -1 for none.
        self._known: dict[Language, tuple[object, int, int]] = {}
        self._shapes: dict[object, _Shape] = {}
        self._states: dict[int, tuple[_Shape, int, int]] = {}
        self._alike: dict[int, int] = {}
        self._looked_at = 0
        self._fewest = 1 << 30

    def of(self, state: int) -> int:
        """Return one for all states that are known to be alike."""
        alike = self._alike.get(state, -1)
        if alike < 0:
            shape, fewest, _ = self._state(state)
            if shape.first < 0:
                return state
            alike = shape.first if fewest - shape.drop >= _ENOUGH else state
            self._alike[state] = alike
        return alike

    def visited(self, state: int, steps: int) -> None:
        """Learn from a mask that was just made of a state.

        Args:
            steps: tokens of at most so many bytes may have visited nothing.
        """
        shape, _, most = self._state(state)
        if shape.first >= 0 or most < 0:
            return
        automaton = self._automaton
        for other in range(self._looked_at, automaton.size):
            _, fewest, _ = self._state(other)
            if 0 <= fewest < self._fewest:
                self._fewest = fewest
        self._looked_at = automaton.size
        if self._fewest >= _ENOUGH:
            shape.first = state
            # A byte takes one off a count at most.
            shape.drop = max(most - self._fewest, steps)

    def _state(self, state: int) -> tuple[_Shape, int, int]:
        known = self._states.get(state)
        if known is None:
            parts = [self._read(part) for part in self._automaton.components(state)]
            shape = self._shapes.setdefault(tuple([part[0] for part in parts]), _Shape())
            bounds = [part[1] for part in parts if part[1] >= 0]
            known = (shape, min(bounds, default=-1), max(part[2] for part in parts))
            self._states[state] = known
        return known

    def _read(self, language: Language) -> tuple[object, int, int]:
        known = self._known
        for node in bottom_up(language, known):
            if node.kind == REPETITION and node.first is self._body and node.high is not None:
                known[node] = ((REPETITION, node.first.number, node.low), node.high, node.high)
                continue
            read = [known[part] for part in operands(node)]
            bounds = [part[1] for part in read if part[1] >= 0]
            if not bounds:
                known[node] = (node.number, -1, -1)
                continue
            structure: object = (node.kind, *[part[0] for part in read])
            if node.kind == REPETITION:
                structure = (structure, node.low, node.high)
            elif node.kind == UNION:
                structure = (UNION, frozenset(part[0] for part in read))
            known[node] = (structure, min(bounds), max(part[2] for part in read))
        return known[language]
