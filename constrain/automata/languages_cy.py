"""Regular languages over bytes: hash-consed extended regular expressions and their derivatives.

A language is a set of byte strings, normally of UTF-8 texts. It is a node of one `Languages`
arena; nodes that are built alike are the same object, so equality is identity. The derivative
of a language by a byte is what may follow that byte (Brzozowski, "Derivatives of Regular
Expressions", 1964); it exists for intersection and difference as for union, which is why the
complement of a pattern costs nothing here. Normal forms (union and intersection as sets, merged
counters, absorption) keep the number of different derivatives small; Owens, Reppy and Turon,
"Regular-expression derivatives re-examined", 2009, treat the byte classes that are `cuts` here.

Nothing in this module recurses over the depth of an expression.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, TypeAlias

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.cpython.ref import Py_REFCNT

from constrain.automata.text_machines import TextMachine
from constrain.errors import LimitExceeded

__all__ = [
    "BYTES",
    "CONCATENATION",
    "DIFFERENCE",
    "EMPTY",
    "INTERSECTION",
    "MACHINE",
    "NOTHING",
    "REPETITION",
    "UNION",
    "VARIABLE",
    "WORDS",
    "Language",
    "Languages",
]

#: The kinds of nodes.
NOTHING = 0
EMPTY = 1
BYTES = 2
CONCATENATION = 3
UNION = 4
INTERSECTION = 5
DIFFERENCE = 6
REPETITION = 7
WORDS = 8
VARIABLE = 9
MACHINE = 10

# Cython takes these names for `object`, which is what the .pxd declares.
ByteSet: TypeAlias = int
Count: TypeAlias = int
Bound: TypeAlias = "int | None"
Words: TypeAlias = "tuple[bytes, ...]"
Segments: TypeAlias = tuple[int, ...]
Members: TypeAlias = "dict[int, Language]"
Merged: TypeAlias = "tuple[dict[int, Language], int, bool]"

_ALL = (1 << 256) - 1
#: Unions of more intersections are not searched for those that lie in others.
_MOST_ABSORBED = 32
#: `_UP_TO[b]` has the bits 0 to b.
_UP_TO = tuple((2 << byte) - 1 for byte in range(256))


def _run(low: int, high: int) -> int:
    """Return the byte set from `low` to `high`, both included."""
    return (2 << high) - (1 << low)


#: The automaton of UTF-8 (Unicode 15, table 3-7). Phase 0 is between two characters; for each
#: phase, what leads to which phase.
_TEXT_PHASES: tuple[dict[int, int], ...] = (
    {
        0: _run(0x00, 0x7F),
        1: _run(0xC2, 0xDF),
        2: _run(0xE1, 0xEC) | _run(0xEE, 0xEF),
        3: _run(0xF1, 0xF3),
        4: 1 << 0xE0,
        5: 1 << 0xED,
        6: 1 << 0xF0,
        7: 1 << 0xF4,
    },
    {0: _run(0x80, 0xBF)},
    {1: _run(0x80, 0xBF)},
    {2: _run(0x80, 0xBF)},
    {1: _run(0xA0, 0xBF)},
    {1: _run(0x80, 0x9F)},
    {2: _run(0x90, 0xBF)},
    {2: _run(0x80, 0x8F)},
)
#: How many bytes are marks: they are not in UTF-8, and may be put between the characters of a text.
MARKS = 8
_MARK_SET = _run(0x100 - MARKS, 0xFF)
_MARKED = len(_TEXT_PHASES)
#: The phases of texts, and behind them those of texts with marks.
_PHASES: tuple[dict[int, int], ...] = _TEXT_PHASES + tuple(
    {target + _MARKED: mask | (_MARK_SET if phase == target == 0 else 0) for target, mask in steps.items()}
    for phase, steps in enumerate(_TEXT_PHASES)
)
_ALL_PHASES = (1 << len(_PHASES)) - 1
#: Phase 0 without and with marks.
_BETWEEN = 1 | 1 << _MARKED
#: A byte that leads from phase 0 to phase 1, 2, ...
_LEADS = (0xC2, 0xE1, 0xF1, 0xE0, 0xED, 0xF0, 0xF4)


def _utf8_phase(text: bytes) -> int:
    """Return the phase after `text`, a prefix of valid UTF-8."""
    phase = 0
    for byte in text[-3:]:
        if phase == 0 and 0x80 <= byte < 0xC0:
            continue
        bit = 1 << byte
        phase = next(target for target, mask in _TEXT_PHASES[phase].items() if mask & bit)
    return phase


@cython.cfunc
@cython.exceptval(check=False)
def _through(phases: cython.int) -> cython.int:
    """Return all phases without marks if `phases` has the first of them; likewise with marks."""
    return (0xFF if phases & 1 else 0) | (0xFF00 if phases & 0x100 else 0)


def _mask_cuts(mask: int) -> int:
    return (mask ^ (mask << 1)) & _ALL


@cython.no_gc
@cython.cclass
class Language:
    """A node; made by the methods of `Languages` only.

    Attributes:
        number: the position of the node in its arena.
        kind: one of the constants of this module.
        nullable: whether the language contains the empty string.
        inhabited: the language is certainly not empty (it may also be without this flag).
        cuts: bit b is set when byte b may behave differently from byte b - 1.
        phases: bit p is set when every member is known to continue valid UTF-8 from phase p, for
            p from 8 on UTF-8 with marks from phase p - 8.
        envelope: p if this is all that does so from phase p, else -1.
        first, second, items, low, high, payload: the operands, by kind.
        lengths, least: memos of `constrain.automata.lengths`.

    The garbage collector does not look at nodes: they refer to nodes alone, and in circles only by `steps`
    and by what a variable means, which their arena cuts when it goes.
    """

    def __init__(self) -> None:
        self.number: int = 0
        self.kind: int = 0
        self.nullable: bool = False
        self.inhabited: bool = False
        self.cuts: int = 0
        self.phases: int = 0
        self.envelope: int = -1
        # Of the kinds that have operands; `None` otherwise.
        self.first: Language = None  # type: ignore[assignment]
        self.second: Language = None  # type: ignore[assignment]
        self.items: tuple[Language, ...] = ()
        self.low: int = 0
        self.high: int | None = None
        self.payload: Any = None
        self.emptiness: int = 0
        self.steps: dict[int, Language] | None = None
        self.lengths: Any = None
        self.least: Any = None
        self.older: Any = None

    def __dealloc__(self) -> None:
        # A long text is a long chain, which must not recurse when it is freed.
        if cython.compiled:
            # Of what has no operand, and of what is being freed.
            nothing: Any = None
            following: Language
            chain: Language = self.second
            self.second = nothing
            while chain is not None and Py_REFCNT(chain) == 1:
                following = chain.second
                chain.second = nothing
                chain = following
                following = nothing

    def __repr__(self) -> str:
        return f"<Language {self.number}>"


@cython.cfunc
def _pair(head: cython.longlong, tail: cython.longlong) -> object:
    """Return the numbers of two nodes as one, which the garbage collector does not look at."""
    return head << 32 | tail


# Else it could not take its nodes apart.
@cython.no_gc_clear
@cython.cclass
class Languages:
    """An arena of languages: tables of nodes, the constants, and the operations.

    Attributes:
        nothing: the language without members.
        empty: the language of the empty string alone.
        any_character: one code point in UTF-8, surrogates excluded.
        any_text: every sequence of those.
        marked_text: every text with marks, bytes that are not in UTF-8, anywhere between its characters.
        cache: for callers: languages by whatever they were made from.
    """

    def __init__(self, max_nodes: int = 2_000_000, max_steps: int = 1_000_000) -> None:
        self.max_nodes = max_nodes
        self.max_steps = max_steps
        self.size = 0
        #: Called now and then while nodes are made; raises when time is up.
        self.tick: Any = None
        self.cache: dict[Hashable, Language] = {}
        #: A memo of `occurring_bytes`.
        self._occurring: dict[Language, Any] = {}
        #: The node that was made last; each leads to the one before.
        self._newest: Any = None
        base: Languages
        if _BASE:
            base = _BASE[0]
            self.size = base.size
            #: By what nodes are made of: tuples, and pairs in one number for concatenations.
            self._table: dict[object, Language] = dict(base._table)
            self._words: dict[tuple[bytes, ...], tuple[bytes, ...]] = dict(base._words)
            self._segments: dict[int, tuple[int, ...]] = dict(base._segments)
            self._before: dict[tuple[int, int], int] = dict(base._before)
            self.nothing: Language = base.nothing
            self.empty: Language = base.empty
            self.any_character: Language = base.any_character
            self.any_text: Language = base.any_text
            self.marked_text: Language = base.marked_text
            return
        self._table = {}
        self._words = {}
        self._segments = {}
        self._before = {}
        self.nothing = self._make((NOTHING,), NOTHING, False, 0, _ALL_PHASES, False)
        self.nothing.emptiness = 1
        self.empty = self._make((EMPTY,), EMPTY, True, 0, _BETWEEN, True)
        self.any_character = self.characters([(0, 0x10FFFF)])
        self.any_text = self._repetition(self.any_character, 0, None)
        marked = self._union([self.any_character, self._byte_set(_MARK_SET)], 0)
        self.marked_text = self._repetition(marked, 0, None)
        text: Language
        for text, first in ((self.any_text, 0), (self.marked_text, _MARKED)):
            text.envelope = first
            for phase, byte in enumerate(_LEADS, 1):
                node: Language = self.derivative(text, byte)
                node.envelope = first + phase

    def __dealloc__(self) -> None:
        # Tables may have been emptied by the garbage collector, but it does not see this chain. The last
        # first: what a node is made of is older.
        if cython.compiled:
            nothing: Any = None
            node: Language = self._newest
            older: Language
            self._newest = None
            while node is not None:
                older = node.older
                node.older = None
                node.steps = None
                if node.kind == VARIABLE:
                    node.first = nothing
                node = older

    @cython.cfunc
    def _close(self) -> cython.int:
        """Compute all derivatives of all nodes, so that nothing is added to them any more."""
        node: Language
        byte: cython.int
        known = 0
        while known < len(self._table):
            nodes = list(self._table.values())[known:]
            known += len(nodes)
            for node in nodes:
                self.is_empty(node)
                for byte in range(256):
                    self.derivative(node, byte)
        return 0

    # Nodes.

    @cython.cfunc
    def _make(
        self,
        key: object,
        kind: cython.int,
        nullable: cython.bint,
        cuts: ByteSet,
        phases: cython.int,
        inhabited: cython.bint,
    ) -> Language:
        if self.size & 0x3FF == 0 and self.tick is not None:
            self.tick()
        if self.size >= self.max_nodes:
            raise LimitExceeded(
                "the regular expressions have too many different derivatives",
                limit=self.max_nodes,
                remedy="make patterns and bounds smaller",
            )
        node: Language = Language()
        node.number = self.size
        node.kind = kind
        node.nullable = nullable
        node.cuts = cuts
        node.phases = phases
        node.inhabited = inhabited
        node.envelope = -1
        node.emptiness = 2 if inhabited or nullable else 0
        self.size += 1
        node.older = self._newest
        self._newest = node
        self._table[key] = node
        return node

    @cython.cfunc
    def _byte_set(self, mask: ByteSet) -> Language:
        if mask == 0:
            return self.nothing
        key = (BYTES, mask)
        node: Language | None = self._table.get(key)
        if node is not None:
            return node
        node = self._make(key, BYTES, False, _mask_cuts(mask), 0, True)
        node.payload = mask
        node.phases = self._phases_before(node, 1)
        return node

    @cython.cfunc
    def _phases_before(self, head: Language, phases: cython.int) -> cython.int:
        """Return the phases of `head` followed by something of these phases."""
        if head.kind != BYTES:
            return head.phases & _through(phases)
        key = (head.payload, phases)
        known = self._before.get(key)
        if known is None:
            known = 0
            for phase, steps in enumerate(_PHASES):
                allowed = 0
                for target, mask in steps.items():
                    if phases >> target & 1:
                        allowed |= mask
                if head.payload & ~allowed == 0:
                    known |= 1 << phase
            self._before[key] = known
        return known

    @cython.cfunc
    def _cons(self, head: Language, tail: Language) -> Language:
        """Return `head` followed by `tail`; `head` is no concatenation, neither is trivial."""
        item: Language
        other: Language
        rest: Language | None
        if tail.kind == CONCATENATION:
            other = tail.first
            rest = tail.second
        else:
            other = tail
            rest = None
        if other.kind == REPETITION and head is other.first:
            item = self._repetition(head, other.low + 1, None if other.high is None else other.high + 1)
            return item if rest is None else self._cons(item, rest)
        if head.kind == REPETITION:
            if other is head.first:
                item = self._repetition(other, head.low + 1, None if head.high is None else head.high + 1)
                return item if rest is None else self._cons(item, rest)
            if other.kind == REPETITION and other.first is head.first:
                high = None if head.high is None or other.high is None else head.high + other.high
                item = self._repetition(head.first, head.low + other.low, high)
                return item if rest is None else self._cons(item, rest)
        key: object = _pair(head.number, tail.number)
        node: Language | None = self._table.get(key)
        if node is not None:
            return node
        node = self._make(
            key,
            CONCATENATION,
            head.nullable and tail.nullable,
            head.cuts | tail.cuts if head.nullable else head.cuts,
            self._phases_before(head, tail.phases),
            head.inhabited and tail.inhabited,
        )
        node.first = head
        node.second = tail
        return node

    @cython.cfunc
    def _concat(self, head: Language, tail: Language) -> Language:
        if head.emptiness == 1 or tail.emptiness == 1:
            return self.nothing
        if head.kind == EMPTY:
            return tail
        if tail.kind == EMPTY:
            return head
        if head.kind != CONCATENATION:
            return self._cons(head, tail)
        parts: list[Language] = []
        part: Language
        while head.kind == CONCATENATION:
            parts.append(head.first)
            head = head.second
        tail = self._cons(head, tail)
        while parts:
            part = parts.pop()
            tail = self._cons(part, tail)
        return tail

    @cython.cfunc
    def _repetition(self, item: Language, low: Count, high: Bound) -> Language:
        if high is not None and high < low:
            return self.nothing
        if high == 0 or item.kind == EMPTY:
            return self.empty
        if item.emptiness == 1:
            return self.nothing if low else self.empty
        if item.nullable:
            low = 0
            if item.kind == UNION and self.empty in item.items:
                item = self._union([part for part in item.items if part is not self.empty], 0)
        if low == 1 and high == 1:
            return item
        if item.kind == REPETITION:
            inner_low = item.low
            inner_high = item.high
            # The counts k * inner_low .. k * inner_high for k = low .. high leave no gap exactly
            # if there is none between k = low and the next.
            if (
                low == high
                or (low == 0 and inner_low <= 1)
                or (low and (inner_high is None or low * inner_high + 1 >= (low + 1) * inner_low))
            ):
                return self._repetition(
                    item.first,
                    low * inner_low,
                    None if high is None or inner_high is None else high * inner_high,
                )
        if low == 0 and high == 1:
            return self._union([self.empty, item], 0)
        key = (REPETITION, item.number, low, high)
        node: Language | None = self._table.get(key)
        if node is not None:
            return node
        phases = _through(item.phases)
        phases &= item.phases if low else _BETWEEN
        node = self._make(
            key, REPETITION, low == 0 or item.nullable, item.cuts, phases, low == 0 or item.inhabited
        )
        node.first = item
        node.low = low
        node.high = high
        return node

    @cython.cfunc
    def _union(self, items: list[Language], depth: cython.int) -> Language:
        item: Language
        part: Language
        node: Language
        tail: Language
        # What is a normal form already stays itself, although its parts could be merged anew.
        node = self.nothing
        for item in items:
            if item.emptiness != 1 and (
                node.kind == NOTHING or (item.kind == UNION and len(item.items) > len(node.items))
            ):
                node = item
        for item in items:
            if (
                item is not node
                and item.emptiness != 1
                and not (item.kind == EMPTY and node.nullable)
                and not (node.kind == UNION and item in node.items)
            ):
                break
        else:
            return node
        members: dict[int, Language] = {}
        mask = 0
        with_empty: cython.bint = False
        concatenations: cython.int = 0
        repetitions: cython.int = 0
        for item in items:
            for part in item.items if item.kind == UNION else (item,):
                if part.emptiness == 1:
                    continue
                if part.kind == BYTES:
                    mask |= part.payload
                elif part.kind == EMPTY:
                    with_empty = True
                elif part.number not in members:
                    members[part.number] = part
                    if part.kind == CONCATENATION:
                        concatenations += 1
                        if part.first.kind == REPETITION:
                            repetitions += 1
                    elif part.kind == REPETITION:
                        repetitions += 1
        if concatenations > 1:
            # Byte sets before the same rest are one byte set.
            tails: dict[int, ByteSet] = {}
            merged: dict[int, Language] = {}
            for part in members.values():
                if part.kind == CONCATENATION and part.first.kind == BYTES:
                    tail = part.second
                    if tail.number in tails:
                        tails[tail.number] |= part.first.payload
                        merged[tail.number] = tail
                    else:
                        tails[tail.number] = part.first.payload
            if merged:
                members = {
                    number: part
                    for number, part in members.items()
                    if not (
                        part.kind == CONCATENATION
                        and part.first.kind == BYTES
                        and part.second.number in merged
                    )
                }
                for number, tail in merged.items():
                    part = self._cons(self._byte_set(tails[number]), tail)
                    members[part.number] = part
        if repetitions:
            members, mask, with_empty = self._merge_repetitions(members, mask, with_empty)
        if concatenations > 1 and depth < 8:
            # What begins alike is factored; deeper prefixes are left to the derivatives.
            heads: dict[int, list[Language]] = {}
            for part in members.values():
                if part.kind == CONCATENATION:
                    heads.setdefault(part.first.number, []).append(part)
            if len(heads) < concatenations:
                for group in heads.values():
                    if len(group) > 1:
                        for part in group:
                            del members[part.number]
                        part = group[0]
                        tail = self._union([other.second for other in group], depth + 1)
                        part = self._concat(part.first, tail)
                        members[part.number] = part
        self._absorb(members)
        nullable: cython.bint = False
        for part in members.values():
            if part.nullable:
                nullable = True
                with_empty = False
                break
        if with_empty:
            members[self.empty.number] = self.empty
            nullable = True
        if mask:
            part = self._byte_set(mask)
            members[part.number] = part
        if not members:
            return self.nothing
        if len(members) == 1:
            for part in members.values():
                return part
        numbers = sorted(members)
        phases: cython.int = _ALL_PHASES
        cuts = 0
        inhabited: cython.bint = False
        envelope: Language | None = None
        for part in members.values():
            phases &= part.phases
            cuts |= part.cuts
            if part.inhabited:
                inhabited = True
            if part.envelope >= 0:
                envelope = part
        if envelope is not None and phases >> envelope.envelope & 1:
            return envelope
        key = (UNION, *numbers)
        found: Language | None = self._table.get(key)
        if found is not None:
            return found
        node = self._make(key, UNION, nullable, cuts, phases, inhabited)
        node.items = tuple([members[number] for number in numbers])
        return node

    @cython.cfunc
    def _absorb(self, members: Members) -> cython.int:
        """Drop the intersections that lie in another member, because they ask for all that it asks for.

        A search that may begin anywhere makes such unions: the earlier begin has seen more.
        """
        part: Language
        other: Language
        item: Language
        meets = [part for part in members.values() if part.kind == INTERSECTION]
        if not meets or len(members) == 1 or len(meets) > _MOST_ABSORBED:
            return 0
        for part in meets:
            for other in members.values():
                if other is part:
                    continue
                if other.kind != INTERSECTION:
                    if other not in part.items:
                        continue
                elif len(other.items) >= len(part.items):
                    continue
                else:
                    for item in other.items:
                        if item not in part.items:
                            break
                    else:
                        del members[part.number]
                        break
                    continue
                del members[part.number]
                break
        return 0

    @cython.cfunc
    def _merge_repetitions(self, members: Members, mask: ByteSet, with_empty: cython.bint) -> Merged:
        """Merge the counters of one item before one rest; return members, mask, with_empty."""
        part: Language
        item: Language
        tail: Language
        node: Language
        groups: dict[tuple[int, int], list[Language]] = {}
        for part in members.values():
            if part.kind == REPETITION:
                groups.setdefault((part.first.number, -1), []).append(part)
            elif part.kind == CONCATENATION and part.first.kind == REPETITION:
                groups.setdefault((part.first.first.number, part.second.number), []).append(part)
        members = dict(members)
        for (_, rest), group in groups.items():
            part = group[0]
            if rest < 0:
                tail = self.empty
                item = part.first
            else:
                tail = part.second
                item = part.first.first
            ranges = []
            for part in group:
                counter = part if rest < 0 else part.first
                ranges.append((counter.low, counter.high))
                members.pop(part.number, None)
            if len(ranges) > 1:
                ranges.sort(key=_range_order)
                joined: list[tuple[int, int | None]] = []
                for low, high in ranges:
                    if joined and (joined[-1][1] is None or low <= joined[-1][1] + 1):
                        last_low, last_high = joined[-1]
                        if last_high is not None and (high is None or high > last_high):
                            joined[-1] = (last_low, high)
                    else:
                        joined.append((low, high))
                ranges = joined
            low, high = ranges[0]
            if low == 1 and (with_empty if rest < 0 else rest in members):
                low = 0
                ranges[0] = (0, high)
            if low == 0:
                if rest < 0:
                    with_empty = False
                else:
                    members.pop(rest, None)
            if low <= 1:
                if rest >= 0:
                    found: Language | None = self._table.get(_pair(item.number, rest))
                    if found is not None:
                        members.pop(found.number, None)
                elif item.kind == BYTES:
                    mask &= ~item.payload
                else:
                    members.pop(item.number, None)
            for low, high in ranges:
                node = self._concat(self._repetition(item, low, high), tail)
                members[node.number] = node
        return members, mask, with_empty

    @cython.cfunc
    def _intersection(self, items: list[Language]) -> Language:
        item: Language
        part: Language
        node: Language
        if items:
            node = items[0]
            for item in items:
                if item is not node:
                    break
            else:
                return node
        members: dict[int, Language] = {}
        removed: list[Language] = []
        mask: ByteSet | None = None
        low = -1
        high: int | None = None
        stack = list(items)
        while stack:
            item = stack.pop()
            if item.emptiness == 1:
                return self.nothing
            if item.kind == INTERSECTION:
                stack.extend(item.items)
            elif item.kind == DIFFERENCE:
                stack.append(item.first)
                removed.append(item.second)
            elif item.kind == BYTES:
                mask = item.payload if mask is None else mask & item.payload
                if mask == 0:
                    return self.nothing
            elif item.kind == REPETITION and item.first is self.any_character:
                # Characters are a code: counts of characters intersect like intervals.
                if item.low > low:
                    low = item.low
                if item.high is not None and (high is None or item.high < high):
                    high = item.high
                if high is not None and high < low:
                    return self.nothing
            else:
                members[item.number] = item
        if low >= 0:
            part = self._repetition(self.any_character, low, high)
            members[part.number] = part
        if mask is not None:
            part = self._byte_set(mask)
            members[part.number] = part
        if len(members) > 1:
            if self.empty.number in members:
                for part in members.values():
                    if not part.nullable:
                        return self.nothing
                members = {self.empty.number: self.empty}
            for part in list(members.values()):
                if part.envelope >= 0:
                    for other in members.values():
                        node = other
                        if node is not part and node.phases >> part.envelope & 1:
                            del members[part.number]
                            break
        if len(members) == 1:
            (node,) = members.values()
        else:
            numbers = sorted(members)
            key = (INTERSECTION, *numbers)
            found: Language | None = self._table.get(key)
            if found is not None:
                node = found
            else:
                nullable: cython.bint = True
                phases: cython.int = 0
                cuts = 0
                for part in members.values():
                    phases |= part.phases
                    cuts |= part.cuts
                    if not part.nullable:
                        nullable = False
                node = self._make(key, INTERSECTION, nullable, cuts, phases, nullable)
                node.items = tuple([members[number] for number in numbers])
        if removed:
            return self._difference(node, self._union(removed, 0))
        return node

    @cython.cfunc
    def _difference(self, minuend: Language, subtrahend: Language) -> Language:
        base: Language
        while True:
            if minuend.emptiness == 1 or minuend is subtrahend:
                return self.nothing
            if subtrahend.emptiness == 1:
                return minuend
            if minuend.kind == EMPTY:
                return self.nothing if subtrahend.nullable else minuend
            if subtrahend.kind == EMPTY and not minuend.nullable:
                return minuend
            if subtrahend.envelope >= 0 and minuend.phases >> subtrahend.envelope & 1:
                return self.nothing
            if minuend.kind == BYTES and subtrahend.kind == BYTES:
                return self._byte_set(minuend.payload & ~subtrahend.payload)
            if minuend.kind == DIFFERENCE:
                subtrahend = self._union([minuend.second, subtrahend], 0)
                minuend = minuend.first
                continue
            if subtrahend.kind == DIFFERENCE:
                base = subtrahend.first
                if base is minuend or (base.envelope >= 0 and minuend.phases >> base.envelope & 1):
                    return self._intersection([minuend, subtrahend.second])
            break
        key = (DIFFERENCE, minuend.number, subtrahend.number)
        node: Language | None = self._table.get(key)
        if node is not None:
            return node
        nullable: cython.bint = minuend.nullable and not subtrahend.nullable
        node = self._make(key, DIFFERENCE, nullable, minuend.cuts | subtrahend.cuts, minuend.phases, nullable)
        node.first = minuend
        node.second = subtrahend
        return node

    @cython.cfunc
    def _word_range(
        self,
        words: tuple[bytes, ...],
        low: cython.Py_ssize_t,
        high: cython.Py_ssize_t,
        depth: cython.Py_ssize_t,
    ) -> Language:
        """Return what follows the first `depth` bytes in the words `low` to `high` - 1."""
        if high - low == 1:
            word: bytes = words[low]
            return self.literal(word[depth:])
        key = (WORDS, id(words), low, high, depth)
        node: Language | None = self._table.get(key)
        if node is not None:
            return node
        first: bytes = words[low]
        nullable: cython.bint = len(first) == depth
        cuts = 0
        index: cython.Py_ssize_t = low + 1 if nullable else low
        while index < high:
            byte = words[index][depth]
            cuts |= 3 << byte
            index = _after(words, index, high, depth, byte)
        node = self._make(key, WORDS, nullable, cuts & _ALL, 0, True)
        node.phases = _BETWEEN << _utf8_phase(first[:depth])
        node.payload = (words, low, high, depth)
        return node

    @cython.cfunc
    def _word_step(self, node: Language, byte: cython.int) -> Language:
        words, low, high, depth = node.payload
        if node.nullable:
            low += 1
        start = _after(words, low, high, depth, byte - 1)
        stop = _after(words, start, high, depth, byte)
        if start == stop:
            return self.nothing
        return self._word_range(words, start, stop, depth + 1)

    def first_bytes(self, language: Language) -> int:
        """Return the bytes with which members begin, as bits, where a glance tells; -1 elsewhere."""
        if language.kind == CONCATENATION:
            language = language.first
        if language.kind == BYTES:
            mask: int = language.payload
            return mask
        if language.kind != WORDS or language.nullable:
            return -1
        words, low, high, depth = language.payload
        mask = 0
        while low < high:
            byte = words[low][depth]
            mask |= 1 << byte
            low = _after(words, low, high, depth, byte)
        return mask

    @cython.cfunc
    def _machine(self, machine: Any, state: Any) -> Language:
        """Return what `machine` accepts from `state` on."""
        key = (MACHINE, id(machine), state)
        node: Language | None = self._table.get(key)
        if node is not None:
            return node
        node = self._make(key, MACHINE, machine.accepts(state), machine.cuts(state), 0, True)
        node.phases = _BETWEEN << _utf8_phase(machine.phase(state))
        # The machine is kept with the node, so its id stays its own.
        node.payload = (machine, state)
        return node

    # Operations.

    def byte_set(self, mask: int) -> Language:
        """Return the one-byte strings whose bytes are the bits of `mask`."""
        return self._byte_set(mask & _ALL)

    def byte_range(self, low: int, high: int) -> Language:
        """Return the one-byte strings from `low` to `high`, both included."""
        return self._byte_set(_run(low, high) if low <= high else 0)

    def literal(self, text: bytes) -> Language:
        """Return the language of this byte string alone."""
        node: Language = self.empty
        letter: Language
        for byte in reversed(text):
            letter = self._byte_set(1 << byte)
            node = letter if node is self.empty else self._cons(letter, node)
        return node

    def literals(self, words: Iterable[bytes]) -> Language:
        """Return the language of these byte strings.

        They are kept as one sorted list; a node is a run of it and a depth, so that a derivative
        is two binary searches and a hundred thousand names cost no more than their list.
        """
        ordered = tuple(sorted(set(words)))
        if not ordered:
            return self.nothing
        known = self._words.get(ordered)
        if known is None:
            try:
                b"\n".join(ordered).decode("utf-8")
            except UnicodeDecodeError:
                # The phases of a run of words are known only if all words are texts.
                return self._union([self.literal(word) for word in ordered], 0)
            self._words[ordered] = known = ordered
        return self._word_range(known, 0, len(known), 0)

    def machine(self, machine: TextMachine) -> Language:
        """Return the texts that a reader accepts."""
        return self._machine(machine, machine.start())

    def characters(self, ranges: Sequence[tuple[int, int]]) -> Language:
        """Return the one-character texts in these ranges of code points; surrogates drop out."""
        normal: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            for start, stop in ((low, min(high, 0xD7FF)), (max(low, 0xE000), min(high, 0x10FFFF))):
                if start <= stop:
                    normal.append((start, stop))
        normal.sort()
        joined: list[tuple[int, int]] = []
        for low, high in normal:
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], high))
            else:
                joined.append((low, high))
        parts = []
        for level, base, start, stop in (
            (0, 0x00, 0x00, 0x7F),
            (1, 0xC0, 0x80, 0x7FF),
            (2, 0xE0, 0x800, 0xFFFF),
            (3, 0xF0, 0x10000, 0x10FFFF),
        ):
            inside = [(max(low, start), min(high, stop)) for low, high in joined]
            inside = [(low, high) for low, high in inside if low <= high]
            if inside:
                parts.append(self._encoded(inside, level, base))
        return self._union(parts, 0)

    def _encoded(self, ranges: list[tuple[int, int]], level: int, base: int) -> Language:
        """Return the encodings of numbers of `level` + 1 digits of 6 bits; the first digit adds to `base`."""
        if level == 0:
            mask = 0
            for low, high in ranges:
                mask |= _run(base + low, base + high)
            return self._byte_set(mask)
        size = 1 << (6 * level)
        # Digits that allow everything behind them, and the ranges behind the other digits.
        full = 0
        partial: dict[int, list[tuple[int, int]]] = {}
        for low, high in ranges:
            first, last = low // size, high // size
            if first == last:
                if high - low + 1 == size:
                    full |= 1 << (base + first)
                else:
                    partial.setdefault(first, []).append((low % size, high % size))
                continue
            if low % size:
                partial.setdefault(first, []).append((low % size, size - 1))
                first += 1
            if high % size != size - 1:
                partial.setdefault(last, []).append((0, high % size))
                last -= 1
            if first <= last:
                full |= _run(base + first, base + last)
        masks: dict[int, int] = {}
        tails: dict[int, Language] = {}
        if full:
            tail = self._encoded([(0, size - 1)], level - 1, 0x80)
            masks[tail.number] = full
            tails[tail.number] = tail
        for digit, inside in partial.items():
            tail = self._encoded(inside, level - 1, 0x80)
            masks[tail.number] = masks.get(tail.number, 0) | 1 << (base + digit)
            tails[tail.number] = tail
        return self._union(
            [self._cons(self._byte_set(mask), tails[number]) for number, mask in masks.items()], 8
        )

    def concat(self, *parts: Language) -> Language:
        """Return the concatenations of one member of each part."""
        node: Language = self.empty
        part: Language
        for part in reversed(parts):
            node = self._concat(part, node)
        return node

    def union(self, *parts: Language) -> Language:
        """Return the strings that are in some part."""
        return self._union(list(parts), 0)

    def intersection(self, *parts: Language) -> Language:
        """Return the texts that are in every part; `any_text` for none."""
        return self._intersection(list(parts)) if parts else self.any_text

    def difference(self, minuend: Language, subtrahend: Language) -> Language:
        """Return the members of `minuend` that are not in `subtrahend`."""
        return self._difference(minuend, subtrahend)

    def complement(self, language: Language) -> Language:
        """Return the texts that are not in `language`."""
        return self._difference(self.any_text, language)

    def repeat(self, item: Language, low: int, high: int | None) -> Language:
        """Return the concatenations of `low` to `high` members of `item`; `None` is no upper bound."""
        return self._repetition(item, low, high)

    def variable(self, nullable: bool, cuts: int = _ALL) -> Language:
        """Return a new language of texts that `define` will give a meaning.

        It lets a language refer to itself behind at least one byte, which is how a loop whose
        body looks ahead is written. Before the definition it may be an operand, but not derived.

        Args:
            nullable: whether the definition will contain the empty string.
            cuts: a superset of the cuts of the definition.
        """
        node: Language = self._make((VARIABLE, self.size), VARIABLE, nullable, cuts, 1, nullable)
        return node

    def define(self, variable: Language, definition: Language) -> None:
        """Give `variable` its meaning."""
        if variable.kind != VARIABLE or variable.first is not None:
            raise ValueError("only a variable can be defined, once")
        if variable.nullable != definition.nullable or definition.cuts & ~variable.cuts:
            raise ValueError("the variable was announced otherwise")
        variable.first = definition
        variable.cuts = definition.cuts
        if definition.inhabited:
            variable.inhabited = True
            variable.emptiness = 2

    # Derivatives.

    @cython.ccall
    def segments(self, cuts: ByteSet) -> Segments:
        """Return the first byte of each run of bytes that behave alike."""
        found = self._segments.get(cuts)
        if found is None:
            found = (0, *[byte for byte in range(1, 256) if cuts >> byte & 1])
            self._segments[cuts] = found
        return found

    @cython.cfunc
    def _known(self, node: Language, byte: cython.int) -> Language | None:
        """Return the derivative if it is at hand."""
        kind: cython.int = node.kind
        if kind == 2:  # BYTES
            return self.empty if node.payload >> byte & 1 else self.nothing
        if kind <= 1:  # NOTHING, EMPTY
            return self.nothing
        if node.steps is None:
            return None
        return node.steps.get((node.cuts & _UP_TO[byte]).bit_length())

    @cython.ccall
    def derivative(self, language: Language, byte: cython.int) -> Language:
        """Return { w : `byte` w is in `language` }."""
        node: Language
        result: Language | None = self._known(language, byte)
        if result is not None:
            return result
        pending: list[Language] = [language]
        while pending:
            node = pending[len(pending) - 1]
            result = self._known(node, byte)
            if result is None:
                # Either the result, or None and the operands that are missing are pending.
                result = self._step(node, byte, pending)
                if result is None:
                    continue
                if node.steps is None:
                    node.steps = {}
                node.steps[(node.cuts & _UP_TO[byte]).bit_length()] = result
            pending.pop()
        assert result is not None
        return result

    @cython.cfunc
    def _step(self, node: Language, byte: cython.int, pending: list[Language]) -> Language | None:
        kind: cython.int = node.kind
        part: Language
        rest: Language
        first: Language | None
        second: Language | None
        before: cython.Py_ssize_t = len(pending)
        pieces: list[Language]
        if kind == CONCATENATION:
            pieces = []
            rest = node
            while rest.kind == CONCATENATION:
                first = self._known(rest.first, byte)
                if first is None:
                    pending.append(rest.first)
                elif first.emptiness != 1 and len(pending) == before:
                    pieces.append(self._concat(first, rest.second))
                if not rest.first.nullable:
                    break
                rest = rest.second
            else:
                first = self._known(rest, byte)
                if first is None:
                    pending.append(rest)
                else:
                    pieces.append(first)
            if len(pending) > before:
                return None
            if len(pieces) == 1:
                return pieces[0]
            return self._union(pieces, 0)
        if kind in (UNION, INTERSECTION):
            pieces = []
            for part in node.items:
                first = self._known(part, byte)
                if first is None:
                    pending.append(part)
                elif first.emptiness != 1:
                    pieces.append(first)
                elif kind == INTERSECTION:
                    del pending[before:]
                    return self.nothing
            if len(pending) > before:
                return None
            return self._union(pieces, 0) if kind == UNION else self._intersection(pieces)
        if kind == REPETITION:
            first = self._known(node.first, byte)
            if first is None:
                pending.append(node.first)
                return None
            if first.emptiness == 1:
                return self.nothing
            low = node.low
            high = node.high
            rest = self._repetition(node.first, low - 1 if low else 0, None if high is None else high - 1)
            return self._concat(first, rest)
        if kind == DIFFERENCE:
            first = self._known(node.first, byte)
            if first is None:
                pending.append(node.first)
                return None
            if first.emptiness == 1:
                return self.nothing
            second = self._known(node.second, byte)
            if second is None:
                pending.append(node.second)
                return None
            return self._difference(first, second)
        if kind == WORDS:
            return self._word_step(node, byte)
        if kind == MACHINE:
            machine, state = node.payload
            state = machine.step(state, byte)
            return self.nothing if state is None else self._machine(machine, state)
        if node.first is None:
            raise ValueError("a variable without a definition has no derivative")
        first = self._known(node.first, byte)
        if first is None:
            pending.append(node.first)
        return first

    @cython.cfunc
    def _settle(self, node: Language) -> cython.bint:
        """Decide the emptiness of a reader met by a counter of characters; return whether it is known."""
        first: Language
        second: Language
        if node.emptiness == 0 and node.kind == INTERSECTION and len(node.items) == 2:
            first = node.items[0]
            second = node.items[1]
            if first.kind == MACHINE:
                first, second = second, first
            if (
                second.kind == MACHINE
                and first.kind == REPETITION
                and first.first is self.any_character
                and not second.payload[1][1]
            ):
                machine, state = second.payload
                node.emptiness = 2 if machine.has_length(state, first.low, first.high) else 1
        return node.emptiness != 0

    @cython.ccall
    def is_empty(self, language: Language) -> cython.bint:
        """Return whether the language has no members; exact.

        Languages without intersection and difference answer at once; for the others, derivatives
        are explored until one is known to be inhabited, by turns the one that seems nearest to
        its end, the one that asks for least, and the first found: the former two meet the demands
        of an intersection one by one, the last is fair where there is no end. What was found is kept.

        Raises:
            LimitExceeded: more than `max_steps` derivatives were needed.
        """
        node: Language
        child: Language
        byte: cython.int
        if language.emptiness or self._settle(language):
            return language.emptiness == 1
        reached: dict[Language, Language | None] = {language: None}
        # That module needs the kinds of this one.
        from constrain.automata.lengths import bounds, demands, estimate
        from constrain.automata.occurring_bytes import have_no_member

        if have_no_member(language, self._occurring):
            language.emptiness = 1
            return True
        queue: deque[Language] = deque((language,))
        nearest: list[tuple[int, int, Language]] = []
        easiest: list[tuple[tuple[int, int], int, Language]] = []
        expanded: set[Language] = set()
        steps: cython.Py_ssize_t = 0
        cost: cython.Py_ssize_t
        turn: cython.int = 0
        while queue:
            turn = (turn + 1) % 3 if nearest and easiest else 0
            if turn == 0:
                node = queue.popleft()
            elif turn == 1:
                node = heappop(nearest)[2]
            else:
                node = heappop(easiest)[2]
            if node in expanded:
                continue
            expanded.add(node)
            # What has many operands takes long to derive; what was met before costs little.
            cost = 1 + len(node.items) // 4
            segments = self.segments(node.cuts)
            steps += 1 + len(segments) // 8
            for byte in segments:
                child = self.derivative(node, byte)
                if child in reached or (self._settle(child) and child.emptiness == 1):
                    continue
                if child.emptiness == 2:
                    parent: Language | None = node
                    while parent is not None:
                        parent.emptiness = 2
                        parent = reached[parent]
                    return False
                reached[child] = node
                low, high = bounds(self, child)
                steps += cost
                if (high is not None and high < low) or have_no_member(child, self._occurring):
                    child.emptiness = 1
                    continue
                queue.append(child)
                heappush(easiest, (demands(self, child), -len(reached), child))
                heappush(nearest, (estimate(child), -len(reached), child))
            if steps > self.max_steps:
                raise LimitExceeded(
                    "it takes too long to find out whether patterns and bounds have a text in common",
                    limit=self.max_steps,
                    remedy="raise Options.max_steps, or make patterns and bounds smaller",
                )
        for node in reached:
            node.emptiness = 1
        return True


def _range_order(bounds: tuple[int, int | None]) -> tuple[int, bool, int]:
    low, high = bounds
    return (low, high is None, 0 if high is None else high)


def _after(words: tuple[bytes, ...], low: int, high: int, depth: int, byte: int) -> int:
    """Return the first index in `low` .. `high` whose word has more than `byte` at `depth`."""
    start: cython.Py_ssize_t = low
    stop: cython.Py_ssize_t = high
    while start < stop:
        middle: cython.Py_ssize_t = (start + stop) // 2
        word: bytes = words[middle]
        if word[depth] > byte:
            stop = middle
        else:
            start = middle + 1
    return start


#: What every arena begins with. Nothing is added to these nodes, so all arenas share them.
_BASE: list[Languages] = []


def _make_base() -> None:
    base: Languages = Languages()
    base._close()
    _BASE.append(base)


_make_base()
