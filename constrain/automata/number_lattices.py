"""Which multiples can a number be at once: sets of lattices, and their members between two bounds.

A decimal is a pair (coefficient, exponent). The multiples of several divisors are the multiples
of their least common multiple, so a set of divisors that hold is described by one `unit`, and
the divisors that fail by the ratios by which a multiple of the unit must not be divisible.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from constrain.errors import LimitExceeded

__all__ = [
    "FINEST",
    "Combination",
    "Scaled",
    "combinations",
    "least_common_multiple",
    "member",
    "tens_needed",
]

#: A coefficient and an exponent of ten.
Scaled = tuple[int, int]

#: An exponent that stands for "as fine as one likes", and its negation for "as large".
FINEST = -(1 << 40)

_MAX_COMBINATIONS = 2_000
_MAX_RUN = 10_000


@dataclass(frozen=True, slots=True)
class Combination:
    """The numbers that are multiples of certain divisors and of no other one.

    Attributes:
        bits: the atoms that hold.
        unit: the members are integer multiples of it; `None` if no divisor holds.
        others: the divisors of which members are no multiples.
        ratios: `n * unit` is a multiple of an other divisor exactly if one of these divides n.
        tens: the decimal shifts after which divisibility by the unit no longer changes.
        width: the number of digits of the unit's coefficient, or one more.
    """

    bits: int
    unit: Scaled | None
    others: tuple[Scaled, ...]
    ratios: tuple[int, ...]
    tens: int
    width: int


def combinations(divisors: dict[Scaled, int], whole: bool) -> list[Combination]:
    """Return every combination of the divisors that some decimal has.

    Args:
        divisors: the bits of each divisor; coefficients are no multiples of ten.
        whole: only integers are considered.

    Raises:
        LimitExceeded: there are too many combinations.
    """
    closed: dict[frozenset[Scaled], Scaled | None] = {frozenset(): None}
    for divisor in divisors:
        for unit in list(closed.values()):
            common = divisor if unit is None else least_common_multiple(unit, divisor)
            closed[frozenset(d for d in divisors if _divides(d, common))] = common
        if len(closed) > _MAX_COMBINATIONS:
            raise LimitExceeded(
                "too many divisors of one number are independent of each other",
                keyword="multipleOf",
                limit=_MAX_COMBINATIONS,
            )
    found = []
    for holding, unit in closed.items():
        others = tuple(d for d in divisors if d not in holding)
        if whole:
            unit = (1, 0) if unit is None else least_common_multiple(unit, (1, 0))
        ratios = () if unit is None else _ratios(unit, others)
        if 1 in ratios:
            continue
        coefficient = 1 if unit is None else unit[0]
        found.append(
            Combination(
                bits=sum(divisors[d] for d in holding),
                unit=unit,
                others=others,
                ratios=ratios,
                tens=0 if unit is None else max(_power(coefficient, 2), _power(coefficient, 5)),
                width=coefficient.bit_length() * 3 // 10 + 1,
            )
        )
    return found


def member(
    combination: Combination, lower: Scaled, inclusive: bool, upper: Scaled, finest: int
) -> Scaled | None:
    """Return a member of the combination from `lower` up to, but without, `upper`.

    Args:
        lower: not negative.
        inclusive: whether the member may be `lower` itself.
        finest: the member is a multiple of `10 ** finest`.
    """
    if combination.unit is not None:
        unit = combination.unit
        if finest <= unit[1]:
            return _multiple(unit, combination.ratios, lower, inclusive, upper)
        unit = least_common_multiple(unit, (1, finest))
        return _multiple(unit, _ratios(unit, combination.others), lower, inclusive, upper)
    # A short member is tried first; one digit below everything in sight there always is one.
    short = upper[1] - 1
    fine = min(upper[1], lower[1], *(other[1] for other in combination.others)) - 1
    for exponent in dict.fromkeys((max(short, finest), max(fine, finest))):
        unit = (1, exponent)
        found = _multiple(unit, _ratios(unit, combination.others), lower, inclusive, upper)
        if found is not None:
            return found
    return None


def _multiple(
    unit: Scaled, ratios: tuple[int, ...], lower: Scaled, inclusive: bool, upper: Scaled
) -> Scaled | None:
    if 1 in ratios:
        return None
    first, rest = _quotient(lower, unit)
    if rest or not inclusive:
        first += 1
    last, rest = _quotient(upper, unit)
    if not rest:
        last -= 1
    # Among a few consecutive integers one is divisible by none of the ratios (Jacobsthal 1961).
    for factor in range(first, min(last, first + _MAX_RUN) + 1):
        for ratio in ratios:
            if factor % ratio == 0:
                break
        else:
            return factor * unit[0], unit[1]
    if last > first + _MAX_RUN:
        raise LimitExceeded("no number that avoids all divisors was found", limit=_MAX_RUN)
    return None


def least_common_multiple(left: Scaled, right: Scaled) -> Scaled:
    """Return the smallest decimal that is a multiple of both; its coefficient is no multiple of ten."""
    exponent = min(left[1], right[1])
    a = left[0] * 10 ** (left[1] - exponent)
    b = right[0] * 10 ** (right[1] - exponent)
    common = a // gcd(a, b) * b
    tens = min(_power(common, 2), _power(common, 5))
    return common // 10**tens, exponent + tens


def tens_needed(number: int, divisor: int) -> int:
    """Return the least n with `number * 10 ** n` divisible by `divisor`, or -1 if there is none."""
    rest = divisor // gcd(number, divisor)
    tens = max(_power(rest, 2), _power(rest, 5))
    return tens if 10**tens % rest == 0 else -1


def _quotient(value: Scaled, unit: Scaled) -> tuple[int, int]:
    shift = value[1] - unit[1]
    tens: int = 10 ** abs(shift)
    return divmod(value[0] * tens, unit[0]) if shift >= 0 else divmod(value[0], unit[0] * tens)


def _divides(divisor: Scaled, value: Scaled) -> bool:
    return _quotient(value, divisor)[1] == 0


def _ratios(unit: Scaled, others: tuple[Scaled, ...]) -> tuple[int, ...]:
    return tuple([_quotient(least_common_multiple(unit, other), unit)[0] for other in others])


def _power(number: int, prime: int) -> int:
    """How often a prime divides a number; the number of divisions is logarithmic in that."""
    if prime == 2:
        return (number & -number).bit_length() - 1
    factors = []
    factor = prime
    while number % factor == 0:
        factors.append(factor)
        number //= factor
        factor *= factor
    power = (1 << len(factors)) - 1
    for index in range(len(factors) - 1, -1, -1):
        if number % factors[index] == 0:
            number //= factors[index]
            power += 1 << index
    return power
