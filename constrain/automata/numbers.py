"""JSON numbers as a lazy byte automaton: exactly the texts whose value is wanted.

The texts are those of RFC 8259, section 6; values are exact decimals, and -0 is 0. A state
remembers only what the future depends on: the sign; the place in the grammar; how the digits
compare with those of the constants; the position of the point; the remainder of the digits by
the divisors, and their trailing zeros; behind `e` the exponents that are wanted. Powers of ten
are never built from the text, so `1e999999999` costs what its characters cost.

**The bounded text policy** caps the parts of a text, independently of each other. With n the
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

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from constrain.automata.number_atoms import (
    AtLeast,
    Atom,
    IntegerText,
    MoreThan,
    MultipleOf,
    OneOf,
    exact,
)
from constrain.automata.number_exponents import Exponents
from constrain.automata.number_lattices import FINEST, Scaled, least_common_multiple
from constrain.automata.number_sets import Completion, Figures, HalfLine, Lattices, Reach
from constrain.automata.table_cy import DEAD, UNKNOWN, TableAutomaton

__all__ = [
    "ALPHABET",
    "AtLeast",
    "Atom",
    "Caps",
    "IntegerText",
    "MoreThan",
    "MultipleOf",
    "NumberAutomaton",
    "OneOf",
    "exact",
]

#: The bytes that occur in numbers.
ALPHABET = b"+-.0123456789Ee"

_FAR = -FINEST

# Places in the grammar. The zero places are those where no digit but 0 was read.
_START: Final = 0
_MINUS: Final = 1
_ZERO: Final = 2
_INTEGER: Final = 3
_ZERO_POINT: Final = 4
_POINT: Final = 5
_ZERO_FRACTION: Final = 6
_FRACTION: Final = 7
_E: Final = 8
_E_SIGN: Final = 9
_EXPONENT: Final = 10

_DOT: Final = 0x2E
_SMALL_E: Final = 0x65
_LARGE_E: Final = 0x45

#: The bytes that may follow each place, before anything is known about values.
_FOLLOWERS: Final[tuple[bytes, ...]] = (
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


class Caps(NamedTuple):
    """How many digits the parts of a text may have."""

    whole: int
    places: int
    exponent: int

    @property
    def largest_exponent(self) -> int:
        return _FAR if self.exponent == _FAR else 10**self.exponent - 1


class _Position(NamedTuple):
    """What a state stands for, up to `e`.

    Attributes:
        phase: the place in the grammar.
        side: 0 for positive numbers, 1 for negative ones.
        figures: the significant digits.
        places: the number of digits behind the point.
    """

    phase: int
    side: int
    figures: Figures
    places: int


class _Power(NamedTuple):
    """What a state stands for, from `e` on: the wanted exponents, and the one read so far."""

    phase: int
    exponents: Exponents
    negative: bool
    value: int
    left: int


_NOTHING = Figures(0, 0, 0, 0, 0, 0)


class NumberAutomaton(TableAutomaton):
    """The JSON numbers whose truth vector over `atoms` is wanted.

    Bit i of a truth vector tells whether `atoms[i]` holds. Deterministic, so one run also tells
    which of several tracked combinations a number satisfies.

    Args:
        atoms: the elementary statements.
        goal: whether a number with this vector is wanted.
        tracked: the outcome bits of a wanted number with this vector.
        bounded: the bounded text policy of the module; otherwise every spelling counts.
        max_states: the budget of states.

    Raises:
        LimitExceeded: a constant is out of range, or too many divisors are independent.
        SchemaError: a constant is no decimal number.
    """

    def __init__(
        self,
        atoms: tuple[Atom, ...],
        goal: Callable[[int], bool],
        tracked: Callable[[int], int],
        *,
        bounded: bool,
        max_states: int = 500_000,
    ) -> None:
        super().__init__(max_states)
        verdicts: dict[int, int] = {}

        def verdict(vector: int) -> int:
            known = verdicts.get(vector)
            if known is None:
                known = tracked(vector) if goal(vector) else -1
                verdicts[vector] = known
            return known

        self._verdict = verdict
        self._textual = 0
        self._zero = 0
        for bit, atom in enumerate(atoms):
            if isinstance(atom, IntegerText):
                self._textual |= 1 << bit
            elif _holds_at_zero(atom):
                self._zero |= 1 << bit
        self._lattices = Lattices(atoms)
        self._sides = tuple(
            [HalfLine(atoms, negative, self._lattices, verdict, self._textual) for negative in (False, True)]
        )
        self._bounded = bounded
        self._caps = self._bounded_caps() if bounded else Caps(_FAR, _FAR, _FAR)
        self._positions: list[_Position | _Power] = []
        self._states: dict[tuple[object, ...], int] = {}
        self._exponents: dict[Exponents, Exponents] = {}
        start = _Position(_START, 0, _NOTHING, 0)
        if self._completion(start) is not None:
            self.start = self._new_state(start, -1)

    def _bounded_caps(self) -> Caps:
        whole = places = exponent = 0
        for side in self._sides:
            for digits in side.constants:
                whole = max(whole, digits.magnitude)
                places = max(places, -digits.low, len(digits.text))
                exponent = max(exponent, abs(digits.magnitude), abs(digits.low))
        if self._lattices.divisors:
            common: Scaled = (1, 0)
            for divisor in self._lattices.divisors:
                common = least_common_multiple(common, divisor)
                places = max(places, -divisor[1])
                exponent = max(exponent, abs(divisor[1]))
            magnitude = common[0].bit_length() * 3 // 10 + 1 + common[1] + 2
            whole = max(whole, magnitude)
            exponent = max(exponent, magnitude)
        return Caps(max(25, whole + 2), max(25, places + 2), max(3, len(str(exponent + 2))))

    # States.

    def _new_state(self, position: _Position | _Power, verdict: int) -> int:
        state: int = self.add_state(verdict >= 0, max(verdict, 0))
        self._positions.append(position)
        self.set_transitions(state, 0, 255, DEAD)
        for byte in _FOLLOWERS[position.phase]:
            self.set_transition(state, byte, UNKNOWN)
        return state

    def _state_at(self, position: _Position) -> int:
        phase, side, figures, places = position
        half_line = self._sides[side]
        lattices = self._lattices
        residue: int | None = None
        if figures.first == figures.last:
            residue = figures.coefficient % lattices.modulus
        magnitude = figures.length - places
        key = (
            phase,
            side,
            magnitude if half_line.constants or (phase == _INTEGER and self._bounded) else 0,
            places if self._bounded or lattices.divisors else 0,
            figures.zeros if lattices.divisors else 0,
            residue,
            figures[3:],
        )
        state = self._states.get(key)
        if state is None:
            verdict = self._verdict_at(position)
            if verdict < 0 and self._completion(position) is None:
                state = DEAD
            else:
                state = self._new_state(position, verdict)
            self._states[key] = state
        return state

    def _power_state(self, power: _Power) -> int:
        state = self._states.get(power)
        if state is None:
            state = DEAD
            verdict = -1
            if power.phase == _EXPONENT:
                verdict = power.exponents.verdict(-power.value if power.negative else power.value)
            if verdict >= 0 or self._power_completion(power) is not None:
                state = self._new_state(power, verdict)
            self._states[power] = state
        return state

    def _verdict_at(self, position: _Position) -> int:
        """The verdict on a text that ends here."""
        phase, side, figures, places = position
        textual = self._textual if phase <= _INTEGER else 0
        if phase in (_ZERO, _ZERO_FRACTION):
            return self._verdict(self._zero | textual)
        if phase in (_INTEGER, _FRACTION):
            vector = self._sides[side].vector(figures, figures.length - places)
            exponent = figures.zeros - places
            return self._verdict(vector | self._lattices.bits(figures.coefficient, exponent) | textual)
        return -1

    # Transitions.

    def expand(self, state: int, byte: int) -> int:
        position = self._positions[state]
        if isinstance(position, _Power):
            return self._power_after(position, byte)
        phase, side, figures, _ = position
        if byte in (_SMALL_E, _LARGE_E):
            exponents = self._wanted_exponents(position)
            target = self._power_state(_Power(_E, exponents, False, 0, self._caps.exponent))
            self.set_transition(state, _SMALL_E, target)
            self.set_transition(state, _LARGE_E, target)
            return target
        if byte == _DOT:
            return self._state_at(_Position(_ZERO_POINT if phase == _ZERO else _POINT, side, figures, 0))
        if byte == 0x2D:
            position = _Position(_MINUS, 1, _NOTHING, 0)
            return self._state_at(position)
        if byte == 0x30:
            return self._after_zero(position)
        next_position = self._after_digit(position, byte)
        target = DEAD if next_position is None else self._state_at(next_position)
        followed = figures.last > figures.first if figures.length else bool(self._sides[side].constants)
        if not followed and self._lattices.modulus == 1:
            self.set_transitions(state, 0x31, 0x39, target)
        return target

    def _after_zero(self, position: _Position) -> int:
        phase, side, _, places = position
        if phase <= _MINUS:
            return self._state_at(_Position(_ZERO, side, _NOTHING, 0))
        if phase in (_ZERO_POINT, _ZERO_FRACTION):
            if places >= self._caps.places:
                return DEAD
            return self._state_at(_Position(_ZERO_FRACTION, side, _NOTHING, places + 1))
        next_position = self._after_digit(position, 0x30)
        return DEAD if next_position is None else self._state_at(next_position)

    def _after_digit(self, position: _Position, byte: int) -> _Position | None:
        """The position after a digit of the significand, or `None` if a cap forbids it."""
        phase, side, figures, places = position
        if phase <= _INTEGER:
            if figures.length >= self._caps.whole:
                return None
            phase = _INTEGER
        else:
            if places >= self._caps.places:
                return None
            phase = _FRACTION
            places += 1
        half_line = self._sides[side]
        if figures.length == 0:
            figures = Figures(0, 0, 0, 0, len(half_line.significands), 0)
        first, last, matched = half_line.follow(figures, chr(byte))
        if byte == 0x30:
            coefficient, zeros = figures.coefficient, figures.zeros + 1
        else:
            zeros = 0
            if first != last:
                coefficient = figures.coefficient * 10 ** (figures.zeros + 1) + byte - 0x30
            else:
                residues = self._lattices.residues
                shifted = figures.coefficient * pow(10, figures.zeros + 1, residues)
                coefficient = (shifted + byte - 0x30) % residues
        return _Position(
            phase, side, Figures(figures.length + 1, coefficient, zeros, first, last, matched), places
        )

    def _power_after(self, power: _Power, byte: int) -> int:
        _, exponents, negative, value, left = power
        if byte in (0x2B, 0x2D):
            return self._power_state(_Power(_E_SIGN, exponents, byte == 0x2D, 0, left))
        if left == 0:
            return DEAD
        value = min(value * 10 + byte - 0x30, exponents.settled)
        left = left if left == _FAR else left - 1
        return self._power_state(_Power(_EXPONENT, exponents, negative, value, left))

    def _wanted_exponents(self, position: _Position) -> Exponents:
        """The exponents that make the number that was read a wanted one."""
        phase, side, figures, places = position
        far = self._caps.largest_exponent
        if phase in (_ZERO, _ZERO_FRACTION):
            exponents = Exponents.of([], lambda _: self._verdict(self._zero), far)
        else:
            half_line = self._sides[side]
            magnitude = figures.length - places
            thresholds = [
                (least - figures.zeros + places, bits)
                for least, bits in self._lattices.thresholds(figures.coefficient)
            ]
            changes = [least for least, _ in thresholds]
            for other in half_line.magnitudes():
                changes += (other - magnitude, other - magnitude + 1)

            def verdict(exponent: int) -> int:
                vector = half_line.vector(figures, magnitude + exponent)
                for least, bits in thresholds:
                    if exponent >= least:
                        vector |= bits
                return self._verdict(vector)

            exponents = Exponents.of(changes, verdict, far)
        return self._exponents.setdefault(exponents, exponents)

    # Completions.

    def live_bytes(self, state: int) -> int:
        """Return the bytes that may follow, as a mask: bit b stands for the byte b."""
        live = 0
        for byte in _FOLLOWERS[self._positions[state].phase]:
            if self.step(state, byte) != DEAD:
                live |= 1 << byte
        return live

    def completion(self, state: int) -> bytes:
        """Return a short text that completes a number; empty if the number may end here."""
        if self.accepting(state):
            return b""
        position = self._positions[state]
        if isinstance(position, _Power):
            text = self._power_completion(position)
        else:
            text = self._completion(position, shortest=True)
        if text is None:
            raise AssertionError("a state without a completion")
        return text.encode()

    def _power_completion(self, power: _Power) -> str | None:
        phase, exponents, negative, value, left = power
        text = exponents.completion(negative, value, phase == _EXPONENT, left)
        if text is None and phase == _E:
            text = exponents.completion(True, 0, False, left)
            return None if text is None else "-" + text
        return text

    def _completion(self, position: _Position, shortest: bool = False) -> str | None:
        phase, side, figures, places = position
        if phase <= _MINUS:
            if not shortest and self._verdict(self._zero | self._textual) >= 0:
                return "0"
            if phase == _MINUS and self._sides[side].empty() and self._verdict(self._zero) < 0:
                return None
            texts = self._first_completions(position)
            return min(texts, key=len, default=None) if shortest else next(texts, None)
        if phase in (_ZERO, _ZERO_POINT, _ZERO_FRACTION):
            return self._zero_completion(position)
        caps = self._caps
        far = caps.largest_exponent
        half_line = self._sides[side]
        if phase == _INTEGER:
            room = caps.whole - figures.length
            if self._textual:
                found = half_line.completion(figures, Reach(0, room, _FAR, 0, 0), whole=True)
                if found is not None:
                    return found.suffix.ljust(found.shift, "0")
            if self._bounded:
                reach = Reach(-far, far + room, room, far, caps.places)
            else:
                reach = Reach(-_FAR, _FAR, 0, _FAR, _FAR)
        elif self._bounded:
            reach = Reach(-far - places, far - places, 0, _FAR, caps.places - places)
        else:
            reach = Reach(-_FAR, _FAR, 0, _FAR, _FAR)
        found = half_line.completion(figures, reach, whole=False)
        return None if found is None else self._spelled(position, found)

    def _first_completions(self, position: _Position) -> Iterator[str]:
        """Completions that start with each possible byte of a number."""
        phase, side, _, _ = position
        for byte in b"1234567890":
            following: _Position | None = _Position(_ZERO, side, _NOTHING, 0)
            if byte != 0x30:
                following = self._after_digit(position, byte)
            if following is not None:
                text = "" if self._verdict_at(following) >= 0 else self._completion(following)
                if text is not None:
                    yield chr(byte) + text
        if phase == _START:
            text = self._completion(_Position(_MINUS, 1, _NOTHING, 0))
            if text is not None:
                yield "-" + text

    def _zero_completion(self, position: _Position) -> str | None:
        phase, side, _, places = position
        if self._verdict_at(position) >= 0:
            return ""
        dot = "." if phase == _ZERO else ""
        if self._verdict(self._zero) >= 0:
            return dot + "0"
        if self._sides[side].empty():
            return None
        # Without caps the exponent makes up for any number of zeros.
        last = self._caps.places if self._bounded else places + 1
        for place in range(places, last):
            for byte in b"123456789":
                following = self._after_digit(_Position(_POINT, side, _NOTHING, place), byte)
                if following is not None:
                    done = self._verdict_at(following) >= 0
                    text = "" if done else self._completion(following)
                    if text is not None:
                        return dot + "0" * (place - places) + chr(byte) + text
        return None

    def _spelled(self, position: _Position, found: Completion) -> str:
        """The rest of a text: the digits that are missing, the point and the exponent."""
        shift, suffix = found
        caps = self._caps
        if position.phase != _INTEGER:
            if position.phase == _POINT and not suffix:
                suffix = "0"
            exponent = shift + position.places
            return f"{suffix}e{exponent}" if exponent else suffix
        before = shift
        room = caps.whole - position.figures.length
        plain = 0 <= shift <= min(room, len(suffix) + 5) and len(suffix) - shift <= caps.places
        if not plain:
            before = max(0, len(suffix) - caps.places, shift - caps.largest_exponent)
        text = suffix[:before].ljust(before, "0")
        if len(suffix) > before:
            text += "." + suffix[before:]
        elif self._textual and plain:
            text += ".0"
        return text if plain else f"{text}e{shift - before}"


def _holds_at_zero(atom: Atom) -> bool:
    if isinstance(atom, AtLeast):
        return atom.bound <= 0
    if isinstance(atom, MoreThan):
        return atom.bound < 0
    if isinstance(atom, OneOf):
        return 0 in atom.values
    return True
