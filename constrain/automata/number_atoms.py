"""The elementary statements about a JSON number, and exact decimals.

A decimal is kept as `coefficient * 10 ** exponent`. Magnitudes are compared as integers and
digits as text, so that a constant like `1e9000` costs what its digits cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from constrain.errors import LimitExceeded, SchemaError

__all__ = [
    "MAX_EXPONENT",
    "AtLeast",
    "Atom",
    "Digits",
    "IntegerText",
    "MoreThan",
    "MultipleOf",
    "OneOf",
    "Within",
    "decimal_text",
    "digits_of",
    "exact",
]

#: Constants of a schema lie between `10 ** -MAX_EXPONENT` and `10 ** MAX_EXPONENT`.
MAX_EXPONENT = 10_000


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The value is `bound` or more."""

    bound: Fraction


@dataclass(frozen=True, slots=True)
class MoreThan:
    """The value is more than `bound`."""

    bound: Fraction


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of `values`."""

    values: frozenset[Fraction]


@dataclass(frozen=True, slots=True)
class MultipleOf:
    """The value is an integer times `divisor`, which is positive; `MultipleOf(1)` is "an integer"."""

    divisor: Fraction


@dataclass(frozen=True, slots=True)
class IntegerText:
    """The text has neither a fraction nor an exponent: an integer as draft 4 means it."""


@dataclass(frozen=True, slots=True)
class Within:
    """The absolute value is less than `limit`, which is positive."""

    limit: Fraction


Atom = AtLeast | MoreThan | OneOf | MultipleOf | IntegerText


def exact(value: int | float | Decimal | Fraction) -> Fraction:
    """Return the number that a schema means by `value`; a float is what its shortest spelling says.

    Raises:
        LimitExceeded: the number is beyond `10 ** MAX_EXPONENT`, or finer than `10 ** -MAX_EXPONENT`.
        SchemaError: not a finite number.
    """
    if isinstance(value, int):
        if value.bit_length() > 3.33 * MAX_EXPONENT:
            raise _too_far()
        return Fraction(value)
    if isinstance(value, Fraction):
        return value
    decimal = Decimal(repr(value)) if isinstance(value, float) else value
    if not decimal.is_finite():
        raise SchemaError(f"{value!r} is not a JSON number")
    if not decimal:
        return Fraction(0)
    _, figures, exponent = decimal.as_tuple()
    assert isinstance(exponent, int)
    if exponent < -MAX_EXPONENT or exponent + len(figures) > MAX_EXPONENT:
        raise _too_far()
    return Fraction(decimal)


class Digits(NamedTuple):
    """A positive decimal, `coefficient * 10 ** low = 0.text * 10 ** magnitude`, without trailing zeros.

    Decimals are ordered as their pairs (magnitude, text).
    """

    magnitude: int
    text: str
    coefficient: int
    low: int


def digits_of(value: Fraction) -> Digits:
    """Return the digits of a positive number with a finite decimal expansion.

    Raises:
        LimitExceeded: as `exact`.
        SchemaError: the expansion is infinite.
    """
    numerator, denominator = value.numerator, value.denominator
    places = 0
    if denominator != 1:
        twos = (denominator & -denominator).bit_length() - 1
        rest = denominator >> twos
        fives = round(math.log(rest, 5)) if rest > 1 else 0
        if fives > MAX_EXPONENT or twos > MAX_EXPONENT:
            raise _too_far()
        if 5**fives != rest:
            raise SchemaError(f"{value} is not a decimal number")
        places = max(twos, fives)
        numerator = numerator * 10**places // denominator
    if numerator.bit_length() > 6.66 * MAX_EXPONENT:
        raise _too_far()
    whole = decimal_text(numerator)
    text = whole.rstrip("0")
    zeros = len(whole) - len(text)
    return Digits(len(whole) - places, text, numerator // 10**zeros if zeros else numerator, zeros - places)


def decimal_text(number: int) -> str:
    """Return the digits of a number that is not negative, however many they are."""
    # str() refuses integers of more than 4,300 digits; Decimal spells them.
    return str(number) if number.bit_length() < 13_000 else str(Decimal(number))


def _too_far() -> LimitExceeded:
    return LimitExceeded(
        f"a number beyond 1e{MAX_EXPONENT} or finer than 1e-{MAX_EXPONENT}", limit=MAX_EXPONENT
    )
