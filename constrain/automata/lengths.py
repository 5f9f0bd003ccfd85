"""The lengths of the members of a language, and a shortest member, read off the expression.

Without intersection, difference and variables the set of lengths is compositional: a union of
few arithmetic progressions. Where it is not, the answer is `None` and an automaton must be asked.
Lengths are in code points: bytes that do not continue a character.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from constrain.automata.languages_cy import (
    BYTES,
    CONCATENATION,
    DIFFERENCE,
    EMPTY,
    INTERSECTION,
    MACHINE,
    NOTHING,
    REPETITION,
    UNION,
    WORDS,
    Language,
    Languages,
)
from constrain.errors import LimitExceeded

__all__ = [
    "PREFERENCE",
    "RANK",
    "Lengths",
    "Progression",
    "bottom_up",
    "bounds",
    "demands",
    "estimate",
    "extent",
    "fixed_length",
    "has_between",
    "largest_tail",
    "least",
    "lengths",
    "merge",
    "operands",
    "shift",
    "shortest",
    "split_limit",
]

#: `(first, last, step)`: first, first + step, ..., last; `None` as last: without end.
Progression = tuple[int, "int | None", int]
#: A union of progressions, ascending.
Lengths = tuple[Progression, ...]

#: How many progressions a set may have before it is left to the automaton.
_MOST_PROGRESSIONS = 12
#: How long a word `shortest` will spell.
_LONGEST_WORD = 4_000_000
_CONTINUATION = (1 << 0xC0) - (1 << 0x80)
#: What a node has instead of lengths that are not known; one value for all builds of this module.
_UNKNOWN = False
#: How much worse a code point that is missing is than one that is asked for.
_LACK = 4

#: Bytes in the order in which completions choose them: letters and digits, other printable
#: ASCII, the rest.
PREFERENCE: tuple[int, ...] = tuple(
    sorted(range(256), key=lambda byte: (not 0x20 <= byte < 0x7F, not chr(byte).isalnum(), byte))
)
#: The place of each byte in that order.
RANK: tuple[int, ...] = tuple([PREFERENCE.index(byte) for byte in range(256)])


def has_between(lengths: Lengths, low: int, high: int | None) -> bool:
    """Return whether a length of the set lies between `low` and `high`, both included."""
    for first, last, step in lengths:
        candidate = first if low <= first else first + -(-(low - first) // step) * step
        if (last is None or candidate <= last) and (high is None or candidate <= high):
            return True
    return False


def shift(lengths: Lengths, distance: int) -> Lengths:
    """Return the set with `distance` added to each length."""
    return tuple(
        [(first + distance, None if last is None else last + distance, step) for first, last, step in lengths]
    )


def merge(progressions: Iterable[Progression]) -> Lengths | None:
    """Return the union of the progressions; `None` if it would have too many parts."""
    result: list[Progression] = []
    for first, last, step in sorted(set(progressions), key=lambda p: (p[0], p[1] is None, p[1] or 0)):
        if last == first:
            step = 1
        if result:
            first0, last0, step0 = result[-1]
            if step == 1 and step0 == 1 and (last0 is None or first <= last0 + 1):
                if last0 is not None and (last is None or last > last0):
                    result[-1] = (first0, last, 1)
                continue
            if step == step0 and (first - first0) % step == 0 and (last0 is None or first <= last0 + step):
                if last0 is not None and (last is None or last > last0):
                    result[-1] = (first0, last, step)
                continue
        result.append((first, last, step))
    return tuple(result) if len(result) <= _MOST_PROGRESSIONS else None


def _sum(left: Progression, right: Progression) -> Progression | None:
    first0, last0, step0 = left
    first1, last1, step1 = right
    last = None if last0 is None or last1 is None else last0 + last1
    if first1 == last1:
        return (first0 + first1, last, step0)
    if first0 == last0:
        return (first0 + first1, last, step1)
    if step0 > step1:
        return _sum(right, left)
    # The finer progression must reach from one element of the coarser to the next.
    if step1 % step0 == 0 and (step0 == step1 or last0 is None or last0 - first0 >= step1 - step0):
        return (first0 + first1, last, step0)
    return None


def _sums(left: Lengths, right: Lengths) -> Lengths | None:
    result = []
    for one in left:
        for other in right:
            total = _sum(one, other)
            if total is None:
                return None
            result.append(total)
    return merge(result)


def _multiples(item: Lengths, low: int, high: int | None) -> Lengths | None:
    """Return the lengths of `low` to `high` members of lengths `item`."""
    if len(item) != 1:
        return None
    first, last, step = item[0]
    if last == 0:
        return ((0, 0, 1),)
    if first == last:
        return ((low * first, None if high is None else high * first, first),)
    if first % step:
        return None
    result: list[Progression] = []
    count = low
    while high is None or count <= high:
        if count == 0:
            result.append((0, 0, 1))
        elif last is None or count * last + step >= (count + 1) * first:
            end = None if high is None or last is None else high * last
            result.append((count * first, end, step))
            break
        else:
            result.append((count * first, count * last, step))
        if len(result) > _MOST_PROGRESSIONS:
            return None
        count += 1
    return merge(result)


def operands(language: Language) -> tuple[Language, ...]:
    """Return what a concatenation, union, intersection or repetition is made of."""
    if language.kind == CONCATENATION:
        return (language.first, language.second)
    if language.kind in (UNION, INTERSECTION):
        return language.items
    if language.kind == REPETITION:
        return (language.first,)
    return ()


def bottom_up(language: Language, known: Container[Language]) -> Iterator[Language]:
    """Yield the parts of an expression, each after its own parts, but for those that are known.

    Args:
        known: has to hold each part that was yielded before the next one is asked for.
    """
    pending = [language]
    while pending:
        node = pending[-1]
        if node in known:
            pending.pop()
            continue
        missing = [part for part in operands(node) if part not in known]
        if missing:
            pending.extend(missing)
            continue
        pending.pop()
        yield node


def lengths(languages: Languages, language: Language) -> Lengths | None:
    """Return the set of lengths of the members, in code points; `None` if it is not that simple."""
    pending = [language]
    while pending:
        node = pending[-1]
        if node.lengths is not None:
            pending.pop()
            continue
        missing = [part for part in operands(node) if part.lengths is None]
        if missing:
            pending.extend(missing)
            continue
        found = _compose(languages, node)
        node.lengths = _UNKNOWN if found is None else found
        pending.pop()
    result = language.lengths
    return None if result is _UNKNOWN else result


def fixed_length(languages: Languages, language: Language) -> int:
    """Return the length of all members, in code points; -1 if they differ or it is not known."""
    known = lengths(languages, language)
    if known is None or len(known) != 1:
        return -1
    first, last, _ = known[0]
    return first if first == last else -1


def _compose(languages: Languages, node: Language) -> Lengths | None:
    kind = node.kind
    if kind == NOTHING:
        return ()
    if kind == EMPTY:
        return ((0, 0, 1),)
    if kind == BYTES:
        low = 0 if node.payload & _CONTINUATION else 1
        high = 1 if node.payload & ~_CONTINUATION else 0
        return ((low, high, 1),)
    if kind == WORDS:
        words, start, stop, depth = node.payload
        counts = {
            sum(1 for byte in words[index][depth:] if byte & 0xC0 != 0x80) for index in range(start, stop)
        }
        return merge((count, count, 1) for count in counts)
    if kind == INTERSECTION:
        return _compose_intersection(languages, node)
    parts = operands(node)
    if not parts or any(part.lengths is _UNKNOWN for part in parts):
        return None
    if kind == CONCATENATION:
        return _sums(parts[0].lengths, parts[1].lengths)
    if kind == REPETITION:
        return _multiples(parts[0].lengths, node.low, node.high)
    return merge(progression for part in parts for progression in part.lengths)


def _compose_intersection(languages: Languages, node: Language) -> Lengths | None:
    """A set of texts met by a counter of characters: the lengths within the bounds of the counter."""
    if len(node.items) != 2:
        return None
    for counter, other in (node.items, node.items[::-1]):
        if (
            counter.kind == REPETITION
            and counter.first is languages.any_character
            and other.phases & 1
            and other.lengths is not _UNKNOWN
        ):
            return _clip(other.lengths, counter.low, counter.high)
    return None


def _clip(given: Lengths, low: int, high: int | None) -> Lengths:
    result = []
    for first, last, step in given:
        if first < low:
            first += -(-(low - first) // step) * step
        if high is not None and (last is None or last > high):
            last = high - (high - first) % step
        if last is None or first <= last:
            result.append((first, last, step))
    return tuple(result)


def least(language: Language) -> tuple[int, bool]:
    """Return a lower bound of the number of bytes of a member, and whether a member has that many."""
    pending = [language]
    while pending:
        node = pending[-1]
        if node.least is not None:
            pending.pop()
            continue
        parts = (node.first,) if node.kind == DIFFERENCE else operands(node)
        missing = [part for part in parts if part.least is None]
        if missing:
            pending.extend(missing)
            continue
        node.least = _least(node, [part.least for part in parts])
        pending.pop()
    result: tuple[int, bool] = language.least
    return result


def _least(node: Language, parts: list[tuple[int, bool]]) -> tuple[int, bool]:
    kind = node.kind
    if node.nullable:
        return (0, True)
    if kind == BYTES:
        return (1, True)
    if kind == WORDS:
        words, start, stop, depth = node.payload
        return (min(len(words[index]) for index in range(start, stop)) - depth, True)
    if kind == MACHINE:
        machine, state = node.payload
        return (len(machine.completion(state)), True)
    if kind == CONCATENATION:
        return (parts[0][0] + parts[1][0], parts[0][1] and parts[1][1])
    if kind == UNION:
        return min(parts, key=lambda part: (part[0], not part[1]))
    if kind == REPETITION:
        return (node.low * parts[0][0], parts[0][1])
    # What is not nullable takes a byte.
    return (max([1, *[bound for bound, _ in parts]]), False)


def _is_limit(languages: Languages, language: Language) -> bool:
    """Return whether a language has all texts of at most so many bytes, or characters."""
    if language.kind != REPETITION or language.low > 0 or language.high is None:
        return False
    single = language.first
    is_byte: bool = single.kind == BYTES and single.payload == (1 << 256) - 1
    return is_byte or single is languages.any_character


def split_limit(languages: Languages, language: Language) -> tuple[Language, Language] | None:
    """Return (limit, other) of an intersection with a limit of the length; `None` for anything else."""
    if language.kind != INTERSECTION or len(language.items) != 2:
        return None
    limit, other = language.items
    if _is_limit(languages, limit):
        return (limit, other)
    return (other, limit) if _is_limit(languages, other) else None


def extent(languages: Languages, language: Language) -> tuple[int, int | None]:
    """Return bounds of the lengths of the members, in code points, as `bounds` does; of the parts, too."""
    known: dict[Language, tuple[int, int | None]] = {}
    for node in bottom_up(language, known):
        simple = lengths(languages, node)
        if simple is not None:
            known[node] = _part_bounds(languages, node)
            continue
        below = [known[part] for part in operands(node)]
        lows = [low for low, _ in below]
        highs = [high for _, high in below if high is not None]
        is_bounded = len(highs) == len(below)
        if node.kind == CONCATENATION:
            known[node] = (sum(lows), sum(highs) if is_bounded else None)
        elif node.kind == UNION:
            known[node] = (min(lows), max(highs) if is_bounded else None)
        elif node.kind == INTERSECTION:
            known[node] = (max(lows), min(highs, default=None))
        elif node.kind == REPETITION:
            is_bounded = is_bounded and node.high is not None
            known[node] = (node.low * lows[0], (node.high or 0) * highs[0] if is_bounded else None)
        else:
            known[node] = (0, None)
    return known[language]


def largest_tail(languages: Languages, language: Language, limits: bool = False) -> int:
    """Return so many bytes as surely finish a member from wherever it was begun; -1 if it is not that simple.

    For regular expressions without intersection and difference, which can always be finished.

    Args:
        limits: whether parts may be limited in length. So many code points finish a member then: where what
            is left of a limit allows any completion, it allows one that is a shortest without it.
    """
    #: By part: the tail, and the length of its shortest member.
    known: dict[Language, tuple[int, int]] = {}
    for node in bottom_up(language, known):
        kind = node.kind
        if kind in (NOTHING, EMPTY, BYTES):
            found = (1, 0 if kind == EMPTY else 1)
        elif kind == WORDS:
            words, start, stop, depth = node.payload
            sizes = [len(words[index]) - depth for index in range(start, stop)]
            found = (max(sizes), min(sizes))
        elif kind == CONCATENATION:
            (tail, first), (other_tail, second) = known[node.first], known[node.second]
            found = (max(tail + second, other_tail), first + second)
        elif kind == UNION:
            found = (max(known[part][0] for part in node.items), min(known[part][1] for part in node.items))
        elif kind == REPETITION:
            tail, first = known[node.first]
            found = (tail + node.low * first, node.low * first)
        else:
            parts = split_limit(languages, node) if limits else None
            if parts is None:
                return -1
            found = known[parts[1]]
        known[node] = found
    return known[language][0]


def estimate(language: Language) -> int:
    """Return a guess at the number of bytes of a member: an intersection has to meet each of its parts."""
    if language.kind == INTERSECTION:
        return sum(least(part)[0] for part in language.items)
    if language.kind == DIFFERENCE:
        return estimate(language.first)
    if language.kind == UNION:
        return min(
            sum(least(part)[0] for part in one.items) if one.kind == INTERSECTION else least(one)[0]
            for one in language.items
        )
    return least(language)[0]


def bounds(languages: Languages, language: Language) -> tuple[int, int | None]:
    """Return bounds of the lengths of the members, in code points; they need not be met.

    Where the upper one is below the lower one there are no members.
    """
    found = [_bounds(languages, one) for one in _alternatives(language)]
    highest = [high for _, high in found]
    return (
        min([low for low, _ in found]),
        None if None in highest else max([high for high in highest if high is not None]),
    )


def _alternatives(language: Language) -> tuple[Language, ...]:
    while language.kind == DIFFERENCE:
        language = language.first
    return language.items if language.kind == UNION else (language,)


def _bounds(languages: Languages, language: Language) -> tuple[int, int | None]:
    low = 0
    high: int | None = None
    for part in language.items if language.kind == INTERSECTION else (language,):
        first, last = _part_bounds(languages, part)
        low = max(low, first)
        if last is not None and (high is None or last < high):
            high = last
    return (low, high)


def _part_bounds(languages: Languages, part: Language) -> tuple[int, int | None]:
    known = lengths(languages, part)
    if not known:
        return (0, None if known is None else -1)
    longest = [last for _, last, _ in known]
    return (known[0][0], None if None in longest else max([last for last in longest if last is not None]))


def demands(languages: Languages, language: Language) -> tuple[int, int]:
    """Return a guess at what a language still asks for, the less the more room there is to meet it.

    Parts of bounded length are room, the others ask for their shortest members. `estimate` is in a
    hurry to use the room up; here comes first what is asked for, then the end. In code points.
    """
    return min([_demands(languages, one) for one in _alternatives(language)])


def _demands(languages: Languages, language: Language) -> tuple[int, int]:
    asked = 0
    room: int | None = None
    for part in language.items if language.kind == INTERSECTION else (language,):
        first, last = _part_bounds(languages, part)
        if last is None:
            asked += first
        elif room is None or last < room:
            room = last
    if room is None:
        return (asked, 0)
    # Members of several parts may overlap, so that there is little room for all of them is no proof.
    return (asked + _LACK * max(0, asked - room), -room)


def shortest(language: Language) -> bytes:
    """Return a shortest member, of preferred bytes, of a language for which `least` is exact."""
    if least(language)[0] > _LONGEST_WORD:
        raise LimitExceeded("the shortest text is too long to be written down", limit=_LONGEST_WORD)
    word = bytearray()
    pending = [language]
    while pending:
        node = pending.pop()
        kind = node.kind
        if node.nullable:
            continue
        if kind == BYTES:
            word.append(next(byte for byte in PREFERENCE if node.payload >> byte & 1))
        elif kind == CONCATENATION:
            pending.append(node.second)
            pending.append(node.first)
        elif kind == UNION:
            pending.append(min(node.items, key=_first_choice))
        elif kind == REPETITION:
            # Nested counters would otherwise be spelled out by the stack.
            if node.first.kind == BYTES:
                pending.extend([node.first] * node.low)
            else:
                word += shortest(node.first) * node.low
        elif kind == MACHINE:
            machine, state = node.payload
            word += machine.completion(state)
        else:
            words, start, stop, depth = node.payload
            size = node.least[0] + depth
            tails = [found[depth:] for found in words[start:stop] if len(found) == size]
            word += min(tails, key=lambda tail: [RANK[byte] for byte in tail])
    return bytes(word)


def _first_choice(language: Language) -> tuple[int, bool, int]:
    """Order alternatives: the shortest, then the one that was written first."""
    bound, exact = least(language)
    return (bound, not exact, language.number)
