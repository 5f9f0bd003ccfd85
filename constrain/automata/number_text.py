"""The grammar of JSON numbers, and the text policy: how many digits a part may have, and how large a value.

**The bounded text policy** admits the numbers that a reader of IEEE 754 doubles takes for finite:
absolute values below 2**1024 - 2**970, from which on rounding to nearest gives infinity, which is no
JSON value. Small numbers have no such end: one that a double rounds to 0 is a number that lost
digits, as every text of more than 17 digits is. A schema that speaks of numbers beyond the
doubles - a constant, or a million multiples of all divisors next to its largest constant - is
about something else than doubles, and has no limit.

The policy also caps the parts of a text, independently of each other. With n the
digits that the constants of the schema have before or behind the point, as the case may be:

- before the point at most max(25, n + 2) digits,
- behind the point at most max(25, n + 2) digits; n also counts all digits of a constant, so that
  its spelling `d.ddde+x` is within the cap,
- in the exponent at most 3 digits, or as many as the exponent of a constant has.

n of a divisor is that of the least common multiple of all divisors, with two digits more. Hence a
set of numbers that is not empty keeps a plain spelling of some member, and a constant keeps its plain and
its exponent spelling; so do all floats as `repr` and `json.dumps` spell them, and all integers of 25 digits.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from constrain.automata.number_atoms import AtLeast, Atom, MoreThan, OneOf, Within
from constrain.automata.number_exponents import Exponents
from constrain.automata.number_lattices import FINEST, Scaled, least_common_multiple
from constrain.automata.number_sets_cy import Completion, HalfLine, Lattices, Reach

if TYPE_CHECKING:
    from constrain.automata.numbers_cy import Position

__all__ = [
    "EXPONENT",
    "E_SIGN",
    "FOLLOWERS",
    "FRACTION",
    "INTEGER",
    "MINUS",
    "POINT",
    "START",
    "ZERO",
    "ZERO_FRACTION",
    "ZERO_POINT",
    "Caps",
    "E",
    "Power",
    "largest_values",
]

_FAR = -FINEST

#: The numbers that round to a finite double. The half-way point to 2**1024 rounds to even: up.
_DOUBLES: Final = Within(Fraction(2**1024 - 2**970))
_LARGEST_DOUBLE: Final = Fraction(sys.float_info.max)
# So many multiples of all divisors remain below the limit: more than arrays have distinct items.
_SPARE: Final = 10**6

# Places in the grammar. The zero places are those where no digit but 0 was read.
START: Final = 0
MINUS: Final = 1
ZERO: Final = 2
INTEGER: Final = 3
ZERO_POINT: Final = 4
POINT: Final = 5
ZERO_FRACTION: Final = 6
FRACTION: Final = 7
E: Final = 8
E_SIGN: Final = 9
EXPONENT: Final = 10

#: The bytes that may follow each place, before anything is known about values.
FOLLOWERS: Final[tuple[bytes, ...]] = (
    b"-0123456789",
    b"0123456789",
    b".eE",
    b"0123456789.eE",
    b"0123456789",
    b"0123456789",
    b"0123456789eE",
    b"0123456789eE",
    b"+-0123456789",
    b"0123456789",
    b"0123456789",
)


class Power(NamedTuple):
    """What a state stands for, from `e` on: the wanted exponents, and the one read so far."""

    phase: int
    exponents: Exponents
    negative: bool
    value: int
    left: int


class Caps(NamedTuple):
    """How many digits the parts of a text may have."""

    whole: int
    places: int
    exponent: int

    @property
    def largest_exponent(self) -> int:
        return _FAR if self.exponent == _FAR else 10**self.exponent - 1

    @classmethod
    def needed_by(cls, sides: Iterable[HalfLine], lattices: Lattices) -> Caps:
        """Return the caps of the bounded text policy."""
        whole = places = exponent = 0
        for side in sides:
            for digits in side.own:
                whole = max(whole, digits.magnitude)
                places = max(places, -digits.low, len(digits.text))
                exponent = max(exponent, abs(digits.magnitude), abs(digits.low))
        if lattices.divisors:
            common = _common_multiple(lattices)
            for divisor in lattices.divisors:
                places = max(places, -divisor[1])
                exponent = max(exponent, abs(divisor[1]))
            magnitude = common[0].bit_length() * 3 // 10 + 1 + common[1] + 2
            whole = max(whole, magnitude)
            exponent = max(exponent, magnitude)
        return cls(max(25, whole + 2), max(25, places + 2), max(3, len(str(exponent + 2))))

    def reach(self, position: Position) -> Reach:
        """Return where the point can still get, behind the first significant digit."""
        if self.exponent == _FAR:
            return Reach(-_FAR, _FAR, 0, _FAR, _FAR)
        far = self.largest_exponent
        places = position.places
        if position.phase == INTEGER:
            room = self.whole - position.figures.length
            return Reach(-far, far + room, room, far, self.places)
        return Reach(-far - places, far - places, 0, _FAR, self.places - places)

    def spelled(self, position: Position, found: Completion, textual: bool) -> str:
        """The rest of a text: the digits that are missing, the point and the exponent.

        Args:
            textual: whether the text must have a fraction or an exponent.
        """
        shift, suffix = found
        if position.phase != INTEGER:
            if position.phase == POINT and not suffix:
                suffix = "0"
            exponent = shift + position.places
            return f"{suffix}e{exponent}" if exponent else suffix
        before = shift
        room = self.whole - position.figures.length
        plain = 0 <= shift <= min(room, len(suffix) + 5) and len(suffix) - shift <= self.places
        if not plain:
            before = max(0, len(suffix) - self.places, shift - self.largest_exponent)
        text = suffix[:before].ljust(before, "0")
        if len(suffix) > before:
            text += "." + suffix[before:]
        elif textual and plain:
            text += ".0"
        return text if plain else f"{text}e{shift - before}"


def largest_values(atoms: Iterable[Atom], lattices: Lattices) -> Within | None:
    """Return the limit of the bounded text policy, or `None` if the constants lie beyond it.

    This depends on the constants alone, and more of them only ever lift the limit: a number that
    one formula can have is thus not lost in another one that contains it.
    """
    largest = Fraction(0)
    for atom in atoms:
        if isinstance(atom, OneOf):
            largest = max(largest, *map(abs, atom.values)) if atom.values else largest
        elif isinstance(atom, AtLeast | MoreThan):
            largest = max(largest, abs(atom.bound))
    if lattices.divisors:
        coefficient, exponent = _common_multiple(lattices)
        largest += _SPARE * coefficient * Fraction(10) ** exponent
    return None if largest > _LARGEST_DOUBLE else _DOUBLES


def _common_multiple(lattices: Lattices) -> Scaled:
    """Return the least common multiple of all divisors and 1."""
    common: Scaled = (1, 0)
    for divisor in lattices.divisors:
        common = least_common_multiple(common, divisor)
    return common
