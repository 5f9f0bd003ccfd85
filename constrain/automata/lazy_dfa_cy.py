"""The lazily built deterministic automaton of a language and of others that are tracked beside it.

A state is a tuple of derivatives: of the goal, then of each tracked language. It exists only if
its goal component has a member, so `DEAD` is exact. Rows are filled one byte class at a time.
The questions about what can still follow (how short, how long, which words) are answered from
the expression where that is enough and by searching states where it is not.
"""

from __future__ import annotations

from heapq import heappop, heappush
from operator import itemgetter
from typing import TYPE_CHECKING, Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.languages_cy import Language, Languages
    from cython.cimports.constrain.automata.table_cy import TableAutomaton
else:
    from constrain.automata.languages_cy import Language, Languages
    from constrain.automata.table_cy import TableAutomaton

from constrain.automata.languages_cy import CONCATENATION, INTERSECTION, MACHINE, UNION
from constrain.automata.lengths import (
    PREFERENCE,
    RANK,
    Lengths,
    Progression,
    bounds,
    demands,
    has_between,
    least,
    lengths,
    shift,
    shortest,
)
from constrain.automata.table_cy import EXPANDING
from constrain.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RICH", "LazyDfa", "any_text_automaton"]

#: Words are counted for so many bytes, and among so many states, before they are listed.
_MOST_LEVELS = 64
#: A state with more continuations than this is called rich.
RICH = 128

#: How many code points a completion has at most.
MAX_COMPLETION = 1_000_000

_DEAD = -1
_UNKNOWN = -2
#: How many states are looked at before the guess at a length is given up.
_MOST_GUESSES = 2000
#: What it costs to find where a state leads, in elementary steps.
_STATE_STEPS = 50


def _takes_any_beginning(language: Language, any_text: Language) -> bool:
    """Return whether whatever text is put before a member, the result is a member; perhaps it is not seen."""
    pending = [language]
    while pending:
        node = pending.pop()
        if node.kind in (INTERSECTION, UNION):
            pending.extend(node.items)
            continue
        if (node.first if node.kind == CONCATENATION else node) is not any_text:
            return False
    return True


@cython.cclass
class LazyDfa(TableAutomaton):
    """The automaton of `goal`.

    A state accepts if its goal component contains the empty string; bit i of its outcome tells
    whether that of tracked language i does. The goal is met with `any_text`, so that what is
    alive can be finished with valid UTF-8.

    Args:
        languages: the arena of all the languages.
        goal: what the automaton accepts.
        tracked: languages whose membership is told beside it.
        max_states: how many states may be made.
    """

    def __init__(
        self,
        languages: Languages,
        goal: Language,
        tracked: tuple[Language, ...] = (),
        max_states: int = 500_000,
    ) -> None:
        TableAutomaton.__init__(self, max_states)
        self.languages = languages
        #: By its languages, or its only one.
        self._numbers: dict[object, int] = {}
        self._goals: list[Language] = []
        self._has_tracked = bool(tracked)
        self._tracked: list[tuple[Language, ...]] = []
        self._cuts: list[int] = []
        self._edges: dict[int, list[tuple[int, int]]] = {}
        self._completions: dict[int, bytes] = {}
        self._live: dict[int, int] = {}
        self._layers: dict[frozenset[int], tuple[bool, Lengths, frozenset[int]]] = {}
        self._walks: dict[int, _Walk] = {}
        self._few_words: dict[int, tuple[int, list[bytes] | None]] = {}
        self._rich: dict[int, bool] = {}
        self._word_counts: dict[int, int | None] = {}
        self._some_lengths: dict[int, int] = {}
        goal = languages.intersection(languages.any_text, goal)
        self.start = self._state(goal, tracked)

    @cython.cfunc
    def _state(self, goal: Language, tracked: tuple[Language, ...]) -> cython.int:
        """Return the state of these languages; it is made if it is new."""
        part: Language
        if self.languages.is_empty(goal):
            return _DEAD
        key: object = goal
        if self._has_tracked:
            tracked = tuple(
                [part if not self.languages.is_empty(part) else self.languages.nothing for part in tracked]
            )
            key = (goal, *tracked)
        number = self._numbers.get(key)
        if number is not None:
            return number
        cuts = goal.cuts
        outcome = 0
        bit = 1
        for part in tracked:
            cuts |= part.cuts
            if part.nullable:
                outcome |= bit
            bit <<= 1
        number = self.add_state(goal.nullable, outcome)
        self._numbers[key] = number
        self._goals.append(goal)
        if self._has_tracked:
            self._tracked.append(tracked)
        self._cuts.append(cuts)
        live = self.languages.first_bytes(goal)
        if live >= 0:
            # All others are dead, without asking for each class of them.
            self.set_transitions(number, 0, 255, _DEAD)
            while live:
                first = (live & -live).bit_length() - 1
                length = (~(live >> first) & ((live >> first) + 1)).bit_length() - 1
                self.set_transitions(number, first, first + length - 1, _UNKNOWN)
                live &= ~(((1 << length) - 1) << first)
        return number

    def components(self, state: int) -> tuple[Language, ...]:
        """Return the languages of what may follow: the goal's, then the tracked ones'."""
        return (self._goals[state], *self._tracked[state]) if self._has_tracked else (self._goals[state],)

    @cython.ccall
    @cython.exceptval(-3, check=True)
    def expand(self, state: cython.int, byte: cython.int) -> cython.int:
        """Compute the transitions of `state` by `byte` and the bytes that behave like it."""
        cuts: Any = self._cuts[state]
        place: Any = byte
        part: Language
        below: Any = cuts & ((2 << place) - 1)
        above: Any = cuts >> (place + 1)
        low = below.bit_length() - 1 if below else 0
        high = byte + (above & -above).bit_length() - 1 if above else 255
        part = self._goals[state]
        goal: Language = self.languages.derivative(part, byte)
        tracked: tuple[Language, ...] = ()
        target: cython.int = _DEAD
        if not self.languages.is_empty(goal):
            if self._has_tracked:
                tracked = tuple([self.languages.derivative(part, byte) for part in self._tracked[state]])
            target = self._state(goal, tracked)
        self.set_transitions(state, low, high, target)
        return target

    def edges(self, state: int) -> list[tuple[int, int]]:
        """Return (byte, state after it) for each different live target but continuation bytes apart.

        The byte is the preferred one of those that lead there; the list is in that order.
        """
        found = self._edges.get(state)
        if found is None:
            best: dict[tuple[int, bool], int] = {}
            for first in self.languages.segments(self._cuts[state] | 1 << 0x80 | 1 << 0xC0):
                target = self.step(state, first)
                if target < 0:
                    continue
                best.setdefault((target, 0x80 <= first < 0xC0), first)
            # Within one segment the first byte need not be the preferred one.
            for byte in PREFERENCE[:95]:
                target = self.step(state, byte)
                if target >= 0:
                    key = (target, False)
                    if RANK[byte] < RANK[best[key]]:
                        best[key] = byte
            found = [(byte, target) for (target, _), byte in best.items()]
            found.sort(key=_rank)
            self._edges[state] = found
        return found

    def path_to(self, state: int) -> bytes:
        """Return a text that leads from the start to a state."""
        paths = {self.start: b""}
        pending = [self.start]
        for here in pending:
            for byte, target in self.edges(here):
                if target not in paths:
                    paths[target] = paths[here] + bytes((byte,))
                    pending.append(target)
        return paths[state]

    def live_bytes(self, state: int) -> int:
        """Return the bytes after which an accepted text can still follow, as bits of an integer."""
        result = self._live.get(state)
        if result is None:
            result = 0
            firsts = self.languages.segments(self._cuts[state])
            ends = (*firsts[1:], 256)
            for first, end in zip(firsts, ends, strict=True):
                if self.step(state, first) >= 0:
                    result |= (1 << end) - (1 << first)
            self._live[state] = result
        return result

    def is_universal(self, state: int) -> bool:
        """Return whether every text may follow and nothing that is tracked depends on it."""
        any_text = self.languages.any_text
        nothing = self.languages.nothing
        if self._goals[state] is not any_text:
            return False
        return not self._has_tracked or all(
            part is any_text or part is nothing for part in self._tracked[state]
        )

    def is_boundary(self, state: int) -> bool:
        """Return whether any text may follow, whatever else is tracked."""
        return self._goals[state] is self.languages.any_text

    def is_endless(self, state: int) -> bool:
        """Return whether any text may follow if the right one follows it; perhaps that is not seen.

        So it is where a pattern is searched for.
        """
        goal: Language = self._goals[state]
        part: Language
        for part in goal.items if goal.kind == UNION else (goal,):
            if (part is goal or part.emptiness == 2) and _takes_any_beginning(part, self.languages.any_text):
                return True
        return False

    def is_rich(self, state: int) -> bool:
        """Return whether there are surely more than `RICH` accepted continuations."""
        known = self._rich.get(state)
        if known is None:
            found = lengths(self.languages, self._goals[state])
            known = found is not None and any(last is None for _, last, _ in found)
            known = known or self.words(state, RICH) is None
            self._rich[state] = known
        return known

    def completion(self, state: int) -> bytes:
        """Return a shortest accepted continuation, in bytes, of preferred bytes."""
        found = self._completions.get(state)
        if found is not None:
            return found
        # A* search; the lower bound that an expression tells is consistent, and ends a branch if exact.
        came: dict[int, tuple[int, int]] = {state: (-1, -1)}
        depths = {state: 0}
        bound, exact = self._least(state)
        order = 0
        # (bound of the whole, deeper first, preferred first, state, whether the bound is exact)
        heap: list[tuple[int, int, int, int, bool]] = [(bound, 0, 0, state, exact)]
        here = -1
        while True:
            _, negative, _, here, exact = heappop(heap)
            depth = -negative
            if exact:
                break
            if depth > depths[here]:
                continue
            for byte, target in self.edges(here):
                if depths.get(target, depth + 2) <= depth + 1:
                    continue
                depths[target] = depth + 1
                came[target] = (here, byte)
                bound, exact = self._least(target)
                order += 1
                heappush(heap, (depth + 1 + bound, -depth - 1, order, target, exact))
        tail = self._completions.get(here)
        if tail is None:
            tail = shortest(self._goals[here])
            self._completions[here] = tail
        while came[here][0] >= 0:
            here, byte = came[here]
            tail = bytes([byte]) + tail
            self._completions[here] = tail
        return tail

    def _least(self, state: int) -> tuple[int, bool]:
        known = self._completions.get(state)
        if known is not None:
            return len(known), True
        return least(self._goals[state])

    # Lengths. The sets of states that are reached by texts of 0, 1, 2, ... code points follow one
    # another deterministically, so the sequence is finite and then repeats.

    def has_length(self, state: int, low: int, high: int | None) -> bool:
        """Return whether an accepted continuation has `low` to `high` further code points; exact.

        Raises:
            LimitExceeded: the sequence of lengths is too long to be found.
        """
        if high is not None and high < low:
            return False
        goal: Language = self._goals[state]
        if goal.kind == MACHINE:
            machine, inner = goal.payload
            return bool(machine.has_length(inner, low, high))
        known = lengths(self.languages, goal)
        if known is not None:
            return has_between(known, low, high)
        if low <= 0 and high is None:
            return True
        least, most = bounds(self.languages, goal)
        if most is not None and low <= least and (high is None or most <= high):
            return True
        if (most is not None and most < low) or (high is not None and high < least):
            return False
        some = self._some_length(state)
        if low <= some and (high is None or some <= high):
            return True
        if self.is_shared:
            # A walk goes on where another question has left it.
            with EXPANDING:
                return self._asks(state, low, high)
        return self._asks(state, low, high)

    def _asks(self, state: int, low: int, high: int | None) -> bool:
        walk = self._walks.get(state)
        if walk is None:
            walk = _Walk(frozenset(self._closure([state])))
            self._walks[state] = walk
        return self._ask(walk, max(low, 0), high)

    def _some_length(self, state: int) -> int:
        """Return the number of code points of some accepted continuation; -1 if none was found soon.

        Intersections may have very many states; one word that meets their demands one after the
        other is found by following the estimate.
        """
        found = self._some_lengths.get(state)
        if found is not None:
            return found
        path: dict[int, tuple[int, int]] = {state: (-1, 0)}
        heap = [(demands(self.languages, self._goals[state]), 0, state)]
        order = 0
        found = -1
        here = -1
        while heap and order < _MOST_GUESSES:
            _, _, here = heappop(heap)
            if self.accepting(here):
                found = 0
            elif here in self._some_lengths:
                found = self._some_lengths[here]
            if found >= 0:
                break
            for byte, target in self.edges(here):
                if target not in path:
                    path[target] = (here, 0 if 0x80 <= byte < 0xC0 else 1)
                    order += 1
                    heappush(heap, (demands(self.languages, self._goals[target]), -order, target))
        self._some_lengths[state] = found
        if found >= 0:
            while here >= 0:
                self._some_lengths[here] = found
                here, cost = path[here]
                found += cost
        return self._some_lengths[state]

    def _ask(self, walk: _Walk, low: int, high: int | None) -> bool:
        if walk.finds(low, high):
            return True
        states = len(self._edges)
        while not walk.closed and (high is None or len(walk.accepts) <= high):
            distance = len(walk.accepts)
            if max(distance, (len(self._edges) - states) * _STATE_STEPS) > self.languages.max_steps:
                raise LimitExceeded(
                    "it takes too long to find the possible lengths of a text",
                    limit=self.languages.max_steps,
                )
            accepts, progressions, following = self._layer(walk.layer)
            walk.add(accepts, progressions, following)
            if accepts and low <= distance:
                return True
            if progressions and has_between(shift(progressions, distance), low, high):
                return True
        return walk.finds(low, high)

    def _closure(self, states: list[int]) -> set[int]:
        """Add what follows by continuation bytes."""
        reached = set(states)
        pending = list(reached)
        while pending:
            for byte, target in self.edges(pending.pop()):
                if 0x80 <= byte < 0xC0 and target not in reached:
                    reached.add(target)
                    pending.append(target)
        return reached

    def _layer(self, states: frozenset[int]) -> tuple[bool, Lengths, frozenset[int]]:
        """Return whether a text may end in this set, lengths that its members tell, the next set."""
        found = self._layers.get(states)
        if found is None:
            accepts = False
            progressions: set[Progression] = set()
            targets = set()
            for state in states:
                known = lengths(self.languages, self._goals[state])
                if known is not None:
                    progressions.update(known)
                    continue
                if self.accepting(state):
                    accepts = True
                for byte, target in self.edges(state):
                    if not 0x80 <= byte < 0xC0:
                        targets.add(target)
            found = (accepts, tuple(progressions), frozenset(self._closure(list(targets))))
            self._layers[states] = found
        return found

    def completion_of_length(self, state: int, low: int, high: int | None) -> bytes:
        """Return an accepted continuation of `low` to `high` code points, as few as possible.

        Raises:
            ValueError: there is none.
            LimitExceeded: it has more than a million code points.
        """
        if not self.has_length(state, low, high):
            raise ValueError("no continuation has such a length")
        if low > MAX_COMPLETION:
            raise LimitExceeded(
                f"the shortest completion of a string has {low} more characters",
                limit=MAX_COMPLETION,
                remedy="lower minLength",
            )
        # The smallest length: double an upper end, then halve.
        below = low - 1
        width = 1
        while not self.has_length(state, low, low + width - 1):
            below = low + width - 1
            width *= 2
        above = low + width - 1
        while above - below > 1:
            middle = (above + below) // 2
            if self.has_length(state, low, middle):
                above = middle
            else:
                below = middle
        left = above
        word = bytearray()
        while left or not self.accepting(state):
            for byte, target in self.edges(state):
                cost = 0 if 0x80 <= byte < 0xC0 else 1
                if cost <= left and self.has_length(target, left - cost, left - cost):
                    word.append(byte)
                    state = target
                    left -= cost
                    break
            else:
                raise AssertionError("a length that is said to exist has no word")
        return bytes(word)

    def few_words(self, state: int, limit: int) -> list[bytes] | None:
        """Return what `words` does, remembered; of a larger limit too if there are no more words."""
        known = self._few_words.get(state)
        if known is None or (known[1] is None and known[0] < limit):
            # With room to spare, so that a growing limit does not ask each time.
            limit = max(2 * limit, 16)
            known = (limit, self.words(state, limit))
            self._few_words[state] = known
        return known[1]

    def words(self, state: int, limit: int) -> list[bytes] | None:
        """Return the accepted continuations if they are at most `limit`, else `None`; sorted."""
        known = lengths(self.languages, self._goals[state])
        if known is not None and any(
            last is None or (last - first) // step >= limit for first, last, step in known
        ):
            return None
        if self._has_more_words(state, limit):
            return None
        result = []
        path = bytearray()
        on_path = {state}
        # Every state is alive, so a state that comes back on a path means that there is no end.
        branches: dict[int, list[tuple[int, int]]] = {state: self._targets(state)}
        stack: list[tuple[int, Iterator[tuple[int, int]]]] = [(state, iter(branches[state]))]
        if self.accepting(state):
            if limit < 1:
                return None
            result.append(b"")
        while stack:
            here, branch = stack[-1]
            byte, target = next(branch, (-1, -1))
            if byte < 0:
                stack.pop()
                on_path.discard(here)
                if path:
                    path.pop()
                continue
            if target in on_path:
                return None
            path.append(byte)
            if self.accepting(target):
                result.append(bytes(path))
                if len(result) > limit:
                    return None
            if target not in branches:
                branches[target] = self._targets(target)
            if not branches[target]:
                path.pop()
                continue
            on_path.add(target)
            stack.append((target, iter(branches[target])))
        return sorted(result)

    def _has_more_words(self, state: int, limit: int) -> bool:
        """Return whether more than `limit` continuations were counted, level by level, up to some level."""
        found = 0
        # State -> the number of ways to it, in so many bytes.
        level = {state: 1}
        for _ in range(_MOST_LEVELS):
            following: dict[int, int] = {}
            for here, ways in level.items():
                found += ways * self.accepting(here)
                firsts = self.languages.segments(self._cuts[here])
                for first, end in zip(firsts, (*firsts[1:], 256), strict=True):
                    target = self.step(here, first)
                    if target >= 0:
                        following[target] = following.get(target, 0) + ways * (end - first)
            if found > limit:
                return True
            # Every state is alive: each way leads to a word of its own.
            if sum(following.values()) > limit:
                return True
            level = following
            if not level or len(level) > _MOST_LEVELS:
                return False
        return False

    def n_words(self, state: int) -> int | None:
        """Return how many continuations are accepted, `None` if they are endless."""
        known = lengths(self.languages, self._goals[state])
        if known is not None and any(last is None for _, last, _ in known):
            return None
        counts = self._word_counts
        on_path = {state}
        stack = [(state, self._branch(state))]
        while stack:
            here, branch = stack[-1]
            if here not in counts and branch:
                target = self.step(here, branch.pop())
                if target in on_path or counts.get(target, 0) is None:
                    counts.update(dict.fromkeys(on_path))
                elif target not in counts:
                    on_path.add(target)
                    stack.append((target, self._branch(target)))
                continue
            if here not in counts:
                total = int(self.accepting(here))
                for byte in self._branch(here):
                    total += counts[self.step(here, byte)] or 0
                counts[here] = total
            on_path.discard(here)
            stack.pop()
        return counts[state]

    def iter_words(self, state: int) -> Iterator[bytes]:
        """Generate the accepted continuations, the shortest in bytes first."""
        branches: dict[int, list[tuple[int, int, int]]] = {}
        # (bytes of the whole at least, order, bytes before, place in the branch, branch): the branch
        # of a state lists what may come next as (bytes that follow at least, byte, state after it),
        # the nearest end first; the end itself has byte -1. Siblings enter the heap one by one.
        order = 0
        branch = branches[state] = self._nearest(state)
        heap = [(branch[0][0], order, b"", 0, branch)]
        while heap:
            _, _, before, place, branch = heappop(heap)
            _, byte, state = branch[place]
            if place + 1 < len(branch):
                order += 1
                heappush(heap, (len(before) + branch[place + 1][0], order, before, place + 1, branch))
            if byte < 0:
                yield before
                continue
            word = before + bytes((byte,))
            if state not in branches:
                branches[state] = self._nearest(state)
            branch = branches[state]
            order += 1
            heappush(heap, (len(word) + branch[0][0], order, word, 0, branch))

    def _nearest(self, state: int) -> list[tuple[int, int, int]]:
        """Return (length of what follows at least, byte, state after it), the nearest end first."""
        found = [(0, -1, state)] if self.accepting(state) else []
        for byte in sorted(self._branch(state), key=RANK.__getitem__):
            target = self.step(state, byte)
            bound, is_exact = self._least(target)
            if not is_exact:
                # A bound that is too low would be followed through very many states.
                bound = len(self.completion(target))
            found.append((1 + bound, byte, target))
        found.sort(key=itemgetter(0))
        return found

    def _branch(self, state: int) -> list[int]:
        return [byte for byte, _ in self._targets(state)]

    def _targets(self, state: cython.int) -> list[tuple[int, int]]:
        """Return (byte, state after it) for each byte after which an accepted text can still follow."""
        byte: cython.int
        target: cython.int
        found = []
        for byte in range(256):
            target = self.step(state, byte)
            if target >= 0:
                found.append((byte, target))
        return found


def _rank(edge: tuple[int, int]) -> int:
    return RANK[edge[0]]


class _Walk:
    """How texts of 0, 1, 2, ... code points fare from one state, as far as it was asked.

    Attributes:
        accepts: for each number of code points 1 if a text may end there.
        known: lengths that members of the sets told, with the number of code points before them.
        closed: the sequence goes on as it did from `repeat`; nothing needs to be added.
    """

    def __init__(self, layer: frozenset[int]) -> None:
        self.layer = layer
        self.accepts = bytearray()
        self.known: list[tuple[Lengths, int]] = []
        self.seen: dict[frozenset[int], int] = {}
        self.repeat = 0
        self.closed = not layer

    def add(self, accepts: bool, progressions: Lengths, following: frozenset[int]) -> None:
        self.seen[self.layer] = len(self.accepts)
        if progressions:
            self.known.append((progressions, len(self.accepts)))
        self.accepts.append(1 if accepts else 0)
        self.layer = following
        if not following:
            self.repeat = len(self.accepts)
            self.closed = True
        elif following in self.seen:
            self.repeat = self.seen[following]
            self.closed = True

    def finds(self, low: int, high: int | None) -> bool:
        """Return whether a length between the bounds is among those that are known."""
        end = len(self.accepts)
        if self.accepts.find(1, low, end if high is None else high + 1) >= 0:
            return True
        for progressions, distance in self.known:
            if has_between(shift(progressions, distance), low, high):
                return True
        period = end - self.repeat
        if not self.closed or period == 0 or (high is not None and high < end):
            return False
        # Lengths from `end` on are those from `repeat` on, again and again.
        first = max(low, end)
        span = period if high is None else min(period, high - first + 1)
        offset = (first - self.repeat) % period
        turn = self.accepts[self.repeat :] * 2
        if turn.find(1, offset, offset + span) >= 0:
            return True
        for progressions, distance in self.known:
            if distance >= self.repeat and any(
                _recurs(progression, distance, period, low, high) for progression in progressions
            ):
                return True
        return False


def _recurs(progression: Progression, distance: int, period: int, low: int, high: int | None) -> bool:
    """Return whether the progression, moved by `distance` and any multiple of `period`, hits the bounds."""
    first, last, step = progression
    if high is None:
        return True
    latest = (high - distance - first) // period
    earliest = 1 if last is None else max(1, -((distance + last - low) // period))
    if last is None:
        # More turns only repeat the residues.
        latest = min(latest, earliest + step)
    return any(
        has_between((progression,), low - distance - turn * period, high - distance - turn * period)
        for turn in range(earliest, latest + 1)
    )


_ANY_TEXT: list[LazyDfa] = []


def any_text_automaton() -> LazyDfa:
    """Return the automaton of any text, which everybody shares."""
    if not _ANY_TEXT:
        languages = Languages()
        automaton = LazyDfa(languages, languages.any_text)
        automaton.is_shared = True
        _ANY_TEXT.append(automaton)
    return _ANY_TEXT[0]
