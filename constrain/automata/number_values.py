"""The values of a number formula, where they are few: for arrays whose items have to differ.

Between two constants of the formula its truth depends on divisibility alone: either numbers of no
divisor are wanted, of which there is no end, or only multiples are, and those can be listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm

from constrain.automata.number_atoms import AtLeast, Atom, IntegerText, MoreThan, MultipleOf, OneOf
from constrain.errors import LimitExceeded

__all__ = ["few_numbers"]

_MAX_CANDIDATES = 200_000


def few_numbers(atoms: tuple[Atom, ...], wanted: Callable[[int], bool], limit: int) -> list[Fraction] | None:
    """Return the wanted values if they are at most `limit`, else `None`.

    Args:
        atoms: the elementary statements; bit i of a vector tells whether `atoms[i]` holds.
        wanted: whether a number with this vector is wanted.

    Raises:
        LimitExceeded: too many multiples would have to be tried.
    """
    constants: set[Fraction] = set()
    divisors: list[Fraction] = []
    for atom in atoms:
        if isinstance(atom, AtLeast | MoreThan):
            constants.add(atom.bound)
        elif isinstance(atom, OneOf):
            constants |= atom.values
        elif isinstance(atom, MultipleOf):
            divisors.append(atom.divisor)
        else:
            divisors.append(Fraction(1))

    def is_wanted(value: Fraction) -> bool:
        return any(wanted(vector) for vector in _vectors(atoms, value))

    found = [value for value in sorted(constants) if is_wanted(value)]
    if len(found) > limit:
        return None
    edges: list[Fraction | None] = [None, *sorted(constants), None]
    for low, high in pairwise(edges):
        inside = _between(low, high)
        if wanted(_generic_vector(atoms, inside)):
            return None
        period = _period(divisors)
        seen: set[Fraction] = set()
        for divisor in divisors:
            for value in _multiples(divisor, low, high, period):
                if value not in seen and is_wanted(value):
                    if low is None or high is None:
                        # What holds for one multiple beyond all constants holds in every period.
                        return None
                    seen.add(value)
                    if len(found) + len(seen) > limit:
                        return None
        found += sorted(seen)
    return found


def _vectors(atoms: tuple[Atom, ...], value: Fraction) -> list[int]:
    """Return the truth vectors of the spellings of a number."""
    vector = 0
    textual = 0
    for bit, atom in enumerate(atoms):
        if isinstance(atom, IntegerText):
            textual |= (value.denominator == 1) << bit
        elif isinstance(atom, AtLeast):
            vector |= (value >= atom.bound) << bit
        elif isinstance(atom, MoreThan):
            vector |= (value > atom.bound) << bit
        elif isinstance(atom, OneOf):
            vector |= (value in atom.values) << bit
        else:
            vector |= ((value / atom.divisor).denominator == 1) << bit
    return [vector, vector | textual] if textual else [vector]


def _generic_vector(atoms: tuple[Atom, ...], inside: Fraction) -> int:
    """Return the vector of the numbers around `inside` that are multiples of nothing."""
    vector = 0
    for bit, atom in enumerate(atoms):
        if isinstance(atom, AtLeast):
            vector |= (inside >= atom.bound) << bit
        elif isinstance(atom, MoreThan):
            vector |= (inside > atom.bound) << bit
    return vector


def _between(low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is None:
        return Fraction(0) if high is None else high - 1
    return low + 1 if high is None else (low + high) / 2


def _period(divisors: list[Fraction]) -> Fraction:
    """Return the least common multiple of all divisors."""
    period = Fraction(1)
    for index, divisor in enumerate(divisors):
        if index == 0:
            period = divisor
        else:
            period = Fraction(
                lcm(period.numerator, divisor.numerator), gcd(period.denominator, divisor.denominator)
            )
    return period


def _multiples(
    divisor: Fraction, low: Fraction | None, high: Fraction | None, period: Fraction
) -> Iterator[Fraction]:
    """Yield the multiples strictly inside an interval: all of a bounded one, else a period of them."""
    begin = low if low is not None else (Fraction(0) if high is None else high - period - divisor)
    end = high if low is not None and high is not None else begin + period + divisor
    number = begin / divisor
    factor = number.numerator // number.denominator + 1
    n_tried = 0
    while factor * divisor < end or (high is None and factor * divisor == end):
        n_tried += 1
        if n_tried > _MAX_CANDIDATES:
            raise LimitExceeded("too many multiples to find the values of a number", limit=_MAX_CANDIDATES)
        yield factor * divisor
        factor += 1
