"""Numbers as byte automata: hand-made cases, the text policy, large and hostile constants."""

from __future__ import annotations

import json
import math
import random
import re
import struct
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest

from constrain.automata.number_atoms import digits_of
from constrain.automata.numbers_cy import (
    AtLeast,
    Atom,
    IntegerText,
    MoreThan,
    MultipleOf,
    NumberAutomaton,
    OneOf,
    exact,
)
from constrain.automata.table_cy import DEAD
from constrain.errors import LimitExceeded, SchemaError

INTEGER = MultipleOf(Fraction(1))
BOTH = pytest.mark.parametrize("bounded", [True, False])


def number(value: str | float) -> Fraction:
    return exact(Decimal(value) if isinstance(value, str) else value)


def one_of(*values: str | float) -> OneOf:
    return OneOf(frozenset(map(number, values)))


def build(yes: tuple[Atom, ...] = (), no: tuple[Atom, ...] = (), bounded: bool = True) -> NumberAutomaton:
    """The numbers for which all of `yes` and none of `no` holds."""
    wanted = (1 << len(yes)) - 1
    return NumberAutomaton(yes + no, lambda vector: vector == wanted, lambda _: 0, bounded=bounded)


def union(atoms: tuple[Atom, ...], bounded: bool = True) -> NumberAutomaton:
    return NumberAutomaton(atoms, bool, lambda vector: vector, bounded=bounded)


def state_after(automaton: NumberAutomaton, text: str) -> int:
    state = automaton.start
    for byte in text.encode():
        if state == DEAD:
            return DEAD
        state = automaton.step(state, byte)
    return state


def verdict(automaton: NumberAutomaton, text: str) -> str:
    state = state_after(automaton, text)
    return "dead" if state == DEAD else "member" if automaton.accepting(state) else "live"


#: Atoms that hold, atoms that do not, and texts by their verdict.
CASES: dict[str, tuple[tuple[Atom, ...], tuple[Atom, ...], dict[str, str]]] = {
    "any number": (
        (),
        (),
        {
            "member": "0 -0 10 0.5 1e5 1E+5 1e-05 -12.50e3 0e9",
            "live": "- 1. 1e 1e+ -0.",
            "dead": "01 00 -- +1 .5 1.e 1.. 1e+- 1e.5 e a 1a 0x -01",
        },
    ),
    "const 17": (
        (one_of(17),),
        (),
        {
            "member": "17 17.0 17.00 1.7e1 170e-1 0.17e2 17e0 17E-00 0.017e+3",
            "live": "1 1.7 1. 0. 0.0 0.017 1.7e 170 17. 170e 170e-",
            "dead": "- 2 7 18 99 16 1.6 171 17.1 1e 1.7e2 1.7e-1 17e1 170e1",
        },
    ),
    "integer": (
        (INTEGER,),
        (),
        {
            "member": "0 -0 1.0 1.5e1 150e-1 15e-0 15e-00 100e-2 0.0 0e-5 1e300",
            "live": "15e- 1.5 - 1.5e 0.1 150e-",
            "dead": "15e-1 1.5e-0 1.5e-1 150e-2",
        },
    ),
    "integer of draft 4": (
        (INTEGER, IntegerText()),
        (),
        {"member": "0 -0 15 1000", "live": "-", "dead": "1.0 1e0 1. 1e 0."},
    ),
    "no integer of draft 4": (
        (INTEGER,),
        (IntegerText(),),
        {"member": "1.0 1e0 0.0 1.5e1", "live": "1 0 -1 1.5", "dead": "1.5e-0 15e-1"},
    ),
    "from 0 to 150": (
        (AtLeast(number(0)), INTEGER),
        (MoreThan(number(150)),),
        {"member": "0 150 99 -0 0.5e1 1500e-1", "live": "- 1500", "dead": "1510 -1 151 150.1 1511 151e"},
    ),
    "negative from -5 to -3": (
        (AtLeast(number(-5)),),
        (MoreThan(number(-3)),),
        {"member": "-5 -3 -4.2 -3.0 -30e-1", "live": "- -0 -30 -49", "dead": "1 0 -2 -6 -2e0 -5.01 -2.9e0"},
    ),
    "halves from 3 to 4 without 3.5": (
        (AtLeast(number(3)), MultipleOf(number(0.5))),
        (MoreThan(number(4)), one_of(3.5)),
        {"member": "3 4 3.0 0.4e1 40e-1", "live": "30 0. 0.3", "dead": "3.5 5 3.1 31 3.05 4.5 - 2"},
    ),
    "no multiple of 3": (
        (INTEGER,),
        (MultipleOf(number(3)),),
        {"member": "1 10 1e1 20 -7", "live": "3 30 0.3", "dead": "0e 3e 3e1 0.3e1 3.0e"},
    ),
    "300e-2 is a multiple of 3": (
        (MultipleOf(number(3)),),
        (),
        {"member": "3 300e-2 3.0 0.3e1 0 -12 111", "live": "1 1.1 30e-", "dead": "30e-2 2e 1e- 3e-1"},
    ),
    "cents": (
        (MultipleOf(number(0.01)),),
        (),
        {"member": "19.99 19.990 1e2 0.07 1999e-2", "live": "19.999", "dead": "1999e-3 0.001e-0"},
    ),
    "ten millionths": (
        (MultipleOf(number(1e-07)),),
        (),
        {"member": "0.1234567 1e-7 1.5e-6", "live": "0.12345678", "dead": "1e-8 1.5e-7"},
    ),
    "exactly 1e400": (
        (one_of("1e400"),),
        (),
        {"member": "1e400 1E+400 10e399 1" + "0" * 400, "live": "1 10 1e 1e4", "dead": "2 1e5 1e-"},
    ),
    "an enum with neighbours": (
        (one_of(0.1, 0.125, -2, 3),),
        (),
        {"member": "0.1 0.125 -2 3 0.30e1 125e-3 -0.2E1", "live": "0.12 1 10", "dead": "-1 -3 0.126 2 4"},
    ),
}


@BOTH
@pytest.mark.parametrize("name", CASES)
def test_prefixes_are_members_live_or_dead_as_arithmetic_says(name: str, bounded: bool) -> None:
    yes, no, texts = CASES[name]
    automaton = build(yes, no, bounded)
    found = {text: verdict(automaton, text) for line in texts.values() for text in line.split()}
    assert found == {text: kind for kind, line in texts.items() for text in line.split()}


EMPTY: list[tuple[tuple[Atom, ...], tuple[Atom, ...]]] = [
    ((MoreThan(number(0.1)), INTEGER), (AtLeast(number(0.2)),)),
    ((AtLeast(number(5)), MultipleOf(number(2))), (MoreThan(number(5)),)),
    ((AtLeast(number(5)),), (AtLeast(number(5)),)),
    ((MoreThan(number(5)),), (AtLeast(number(5)),)),
    ((MultipleOf(number(6)),), (MultipleOf(number(3)),)),
    ((MultipleOf(number(2)), MultipleOf(number(3))), (MultipleOf(number(6)),)),
    ((one_of(1, 2), one_of(3, 4)), ()),
    ((one_of(1.5, 2.5), INTEGER), ()),
    ((IntegerText(), one_of(1.5)), ()),
    ((OneOf(frozenset()),), ()),
    ((IntegerText(),), (INTEGER,)),
]


@BOTH
@pytest.mark.parametrize(("yes", "no"), EMPTY)
def test_an_empty_set_has_no_start(yes: tuple[Atom, ...], no: tuple[Atom, ...], bounded: bool) -> None:
    assert build(yes, no, bounded).start == DEAD


def test_outcomes_tell_which_pieces_a_number_is_in() -> None:
    automaton = union((AtLeast(number(10)), MultipleOf(number(4)), one_of(3, 12)))
    for text, outcome in {"12": 7, "10": 1, "3": 4, "4": 2, "-4": 2, "0": 2, "1.2e1": 7}.items():
        assert automaton.outcome(state_after(automaton, text)) == outcome


def test_live_bytes_are_a_mask_of_bytes() -> None:
    automaton = build((one_of(17, -2),))
    assert automaton.live_bytes(automaton.start) == sum(1 << ord(char) for char in "-01")
    assert automaton.live_bytes(state_after(automaton, "-2")) == sum(1 << ord(char) for char in "0.eE")


def test_a_float_means_its_shortest_spelling() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact(1e-07) == Fraction(1, 10**7)
    assert exact(17) == 17


@pytest.mark.parametrize("value", [math.inf, math.nan, Decimal("NaN"), Decimal("-Infinity")])
def test_what_is_no_number_is_refused(value: float | Decimal) -> None:
    with pytest.raises(SchemaError):
        exact(value)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1E+100000"),
        Decimal("1E-100000"),
        Decimal("1E+999999999"),
        pytest.param(10**20000, id="integer"),
    ],
)
def test_constants_out_of_range_are_refused(value: int | Decimal) -> None:
    with pytest.raises(LimitExceeded):
        exact(value)


def test_a_third_is_no_decimal() -> None:
    with pytest.raises(SchemaError):
        build((MultipleOf(Fraction(1, 3)),))


@pytest.mark.parametrize(
    "text", ["1", "10", "0.1", "12.5", "1e400", "1e-400", "123.456e-7", "7e9000", "5e-324"]
)
def test_digits_of_a_decimal(text: str) -> None:
    value = Fraction(Decimal(text))
    digits = digits_of(value)
    assert Fraction(digits.coefficient) * Fraction(10) ** digits.low == value
    assert str(digits.coefficient) == digits.text
    assert digits.coefficient % 10 != 0
    assert digits.magnitude == digits.low + len(digits.text)


# The bounded text policy.


def floats() -> list[float]:
    rng = random.Random(5)
    found = [1e-07, 5e-324, 1.7976931348623157e308, 0.1, 1e22, 123456789012345680.0, 0.00012345678901234567]
    while len(found) < 300:
        value = struct.unpack("<d", rng.randbytes(8))[0]
        if math.isfinite(value):
            found.append(value)
        found.append(rng.uniform(-1, 1) * 10 ** rng.randint(-6, 20))
    return found


def test_the_bounded_policy_keeps_every_float_as_python_spells_it() -> None:
    automaton = build()
    for value in floats():
        assert verdict(automaton, json.dumps(value)) == "member"


def test_the_bounded_policy_keeps_allowed_floats_beside_constants() -> None:
    for value in floats()[:60]:
        for automaton in (build((one_of(value),)), build((AtLeast(number(value)),))):
            assert verdict(automaton, repr(value)) == "member"


def test_the_bounded_policy_keeps_integers_of_25_digits() -> None:
    for value in (10**24, 10**25 - 1, -(10**24) - 7):
        assert verdict(build((INTEGER,)), str(value)) == "member"
    assert verdict(build(), str(10**25)) == "dead"


@pytest.mark.parametrize(
    "text", ["1" + "7" * 59, "0." + "1234567890" * 6, "1e400", "1e-400", "12345e5000", "-7e-31"]
)
def test_the_bounded_policy_keeps_the_spellings_of_a_constant(text: str) -> None:
    value = Decimal(text)
    automaton = build((one_of(text),))
    sign, figures, exponent = value.as_tuple()
    digits = "".join(map(str, figures))
    assert isinstance(exponent, int)
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    scientific = f"{'-' * sign}{mantissa}e{exponent + len(digits) - 1}"
    for spelling in (format(value, "f"), scientific, scientific.replace("e", "E")):
        assert verdict(automaton, spelling) == "member", spelling


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ((MoreThan(number("1e-5000")),), (AtLeast(number("1.1e-5000")),)),
        ((AtLeast(number("1e300")), MultipleOf(number("7e280"))), ()),
        ((AtLeast(number("1e30")), INTEGER), (MoreThan(number("1.000000000000000000000000000005e30")),)),
        ((MultipleOf(number("1e-300")),), (MultipleOf(number("1e-299")),)),
        ((MultipleOf(number("3e-40")), MultipleOf(number("7e41")), MoreThan(number(0))), ()),
    ],
)
def test_a_set_that_is_not_empty_keeps_a_member_in_plain_spelling(
    yes: tuple[Atom, ...], no: tuple[Atom, ...]
) -> None:
    automaton = build(yes, no)
    caps = automaton._caps
    assert automaton.start != DEAD
    free = build(yes, no, bounded=False)
    member = Decimal(free.completion(free.start).decode())
    plain = format(member, "f")
    assert verdict(automaton, plain) == "member"
    assert len(plain.partition(".")[0].lstrip("-")) <= caps.whole


@pytest.mark.parametrize("yes", [(), (INTEGER,), (AtLeast(number(3)), INTEGER), (one_of(17),)])
def test_under_the_bounded_policy_no_text_runs_forever(yes: tuple[Atom, ...]) -> None:
    automaton = build(yes)
    for byte in b"0123456789":
        for start in ("", "1", "-1", "1.", "17.", "0.", "1e", "17e-"):
            state, length = state_after(automaton, start), 0
            while state != DEAD:
                assert length <= 25
                state, length = automaton.step(state, byte), length + 1


def test_every_text_counts_without_the_policy() -> None:
    automaton = build((INTEGER,), bounded=False)
    assert verdict(automaton, "1" + "0" * 3000 + "e-3000") == "member"
    assert verdict(automaton, "1" + "0" * 3000 + "e-300") == "member"
    assert verdict(automaton, "1" + "0" * 3000 + "e-3001") == "dead"
    assert verdict(automaton, "0." + "0" * 3000 + "1e" + "0" * 50 + "3001") == "member"
    assert verdict(build(bounded=False), "1e" + "9" * 2000) == "member"


# Large and hostile constants.


def finish(automaton: NumberAutomaton, text: str) -> Decimal:
    state = state_after(automaton, text)
    assert state != DEAD
    return Decimal(text + automaton.completion(state).decode())


@BOTH
def test_bounds_at_the_end_of_the_floats_are_exact(bounded: bool) -> None:
    automaton = build((AtLeast(number(1e308)),), (MoreThan(number("1.1e308")),), bounded)
    assert verdict(automaton, "1.05e308") == "member"
    assert verdict(automaton, "1.11e308") == "dead"
    assert Decimal("1e308") <= finish(automaton, "10") <= Decimal("1.1e308")


@BOTH
def test_completions_of_a_fine_or_coarse_lattice_are_exact(bounded: bool) -> None:
    for divisor in ("1e-300", "7e-300", "123456789", "3e280", "1.23456789012345678901234567e-9"):
        automaton = build((MultipleOf(number(divisor)), MoreThan(number(0))), bounded=bounded)
        for prefix in ("", "9", "1.5", "0.0", "98765432109876543210"):
            value = finish(automaton, prefix)
            assert value > 0
            assert (Fraction(value) / number(divisor)).denominator == 1


@BOTH
def test_sixty_digits_are_compared_to_the_last(bounded: bool) -> None:
    low = "123456789012345678901234567890.123456789012345678901234567891"
    high = low[:-1] + "2"
    automaton = build((MoreThan(number(low)),), (AtLeast(number(high)),), bounded)
    assert verdict(automaton, low) == "live"
    assert verdict(automaton, low + "5") == "member"
    assert verdict(automaton, high[:-1] + "0") == "dead"
    assert Decimal(low) < finish(automaton, "1") < Decimal(high)


def fastest(action: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


@BOTH
def test_a_thousand_values_are_ready_in_a_moment(bounded: bool) -> None:
    rng = random.Random(3)
    values = frozenset(number(round(rng.uniform(-1e4, 1e4), rng.choice([0, 1, 2, 5]))) for _ in range(1000))

    def first_rows() -> None:
        automaton = build((OneOf(values),), bounded=bounded)
        automaton.live_bytes(automaton.start)
        automaton.live_bytes(state_after(automaton, "1"))

    assert fastest(first_rows) < 0.25  # About 15 ms; the margin is for busy machines.
    automaton = build((OneOf(values),), bounded=bounded)
    for value in values:
        assert (
            verdict(
                automaton,
                format(Decimal(float(value)), "f") if value.denominator == 1 else repr(float(value)),
            )
            == "member"
        )
    outside = build((), (OneOf(values),), bounded)
    assert verdict(outside, "0.123456") == "member"


def test_independent_divisors_beyond_the_budget_are_refused() -> None:
    primes = [p for p in range(2, 100) if all(p % q for q in range(2, p))]
    with pytest.raises(LimitExceeded):
        union(tuple(MultipleOf(number(p)) for p in primes))


def test_a_chain_of_divisors_is_cheap() -> None:
    automaton = union(tuple(MultipleOf(number(2**power)) for power in range(40)))
    assert automaton.outcome(state_after(automaton, str(3 * 2**20))) == 2**21 - 1


def test_states_of_a_plain_number_are_few() -> None:
    def reachable(automaton: NumberAutomaton) -> int:
        seen, stack = {automaton.start}, [automaton.start]
        while stack:
            state = stack.pop()
            for byte in b"-+.0123456789eE":
                target = automaton.step(state, byte)
                if target != DEAD and target not in seen:
                    seen.add(target)
                    stack.append(target)
        return len(seen)

    assert reachable(build(bounded=False)) <= 24
    # The exponents that are left depend on the digits before and behind the point: 25 times 25.
    assert reachable(build()) <= 2500


def test_states_of_everyday_numbers_are_few() -> None:
    automaton = build()
    for text in ("12.5", "3.25", "0.001", "-17", "1e5", "123456", "-71.125"):
        state = automaton.start
        for byte in text.encode():
            automaton.live_bytes(state)
            state = automaton.step(state, byte)
    assert automaton.size <= 80


def test_the_budget_of_states_is_kept() -> None:
    automaton = NumberAutomaton((INTEGER,), lambda _: True, lambda _: 0, bounded=False, max_states=20)
    with pytest.raises(LimitExceeded):
        state_after(automaton, "1" * 5 + "0" * 40)


_GRAMMAR = re.compile(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?")


def is_bounded(text: str) -> bool:
    return _GRAMMAR.fullmatch(text) is not None and math.isfinite(float(text))


def test_members_have_the_grammar_of_rfc_8259() -> None:
    automaton = build()
    rng = random.Random(1)
    for _ in range(2000):
        text = "".join(rng.choice("0123456789.eE+--") for _ in range(rng.randint(1, 6)))
        assert (verdict(automaton, text) == "member") == is_bounded(text), text


# The end of the doubles.

#: From here on a number is closer to 2**1024 than to the largest double, or rounds to it.
_INFINITE = 2**1024 - 2**970


def test_the_members_are_the_texts_that_read_as_finite_doubles() -> None:
    automaton = build()
    rng = random.Random(2)
    end = str(_INFINITE)
    digits = [end[:length] for length in (1, 2, 9, 17, 18, 25, 40, 50)]
    digits += [str(int(head) + change) for head in digits[1:] for change in (-1, 1)]
    digits += ["1", "9" * 25, "5", "10", "99", "18"]
    outcomes = set()
    for _ in range(6000):
        head = rng.choice(digits)
        point = rng.randint(max(1, len(head) - 25), min(len(head), 25))
        zeros = "0" * rng.choice([0, 0, 1, 5])
        if zeros and len(head) + len(zeros) <= 25:
            text, power = f"0.{zeros}{head}", 309 + len(zeros)
        else:
            text = head[:point] + ("." + head[point:] if head[point:] else "")
            power = 309 - point
        power += rng.choice([-1, 0, 0, 0, 1])
        text = f"{rng.choice(['', '-'])}{text}{rng.choice('eE')}{rng.choice(['', '+'])}{power}"
        finite = math.isfinite(float(text))
        assert (verdict(automaton, text) == "member") == finite, text
        outcomes.add(finite)
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("753E907", "dead"),
        ("753E", "live"),
        ("1e308", "member"),
        ("9e30", "member"),
        ("9e308", "dead"),
        ("9e0308", "dead"),
        ("9e3", "member"),
        ("0.0009e311", "member"),
        ("0.0009e312", "dead"),
        ("0e999", "member"),
        ("1e-400", "member"),
        ("-1.7976931348623157e308", "member"),
        ("-1.7976931348623159e308", "dead"),
        ("17976931348623158079.3e289", "member"),
        ("17976931348623158079.4e289", "dead"),
    ],
)
def test_the_bounded_policy_ends_where_a_double_becomes_infinite(text: str, expected: str) -> None:
    assert verdict(build(), text) == expected
    assert verdict(build((INTEGER,)), text) == ("dead" if text == "1e-400" else expected)


@pytest.mark.parametrize(
    ("yes", "members", "others"),
    [
        ((one_of("1e400", 5),), "1e400 10e399 5", "1e401 5e1"),
        ((AtLeast(number("1e400")),), "1e400 9e401", "1e308"),
        ((AtLeast(number("-1e400")),), "-1e400 1e309", "-1e401"),
        ((AtLeast(number("1e308")),), "1e308 1.7976931348623157e308", "1.8e308 1e309"),
        ((MoreThan(number("1.7976931348623157e308")),), "1.79769313486231575e308", "1.8e308 1e308"),
        ((MoreThan(number("1.7976931348623158e308")),), "1.8e308 1e310", "1e308"),
        ((MultipleOf(number("1e400")), MoreThan(number(0))), "1e400 3e401", "1e399"),
        ((MultipleOf(number("3e-400")),), "3e-400 6e-5 0", "1e-400 3e-401 3e309"),
        ((MultipleOf(number("7e307")), AtLeast(number("1.5e308"))), "2.1e308 7e308", "1.4e308 8e308"),
        ((MultipleOf(number("7e300")), MoreThan(number(0))), "7e300 1.4e308", "8e307 7e309"),
    ],
)
def test_constants_beyond_the_doubles_lift_the_limit(
    yes: tuple[Atom, ...], members: str, others: str
) -> None:
    automaton = build(yes)
    assert [text for text in members.split() if verdict(automaton, text) != "member"] == []
    assert [text for text in others.split() if verdict(automaton, text) == "member"] == []


def test_what_one_formula_wants_a_wider_one_wants_too() -> None:
    alone = (MultipleOf(number("7e307")), AtLeast(number("1.5e308")))
    assert verdict(build(alone), "2.1e308") == "member"
    both = NumberAutomaton((*alone, one_of(5)), lambda v: v & 3 == 3 or v & 4 != 0, lambda v: v, bounded=True)
    assert [verdict(both, text) == "member" for text in ("2.1e308", "5", "7e307")] == [True, True, False]


def test_numbers_that_a_double_rounds_to_zero_remain() -> None:
    automaton = build((MoreThan(number(0)),), (AtLeast(number("1e-324")),))
    assert verdict(automaton, "9e-325") == "member"
    assert 0 < finish(automaton, "") < Decimal("1e-324")


@pytest.mark.parametrize(
    "prefix", ["", "1", "-", "9" * 25, "0.", "1e", "1e3", "1e+30", "17976931348623158079e28"]
)
def test_completions_next_to_the_end_are_finite(prefix: str) -> None:
    automaton = build()
    text = prefix + automaton.completion(state_after(automaton, prefix)).decode()
    assert math.isfinite(float(text))
