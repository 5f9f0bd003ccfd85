"""JSON numbers as a lazy byte automaton: exactly the texts whose value is wanted.

The texts are those of RFC 8259, section 6; values are exact decimals, and -0 is 0. A state
remembers only what the future depends on: the sign; the place in the grammar; how the digits
compare with those of the constants; the position of the point; the remainder of the digits by
the divisors, and their trailing zeros; behind `e` the exponents that are wanted. Powers of ten
are never built from the text, so `1e999999999` costs what its characters cost.

The bounded text policy is defined in `number_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.number_sets_cy import Figures, HalfLine, Lattices
    from cython.cimports.constrain.automata.table_cy import TableAutomaton
else:
    from constrain.automata.number_sets_cy import Figures, HalfLine, Lattices
    from constrain.automata.table_cy import TableAutomaton

from constrain.automata.number_atoms import (
    AtLeast,
    Atom,
    IntegerText,
    MoreThan,
    MultipleOf,
    OneOf,
    Within,
    exact,
)
from constrain.automata.number_exponents import Exponents
from constrain.automata.number_lattices import FINEST
from constrain.automata.number_sets_cy import Reach
from constrain.automata.number_text import (
    E_SIGN,
    EXPONENT,
    FOLLOWERS,
    FRACTION,
    INTEGER,
    MINUS,
    POINT,
    START,
    ZERO,
    ZERO_FRACTION,
    ZERO_POINT,
    Caps,
    E,
    Power,
    largest_values,
)
from constrain.automata.table_cy import DEAD

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
    "Position",
    "Within",
    "exact",
    "number_automaton",
]

#: The bytes that occur in numbers.
ALPHABET = b"+-.0123456789Ee"

_FAR = -FINEST

_DOT: Final = 0x2E
_SMALL_E: Final = 0x65
_LARGE_E: Final = 0x45

#: No C integers: their powers and shifts have any size.
_ONE: Any = 1
_TEN: Any = 10

_NOTHING = Figures(0, 0, 0, 0, 0, 0)


@cython.no_gc
@cython.cclass
class Position:
    """What a state stands for, up to `e`.

    Attributes:
        phase: the place in the grammar.
        side: the index of the half-line.
        figures: the significant digits.
        places: the number of digits behind the point.
    """

    def __init__(self, phase: cython.int, side: cython.int, figures: Figures, places: cython.int) -> None:
        self.phase = phase
        self.side = side
        self.figures = figures
        self.places = places


@cython.cclass
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
        self._lattices = Lattices(atoms)
        self._bounded = bounded
        limit = self._limit(atoms) if bounded else None
        # The policy's limit is one more atom, which every wanted number satisfies.
        within = 0 if limit is None else _ONE << len(atoms)
        verdicts: dict[int, int] = {}

        def verdict(vector: int) -> int:
            known = verdicts.get(vector)
            if known is None:
                wanted = vector & within == within and goal(vector ^ within)
                known = tracked(vector ^ within) if wanted else -1
                verdicts[vector] = known
            return known

        self._verdict: Callable[[int], int] = verdict
        self._textual = 0
        self._zero = within
        for bit, atom in enumerate(atoms):
            if isinstance(atom, IntegerText):
                self._textual |= _ONE << bit
            elif _holds_at_zero(atom):
                self._zero |= _ONE << bit
        limited: tuple[Atom | Within, ...] = atoms if limit is None else (*atoms, limit)
        self._sides = tuple(
            [
                HalfLine(limited, negative, self._lattices, verdict, self._textual)
                for negative in (False, True)
            ]
        )
        # Without constants both signs behave alike and share their states.
        self._negative = 1 if self._sides[0].differs(self._sides[1]) else 0
        self._caps = self._bounded_caps() if bounded else Caps(_FAR, _FAR, _FAR)
        self._most_whole = self._caps.whole
        self._most_places = self._caps.places
        self._positions: list[Position | Power] = []
        self._states: dict[tuple[object, ...], int] = {}
        self._exponents: dict[Exponents, Exponents] = {}
        start = Position(START, 0, _NOTHING, 0)
        if self._completion(start) is not None:
            self.start = self._new_state(start, -1)

    def _limit(self, atoms: tuple[Atom, ...]) -> Within | None:
        return largest_values(atoms, self._lattices)

    def _bounded_caps(self) -> Caps:
        return Caps.needed_by(self._sides, self._lattices)

    # States.

    def _new_state(self, position: Position | Power, verdict: int) -> int:
        state: int = self.add_state(verdict >= 0, max(verdict, 0))
        self._positions.append(position)
        self.leave_open(state, FOLLOWERS[position.phase])
        return state

    @cython.cfunc
    def _state_at(self, position: Position) -> cython.int:
        phase: cython.int = position.phase
        side: cython.int = position.side
        places: cython.int = position.places
        figures: Figures = position.figures
        half_line: HalfLine = self._sides[side]
        lattices: Lattices = self._lattices
        state: cython.int
        magnitude: cython.int
        residue: int | None = None
        if figures.first == figures.last:
            residue = figures.coefficient % lattices.modulus
        magnitude = figures.length - places
        compared: object = (figures.first, figures.last, figures.matched)
        if phase >= POINT and not half_line.own and figures.first == figures.last:
            # Nothing is left to compare with but the limit: what matters is the power of ten from
            # which on the digits exceed it, and whole digits and their comparison are one number.
            magnitude, compared = magnitude + figures.first, ()
        key = (
            phase,
            side,
            magnitude if half_line.constants or (phase == INTEGER and self._bounded) else 0,
            places if self._bounded or lattices.divisors else 0,
            figures.zeros if lattices.divisors else 0,
            residue,
            compared,
        )
        known = self._states.get(key)
        if known is not None:
            state = known
            return state
        verdict = self._verdict_at(position)
        if verdict < 0 and self._completion(position) is None:
            state = DEAD
        else:
            state = self._new_state(position, verdict)
        self._states[key] = state
        return state

    def _power_state(self, power: Power) -> int:
        phase, exponents, negative, value, left = power
        key: Any = power
        if phase != E and left != _FAR:
            # What is left of a limited exponent is much the same behind most significands.
            key = (phase, exponents.rest(negative, value, left))
        state = self._states.get(key)
        if state is None:
            state = DEAD
            verdict = -1
            if phase == EXPONENT:
                verdict = exponents.verdict(-value if negative else value)
            if verdict >= 0 or self._power_completion(power) is not None:
                state = self._new_state(power, verdict)
            self._states[key] = state
        return state

    @cython.cfunc
    def _verdict_at(self, position: Position) -> object:
        """The verdict on a text that ends here."""
        phase: cython.int = position.phase
        places: cython.int = position.places
        figures: Figures = position.figures
        half_line: HalfLine
        textual = self._textual if phase <= INTEGER else 0
        if phase in (ZERO, ZERO_FRACTION):
            return self._verdict(self._zero | textual)
        if phase in (INTEGER, FRACTION):
            half_line = self._sides[position.side]
            vector = half_line.vector(figures, figures.length - places)
            exponent = figures.zeros - places
            return self._verdict(vector | self._lattices.bits(figures.coefficient, exponent) | textual)
        return -1

    # Transitions.

    @cython.ccall
    @cython.exceptval(-3, check=True)
    def expand(self, state: cython.int, byte: cython.int) -> cython.int:
        target: cython.int
        found: Any = self._positions[state]
        if isinstance(found, Power):
            target = self._power_after(found, byte)
            return target
        position: Position = found
        phase: cython.int = position.phase
        side: cython.int = position.side
        figures: Figures = position.figures
        half_line: HalfLine = self._sides[side]
        if byte in (_SMALL_E, _LARGE_E):
            exponents = self._wanted_exponents(position)
            target = self._power_state(Power(E, exponents, False, 0, self._caps.exponent))
            self.set_transition(state, _SMALL_E, target)
            self.set_transition(state, _LARGE_E, target)
            return target
        if byte == _DOT:
            return self._state_at(Position(ZERO_POINT if phase == ZERO else POINT, side, figures, 0))
        if byte == 0x2D:
            return self._state_at(Position(MINUS, self._negative, _NOTHING, 0))
        if byte == 0x30:
            return self._after_zero(position)
        next_position: Position = self._after_digit(position, byte)
        target = DEAD if next_position is None else self._state_at(next_position)
        if self._lattices.modulus == 1 and (
            next_position is None or next_position.figures.first == next_position.figures.last
        ):
            # Digits that no constant has here, and between which none has one, lead to one state.
            low, high = half_line.gap(figures, chr(byte))
            self.set_transitions(state, low, high, target)
        return target

    @cython.cfunc
    def _after_zero(self, position: Position) -> cython.int:
        phase: cython.int = position.phase
        side: cython.int = position.side
        places: cython.int = position.places
        if phase <= MINUS:
            return self._state_at(Position(ZERO, side, _NOTHING, 0))
        if phase in (ZERO_POINT, ZERO_FRACTION):
            if places >= self._most_places:
                return DEAD
            return self._state_at(Position(ZERO_FRACTION, side, _NOTHING, places + 1))
        next_position: Position = self._after_digit(position, 0x30)
        return DEAD if next_position is None else self._state_at(next_position)

    @cython.cfunc
    def _after_digit(self, position: Position, byte: cython.int) -> Position | None:
        """The position after a digit of the significand, or `None` if a cap forbids it."""
        phase: cython.int = position.phase
        side: cython.int = position.side
        places: cython.int = position.places
        zeros: cython.int
        figures: Figures = position.figures
        half_line: HalfLine = self._sides[side]
        lattices: Lattices
        if phase <= INTEGER:
            if figures.length >= self._most_whole:
                return None
            phase = INTEGER
        else:
            if places >= self._most_places:
                return None
            phase = FRACTION
            places += 1
        if figures.length == 0:
            figures = Figures(0, 0, 0, 0, len(half_line.significands), 0)
        first, last, matched = half_line.follow(figures, chr(byte))
        if byte == 0x30:
            coefficient, zeros = figures.coefficient, figures.zeros + 1
        else:
            zeros = 0
            if first != last:
                coefficient = figures.coefficient * _TEN ** (figures.zeros + 1) + byte - 0x30
            else:
                lattices = self._lattices
                residues = lattices.residues
                shifted = figures.coefficient * pow(_TEN, figures.zeros + 1, residues)
                coefficient = (shifted + byte - 0x30) % residues
        return Position(
            phase, side, Figures(figures.length + 1, coefficient, zeros, first, last, matched), places
        )

    def _power_after(self, power: Power, byte: int) -> int:
        _, exponents, negative, value, left = power
        if byte in (0x2B, 0x2D):
            return self._power_state(Power(E_SIGN, exponents, byte == 0x2D, 0, left))
        if left == 0:
            return DEAD
        value = min(value * 10 + byte - 0x30, exponents.settled)
        left = left if left == _FAR else left - 1
        return self._power_state(Power(EXPONENT, exponents, negative, value, left))

    def _wanted_exponents(self, position: Position) -> Exponents:
        """The exponents that make the number that was read a wanted one."""
        phase: cython.int = position.phase
        places: cython.int = position.places
        figures: Figures = position.figures
        far = self._caps.largest_exponent
        if phase in (ZERO, ZERO_FRACTION):
            exponents = Exponents.of([], lambda _: self._verdict(self._zero), far)
        else:
            half_line: HalfLine = self._sides[position.side]
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
        for byte in list(FOLLOWERS[self._positions[state].phase]):
            if self.step(state, byte) != DEAD:
                live |= _ONE << byte
        return live

    def completion(self, state: int) -> bytes:
        """Return a short text that completes a number; empty if the number may end here."""
        if self.accepting(state):
            return b""
        position = self._positions[state]
        if isinstance(position, Power):
            text = self._power_completion(position)
        else:
            text = self._completion(position, shortest=True)
        if text is None:
            raise AssertionError("a state without a completion")
        return text.encode()

    def _power_completion(self, power: Power) -> str | None:
        phase, exponents, negative, value, left = power
        text = exponents.completion(negative, value, phase == EXPONENT, left)
        if text is None and phase == E:
            text = exponents.completion(True, 0, False, left)
            return None if text is None else "-" + text
        return text

    def _completion(self, position: Position, shortest: bool = False) -> str | None:
        phase: cython.int = position.phase
        side: cython.int = position.side
        figures: Figures = position.figures
        if phase <= MINUS:
            zero_wanted = self._verdict(self._zero | self._textual) >= 0
            if zero_wanted and not shortest:
                return "0"
            if phase == MINUS and not zero_wanted and self._verdict(self._zero) < 0 and self._empty(side):
                return None
            texts = self._first_completions(position)
            return min(texts, key=len, default=None) if shortest else next(texts, None)
        if phase in (ZERO, ZERO_POINT, ZERO_FRACTION):
            return self._zero_completion(position)
        half_line: HalfLine = self._sides[side]
        caps = self._caps
        if phase == INTEGER and self._textual:
            reach = Reach(0, caps.whole - figures.length, _FAR, 0, 0)
            found = half_line.completion(figures, reach, whole=True)
            if found is not None:
                return found.suffix.ljust(found.shift, "0")
        found = half_line.completion(figures, caps.reach(position), whole=False)
        return None if found is None else caps.spelled(position, found, bool(self._textual))

    def _empty(self, side: int) -> bool:
        half_line: HalfLine = self._sides[side]
        return half_line.empty(whole=False) and (not self._textual or half_line.empty(whole=True))

    def _first_completions(self, position: Position) -> Iterator[str]:
        """Completions that start with each possible byte of a number."""
        phase: int = position.phase
        side: int = position.side
        # Compiled, `bytes` are iterated as signed characters.
        for byte in list(b"1234567890"):
            following: Position | None = Position(ZERO, side, _NOTHING, 0)
            if byte != 0x30:
                following = self._after_digit(position, byte)
            if following is not None:
                text = "" if self._verdict_at(following) >= 0 else self._completion(following)
                if text is not None:
                    yield chr(byte) + text
        if phase == START:
            text = self._completion(Position(MINUS, self._negative, _NOTHING, 0))
            if text is not None:
                yield "-" + text

    def _zero_completion(self, position: Position) -> str | None:
        phase: int = position.phase
        side: int = position.side
        places: int = position.places
        if self._verdict_at(position) >= 0:
            return ""
        dot = "." if phase == ZERO else ""
        if self._verdict(self._zero) >= 0:
            return dot + "0"
        if self._sides[side].empty(whole=False):
            return None
        # Without caps the exponent makes up for any number of zeros.
        last = self._caps.places if self._bounded else places + 1
        for place in range(places, last):
            for byte in list(b"123456789"):
                following = self._after_digit(Position(POINT, side, _NOTHING, place), byte)
                if following is not None:
                    done = self._verdict_at(following) >= 0
                    text = "" if done else self._completion(following)
                    if text is not None:
                        return dot + "0" * (place - places) + chr(byte) + text
        return None


#: Numbers with larger constants, or with more atoms, are not shared.
_MOST_SHARED = 2**64
_MOST_SHARED_ATOMS = 3


def number_automaton(
    atoms: tuple[Atom, ...],
    goal: Callable[[int], bool],
    tracked: Callable[[int], int],
    *,
    bounded: bool,
    max_states: int,
) -> NumberAutomaton:
    """Return the automaton with these arguments; simple ones are shared by all who ask for them."""
    constants = [value for atom in atoms for value in _constants(atom)]
    is_simple = len(atoms) <= _MOST_SHARED_ATOMS and all(
        abs(value.numerator) <= _MOST_SHARED and value.denominator <= _MOST_SHARED for value in constants
    )
    if not is_simple or len(constants) > _MOST_SHARED_ATOMS:
        return NumberAutomaton(atoms, goal, tracked, bounded=bounded, max_states=max_states)
    # The order in which a schema mentions them makes no difference.
    places = sorted(range(len(atoms)), key=lambda place: _order(atoms[place]))
    vectors = [
        sum((index >> bit & 1) << place for bit, place in enumerate(places))
        for index in range(_ONE << len(atoms))
    ]
    goals = tuple([bool(goal(vector)) for vector in vectors])
    outcomes = tuple(
        [tracked(vector) if wanted else 0 for vector, wanted in zip(vectors, goals, strict=True)]
    )
    return _shared(tuple([atoms[place] for place in places]), goals, outcomes, bounded, max_states)


def _order(atom: Atom) -> tuple[str, list[Fraction]]:
    return (type(atom).__name__, sorted(_constants(atom)))


@lru_cache(maxsize=512)
def _shared(
    atoms: tuple[Atom, ...],
    goals: tuple[bool, ...],
    outcomes: tuple[int, ...],
    bounded: bool,
    max_states: int,
) -> NumberAutomaton:
    automaton = NumberAutomaton(
        atoms, goals.__getitem__, outcomes.__getitem__, bounded=bounded, max_states=max_states
    )
    automaton.is_shared = True
    return automaton


def _constants(atom: Atom) -> Iterable[Fraction]:
    if isinstance(atom, AtLeast | MoreThan):
        return (atom.bound,)
    if isinstance(atom, MultipleOf):
        return (atom.divisor,)
    return atom.values if isinstance(atom, OneOf) else ()


def _holds_at_zero(atom: Atom) -> bool:
    if isinstance(atom, AtLeast):
        return atom.bound <= 0
    if isinstance(atom, MoreThan):
        return atom.bound < 0
    if isinstance(atom, OneOf):
        return 0 in atom.values
    return True  # A multiple, and within any limit.
