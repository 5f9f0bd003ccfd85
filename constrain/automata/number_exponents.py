"""The exponents that turn a significand into a wanted number: a few ranges of integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from constrain.automata.number_lattices import FINEST

__all__ = ["Exponents"]

_FAR = -FINEST

#: The first and the last exponent of a range, and its verdict.
Range = tuple[int, int, int]


class Exponents:
    """Ranges of wanted exponents, ascending; equal sets are equal values.

    Attributes:
        ranges: the outermost ones extend to plus or minus infinity if all exponents beyond are wanted.
        settled: an absolute value from which on nothing changes any more.
    """

    __slots__ = ("_hash", "_sizes", "ranges", "settled")

    def __init__(self, ranges: tuple[Range, ...]) -> None:
        self.ranges = ranges
        self._hash = hash(ranges)
        edges = [abs(edge) for low, high, _ in ranges for edge in (low, high) if abs(edge) != _FAR]
        self.settled = max(edges, default=0) + 1
        positive = [(max(low, 0), high, outcome) for low, high, outcome in ranges if high >= 0]
        negative = [(max(-high, 0), -low, outcome) for low, high, outcome in reversed(ranges) if low <= 0]
        self._sizes = (positive, negative)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Exponents) and self.ranges == other.ranges)

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def of(cls, changes: Iterable[int], verdict: Callable[[int], int], far: int) -> Exponents:
        """Collect the wanted exponents from `-far` to `far`.

        Args:
            changes: all exponents whose verdict may differ from that of their predecessor.
            verdict: -1 for an unwanted exponent.
        """
        starts = [-far, *sorted({change for change in changes if -far < change <= far})]
        ranges: list[Range] = []
        for index, start in enumerate(starts):
            outcome = verdict(start)
            if outcome < 0:
                continue
            low = -_FAR if index == 0 else start
            high = starts[index + 1] - 1 if index + 1 < len(starts) else _FAR
            if ranges and ranges[-1][1] == low - 1 and ranges[-1][2] == outcome:
                low = ranges.pop()[0]
            ranges.append((low, high, outcome))
        return cls(tuple(ranges))

    def verdict(self, exponent: int) -> int:
        """Return the verdict on one exponent."""
        for low, high, outcome in self.ranges:
            if low <= exponent <= high:
                return outcome
        return -1

    def rest(self, negative: bool, value: int, left: int) -> tuple[Range, ...]:
        """Return what the digits that follow may be; equal for equal sets of completions.

        Each range is of the numbers that so many more digits spell; they are told apart by
        `10 ** digits`, which is added.

        Args:
            negative: whether the exponent is.
            value: what was read of its absolute value.
            left: how many digits may follow.
        """
        found = []
        power = 1
        for _ in range(left + 1):
            low = value * power
            for first, last, outcome in self._sizes[negative]:
                if first < low + power and last >= low:
                    found.append((power + max(first - low, 0), power + min(last - low, power - 1), outcome))
            power *= 10
        return tuple(found)

    def completion(self, negative: bool, value: int, complete: bool, left: int) -> str | None:
        """Return a shortest string of digits that completes a wanted exponent.

        Args:
            negative: whether the exponent is.
            value: what was read of its absolute value.
            complete: whether the exponent may end here.
            left: how many digits may follow.
        """
        sizes = self._sizes[negative]
        if not sizes:
            return None
        power = 1
        for count in range(left + 1):
            low = value * power
            if count or complete:
                for first, last, _ in sizes:
                    size = max(first, low)
                    if size <= min(last, low + power - 1):
                        return str(size - low).zfill(count) if count else ""
            if low > self.settled or power > self.settled:
                # Longer exponents have the verdict of this one, or a smaller one was wanted.
                return None
            power *= 10
        return None
