"""The wanted numbers of one sign, and whether digits that were read can still become one.

The constants of the schema cut the positive line into points and open gaps; in each of them
every comparison has one answer, and multiples occur in every combination that arithmetic
allows. A prefix is a few leading digits N of which the position of the point may still be open:
its completions are the sets `[N * 10**k, (N + 1) * 10**k)` for the shifts k within reach. A
completion exists exactly if one of these sets meets a wanted part of the line; only the few
shifts at which the answer can change are tried.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from math import lcm
from typing import Any, NamedTuple

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

from constrain.automata.number_atoms import (
    AtLeast,
    Atom,
    Digits,
    MoreThan,
    MultipleOf,
    OneOf,
    Within,
    decimal_text,
    digits_of,
)
from constrain.automata.number_lattices import (
    FINEST,
    Combination,
    Scaled,
    combinations,
    member,
    tens_needed,
)

__all__ = ["Completion", "Figures", "HalfLine", "Lattices", "Reach"]

_FAR = -FINEST
#: No C integers: their powers and shifts have any size.
_ONE: Any = 1
_TEN: Any = 10

#: The verdict on a truth vector: -1 if it is not wanted, else its tracked outcome.
Verdict = Callable[[int], int]


class Reach(NamedTuple):
    """The shifts that a prefix can still get, and how fine a completion can be at each.

    At the shift k, `low <= k <= high`, the completions are the multiples of
    `10 ** (k - min(slack, k + offset) - places)` in `[N * 10**k, (N + 1) * 10**k)`.
    """

    low: int
    high: int
    slack: int
    offset: int
    places: int

    def finest(self, shift: int) -> int:
        """Return the exponent of the finest completion at a shift."""
        return shift - min(self.slack, shift + self.offset) - self.places


@cython.no_gc
@cython.cclass
class Figures:
    """The significant digits that were read: `coefficient * 10 ** zeros`, `length` digits in all.

    Attributes:
        first, last: the constants whose digits start with these have the ranks `first <= rank < last`.
        matched: `length`, but no more than there are digits in the only such constant.
        coefficient: the digits without the trailing zeros; no multiple of ten. Once no constant
            is matched any number will do that is congruent modulo all divisors.
    """

    def __init__(
        self,
        length: cython.int,
        coefficient: int,
        zeros: cython.int,
        first: cython.int,
        last: cython.int,
        matched: cython.int,
    ) -> None:
        self.length = length
        self.coefficient = coefficient
        self.zeros = zeros
        self.first = first
        self.last = last
        self.matched = matched


class Completion(NamedTuple):
    """A wanted number: the prefix, then `suffix`, with the point `shift` digits after the prefix."""

    shift: int
    suffix: str


class _Gap(NamedTuple):
    """A wanted open interval between neighbouring constants, as (magnitude, rank, value) of each."""

    low_magnitude: int
    low_rank: int
    low: Scaled
    high_magnitude: int
    high_rank: int
    high: Scaled
    combinations: tuple[Combination, ...]


@cython.cclass
class Lattices:
    """The divisors among the atoms.

    Attributes:
        divisors: the bits of each divisor.
        modulus: the least common multiple of their coefficients.
        residues: the same of these and ten: digits congruent modulo this behave alike.
    """

    def __init__(self, atoms: tuple[Atom, ...]) -> None:
        self.divisors: dict[Scaled, int] = {}
        self.modulus = 1
        for bit, atom in enumerate(atoms):
            if isinstance(atom, MultipleOf):
                if atom.divisor == 1:
                    divisor = (1, 0)
                else:
                    figures = digits_of(atom.divisor)
                    divisor = (figures.coefficient, figures.low)
                self.divisors[divisor] = self.divisors.get(divisor, 0) | _ONE << bit
                self.modulus = lcm(self.modulus, divisor[0])
        self.residues = lcm(self.modulus, 10)
        self.all_bits = sum(self.divisors.values())
        self.any = combinations(self.divisors, whole=False)
        self._whole: list[Combination] | None = None

    @property
    def whole(self) -> list[Combination]:
        """The combinations that integers have."""
        if self._whole is None:
            self._whole = combinations(self.divisors, whole=True)
        return self._whole

    @cython.ccall
    def thresholds(self, coefficient: Any) -> Any:
        """Return (e, bits): `coefficient * 10 ** e'` is a multiple exactly from e' = e on."""
        found: list[tuple[int, int]] = []
        for (divisor, exponent), bits in self.divisors.items():
            tens = 0 if divisor == 1 else tens_needed(coefficient, divisor)
            if tens >= 0:
                found.append((exponent + tens, bits))
        return found

    @cython.ccall
    def bits(self, coefficient: Any, exponent: Any) -> Any:
        """Return the bits of the divisors of `coefficient * 10 ** exponent`."""
        result: Any = 0
        if self.divisors:
            for least, bits in self.thresholds(coefficient):
                if exponent >= least:
                    result |= bits
        return result


@cython.cclass
class HalfLine:
    """The numbers of one sign, by magnitude.

    Attributes:
        constants: the constants of this sign, ascending.
        own: those of them that the schema has: not the limit of a `Within`.
        significands: their digits, distinct and sorted; the index is the *rank*.
    """

    def __init__(
        self,
        atoms: tuple[Atom | Within, ...],
        negative: bool,
        lattices: Lattices,
        verdict: Verdict,
        textual: int,
    ) -> None:
        base, events = _events(atoms, negative)
        self._verdict = verdict
        self._points: dict[bool, list[list[int]]] = {}
        self._gaps: dict[bool, list[_Gap]] = {}
        order = sorted(events)
        self.constants = [events[key].digits for key in order]
        self.own = [events[key].digits for key in order if events[key].is_own]
        self.significands = sorted({key[1] for key in order})
        ranks = {text: rank for rank, text in enumerate(self.significands)}
        self._ranks = [ranks[key[1]] for key in order]
        self._gap_vectors = [base]
        self._point_vectors = []
        for key in order:
            event = events[key]
            base ^= event.at
            digits = event.digits
            multiple = lattices.bits(digits.coefficient, digits.low)
            self._point_vectors.append(base | event.only | multiple)
            base ^= event.after
            self._gap_vectors.append(base)
        self._groups: dict[int, tuple[int, list[int]]] = {}
        for index, (magnitude, _) in enumerate(order):
            self._groups.setdefault(magnitude, (index, []))[1].append(self._ranks[index])
        self._magnitudes = list(self._groups)
        self._wanted(False, lattices.any, 0)
        if textual:
            self._wanted(True, lattices.whole, textual)

    def _wanted(self, whole: bool, candidates: list[Combination], text: int) -> None:
        verdict = self._verdict
        points: list[list[int]] = [[] for _ in self.significands]
        for index, vector in enumerate(self._point_vectors):
            if (not whole or self.constants[index].low >= 0) and verdict(vector | text) >= 0:
                points[self._ranks[index]].append(index)
        known: dict[int, list[Combination]] = {}
        gaps = []
        end = len(self.constants)
        for index, vector in enumerate(self._gap_vectors):
            wanted = known.get(vector)
            if wanted is None:
                wanted = [c for c in candidates if verdict(vector | c.bits | text) >= 0]
                known[vector] = wanted
            if wanted:
                gap = self._gap(index, end)
                possible = tuple([c for c in wanted if _occurs(c, gap)])
                if possible:
                    gaps.append(gap._replace(combinations=possible))
        self._points[whole] = points
        self._gaps[whole] = gaps

    def _gap(self, index: int, end: int) -> _Gap:
        low_magnitude, low_rank, low = -_FAR, -1, (0, 0)
        if index > 0:
            digits = self.constants[index - 1]
            low_magnitude, low_rank = digits.magnitude, self._ranks[index - 1]
            low = (digits.coefficient, digits.low)
        high_magnitude, high_rank, high = _FAR, -1, (0, 0)
        if index < end:
            digits = self.constants[index]
            high_magnitude, high_rank = digits.magnitude, self._ranks[index]
            high = (digits.coefficient, digits.low)
        return _Gap(low_magnitude, low_rank, low, high_magnitude, high_rank, high, ())

    @cython.ccall
    def empty(self, whole: cython.bint) -> cython.bint:
        """Return whether no number of this sign is wanted.

        Args:
            whole: whether the text is to be nothing but digits.
        """
        return not self._gaps[whole] and not any(self._points[whole])

    def differs(self, other: HalfLine) -> bool:
        """Return whether the sign makes a difference to any number."""
        return bool(self.own or other.own) or self._gap_vectors != other._gap_vectors

    def magnitudes(self) -> list[int]:
        """Return the magnitudes of the constants, ascending."""
        return self._magnitudes

    @cython.ccall
    def matches_constant(self, figures: Figures) -> cython.bint:
        """Return whether the digits, followed by zeros, are those of the constant of the first rank."""
        first = figures.first
        return figures.last > first and figures.matched >= len(self.significands[first])

    @cython.ccall
    def vector(self, figures: Figures, magnitude: Any) -> Any:
        """Return the truth of the comparisons for `0.N * 10 ** magnitude`.

        At a constant the bits of the divisors are in it too.
        """
        if not self.constants:
            return self._gap_vectors[0]
        group = self._groups.get(magnitude)
        if group is None:
            place = bisect_left(self._magnitudes, magnitude)
            if place == len(self._magnitudes):
                return self._gap_vectors[-1]
            return self._gap_vectors[self._groups[self._magnitudes[place]][0]]
        start, ranks = group
        place = bisect_left(ranks, figures.first)
        if place < len(ranks) and ranks[place] == figures.first and self.matches_constant(figures):
            return self._point_vectors[start + place]
        return self._gap_vectors[start + place]

    @cython.ccall
    def follow(self, figures: Figures, digit: str) -> Any:
        """Return `first`, `last` and `matched` after one more digit of the significand."""
        first: cython.int = figures.first
        last: cython.int = figures.last
        low: cython.int
        high: cython.int
        if first == last:
            return first, last, 0
        texts: list[str] = self.significands
        prefix = texts[last - 1][: figures.matched]
        if digit == "0" and self.matches_constant(figures):
            low = first
        else:
            low = bisect_left(texts, prefix + digit, first, last)
        high = bisect_left(texts, prefix + chr(ord(digit) + 1), low, last)
        if low == first and high == first + 1 and digit == "0" and self.matches_constant(figures):
            return low, high, len(texts[low])
        if low == high:
            return low, high, 0
        matched = figures.matched + 1
        return low, high, min(matched, len(texts[low])) if high == low + 1 else matched

    @cython.ccall
    def gap(self, figures: Figures, digit: str) -> Any:
        """Return the first and last digit, as bytes, that compare with the constants as `digit` does.

        Args:
            digit: one, from 1 to 9, that no constant has next.
        """
        first: cython.int = 0
        last: cython.int = len(self.significands)
        matched: cython.int = 0
        rank: cython.int
        low: cython.int = 0x31
        high: cython.int = 0x39
        here: cython.int = ord(digit)
        following: cython.int
        if figures.length:
            first, last, matched = figures.first, figures.last, figures.matched
        for rank in range(first, last):
            text: str = self.significands[rank]
            following = ord(text[matched]) if matched < len(text) else 0x30
            if following < here:
                low = max(low, following + 1)
            elif following > here:
                high = min(high, following - 1)
        return low, high

    @cython.ccall
    def completion(self, figures: Figures, reach: Any, whole: cython.bint) -> Any:
        """Return a wanted number that starts with these digits, or `None` if none is in reach.

        Args:
            whole: whether the text is to be nothing but digits.
        """
        length: cython.int = figures.length
        first: cython.int = figures.first
        last: cython.int = figures.last
        rank: cython.int
        points = self._points[whole]
        for rank in range(first, last):
            for index in points[rank]:
                digits = self.constants[index]
                shift = digits.magnitude - length
                if reach.low <= shift <= reach.high and digits.low >= reach.finest(shift):
                    return Completion(shift, digits.text[length:])
        for gap in self._gaps[whole]:
            low = max(reach.low, gap.low_magnitude - length)
            high = min(reach.high, gap.high_magnitude - length)
            if low > high:
                continue
            for combination in gap.combinations:
                for shift in _shifts(combination, low, high, figures.zeros):
                    found = self._in_gap(figures, gap, combination, shift, reach.finest(shift))
                    if found is not None:
                        return found
        return None

    @cython.cfunc
    def _in_gap(self, figures: Figures, gap: Any, combination: Any, shift: Any, finest: Any) -> Any:
        first: cython.int = figures.first
        last: cython.int = figures.last
        magnitude = figures.length + shift
        cut_low: cython.bint = False
        cut_high: cython.bint = False
        if magnitude == gap.low_magnitude:
            if gap.low_rank >= last:
                return None
            cut_low = gap.low_rank >= first
        if magnitude == gap.high_magnitude:
            if gap.high_rank < first:
                return None
            cut_high = gap.high_rank < last
        if not cut_low and not cut_high and combination.unit is None and not combination.others:
            return Completion(shift, "")
        prefix = figures.coefficient * _TEN**figures.zeros
        lower = gap.low if cut_low else (prefix, shift)
        upper = gap.high if cut_high else (prefix + 1, shift)
        value = member(combination, lower, not cut_low, upper, finest)
        if value is None:
            return None
        more = shift - value[1]
        rest = value[0] - prefix * _TEN**more if more > 0 else 0
        return Completion(shift, decimal_text(rest).zfill(more).rstrip("0") if rest else "")


def _shifts(combination: Combination, low: int, high: int, zeros: int) -> Iterator[int]:
    """The shifts of a prefix with `zeros` trailing zeros at which a gap may first have a member.

    Both ends may be cut by a constant; in between, larger shifts are only ever better for
    the divisors that hold, until those no longer change, and only ever worse for the others.
    """
    if combination.unit is None:
        near = min(max(0, low), high)
        tried = (near, near - 1) if low == -_FAR else (near, near - 1, low, low + 1)
        return (shift for shift in dict.fromkeys(tried) if low <= shift <= high)
    exponent, tens = combination.unit[1], combination.tens
    # Shifts below the unit's exponent leave one candidate, the digits themselves.
    start = max(low, exponent - zeros)
    single = range(start, min(high, exponent - 1, max(exponent - zeros + tens, start + 1)) + 1)
    start = max(low, exponent)
    several = range(start, min(high, max(exponent + 2 * combination.width + tens + 5, start + 1)) + 1)
    return chain(single, several)


def _occurs(combination: Combination, gap: _Gap) -> bool:
    if combination.unit is None or gap.high_magnitude == _FAR:
        return True
    return member(combination, gap.low, False, gap.high, FINEST) is not None


class _Event:
    """What changes at a constant: bits that flip there, behind it, and that hold only there."""

    __slots__ = ("after", "at", "digits", "is_own", "only")

    def __init__(self, digits: Digits) -> None:
        self.digits = digits
        self.at = self.after = self.only = 0
        self.is_own = False


# Every automaton has the same limit, of 309 digits.
_digits_of_limit = lru_cache(maxsize=16)(digits_of)


def _events(atoms: tuple[Atom | Within, ...], negative: bool) -> tuple[int, dict[tuple[int, str], _Event]]:
    """Return the comparisons that hold next to zero, and the events by (magnitude, digits)."""
    base = 0
    events: dict[tuple[int, str], _Event] = {}

    def event(value: Fraction) -> _Event | None:
        if value == 0 or (value < 0) is not negative:
            return None
        return event_at(digits_of(-value if negative else value))

    def event_at(digits: Digits) -> _Event:
        key = (digits.magnitude, digits.text)
        if key not in events:
            events[key] = _Event(digits)
        return events[key]

    for bit, atom in enumerate(atoms):
        mask = _ONE << bit
        if isinstance(atom, OneOf):
            for value in atom.values:
                place = event(value)
                if place is not None:
                    place.only |= mask
                    place.is_own = True
        elif isinstance(atom, AtLeast | MoreThan):
            bound = atom.bound
            if bound < 0 or (bound == 0 and not negative):
                base |= mask
            place = event(bound)
            if place is not None:
                place.is_own = True
                # On the negative side larger magnitudes are smaller numbers.
                if isinstance(atom, AtLeast) is negative:
                    place.after ^= mask
                else:
                    place.at ^= mask
        elif isinstance(atom, Within):
            base |= mask
            event_at(_digits_of_limit(atom.limit)).at ^= mask
    return base, events
