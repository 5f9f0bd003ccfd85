"""The number automaton against brute force: membership, liveness, completions, termination."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest

from constrain.automata.numbers_cy import (
    AtLeast,
    Atom,
    Caps,
    IntegerText,
    MoreThan,
    MultipleOf,
    NumberAutomaton,
    OneOf,
    Within,
)
from constrain.automata.table_cy import DEAD

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE][+-]?([0-9]+))?\Z")

_PREFIX = re.compile(r"-?(?:(0|[1-9]\d*)(?:\.\d*)?(?:(?<=\d)e[+-]?\d*)?)?\Z")


@cache
def value_of(text: str) -> Fraction:
    return Fraction(Decimal(text))


def holds(atom: Atom | Within, text: str) -> bool:
    value = value_of(text)
    match atom:
        case AtLeast(bound):
            return value >= bound
        case MoreThan(bound):
            return value > bound
        case OneOf(values):
            return value in values
        case MultipleOf(divisor):
            return (value / divisor).denominator == 1
        case IntegerText():
            return not set(text) & set(".eE")
        case Within(limit):
            return abs(value) < limit
    raise AssertionError(atom)


def vector_of(atoms: Iterable[Atom], text: str) -> int:
    return sum(1 << bit for bit, atom in enumerate(atoms) if holds(atom, text))


def language(texts: Iterable[str], atoms: tuple[Atom, ...], goal: Callable[[int], bool]) -> dict[str, int]:
    """The wanted texts and their vectors, by exact evaluation."""
    known: dict[tuple[Fraction, bool], int] = {}
    wanted = {}
    for text in texts:
        key = (value_of(text), holds(IntegerText(), text))
        if key not in known:
            known[key] = vector_of(atoms, text)
        if goal(known[key]):
            wanted[text] = known[key]
    return wanted


def run(automaton: NumberAutomaton, text: bytes | str, state: int | None = None) -> int:
    state = automaton.start if state is None else state
    for byte in text.encode() if isinstance(text, str) else text:
        if state == DEAD:
            break
        state = automaton.step(state, byte)
    return state


def live_prefixes(automaton: NumberAutomaton, length: int, alphabet: str) -> Iterator[tuple[str, int]]:
    """All live prefixes up to a length, with their states."""
    level = [("", automaton.start)] if automaton.start != DEAD else []
    for _ in range(length + 1):
        yield from level
        level = [
            (text + char, target)
            for text, state in level
            for char in alphabet
            if (target := automaton.step(state, ord(char))) != DEAD
        ]


def check_completion(
    automaton: NumberAutomaton, atoms: tuple[Atom, ...], goal: Callable[[int], bool], text: str, state: int
) -> str:
    completion = automaton.completion(state).decode()
    whole = text + completion
    assert _NUMBER.match(whole), whole
    assert goal(vector_of(atoms, whole)), whole
    end = run(automaton, completion, state)
    assert end != DEAD, whole
    assert automaton.accepting(end), whole
    assert automaton.outcome(end) == vector_of(atoms, whole)
    assert (completion == "") == bool(automaton.accepting(state))
    return whole


def random_constant(rng: random.Random, digits: str) -> Fraction:
    text = "".join(rng.choice(digits) for _ in range(rng.randint(1, 3)))
    return Fraction(Decimal(f"{rng.choice(['', '', '-'])}{text}e{rng.choice([0, 0, 0, -1, -2, 1, 3])}"))


def random_atoms(rng: random.Random, digits: str, divisors: int) -> tuple[Atom, ...]:
    atoms: list[Atom] = []
    for _ in range(rng.randint(0, 3)):
        kind = rng.randrange(4)
        if kind == 0:
            atoms.append(AtLeast(random_constant(rng, digits)))
        elif kind == 1:
            atoms.append(MoreThan(random_constant(rng, digits)))
        else:
            atoms.append(OneOf(frozenset(random_constant(rng, digits) for _ in range(rng.randint(1, 6)))))
    for _ in range(rng.randint(0, divisors)):
        divisor = rng.choice(["1", "1", "2", "3", "5", "0.5", "0.01", "0.25", "7", "15", "20", "1.5", "0.3"])
        atoms.append(MultipleOf(Fraction(divisor)))
    if rng.random() < 0.2:
        atoms.append(IntegerText())
    rng.shuffle(atoms)
    return tuple(atoms)


def random_goal(rng: random.Random, atoms: tuple[Atom, ...]) -> Callable[[int], bool]:
    if rng.random() < 0.5:
        # One conjunction with signs, as schemas have it most often.
        wanted = rng.getrandbits(len(atoms)) if atoms else 0
        return lambda vector: vector == wanted
    share = rng.choice([0.15, 0.5])
    table = [rng.random() < share for _ in range(1 << len(atoms))]
    return lambda vector: table[vector]


def case(seed: int, digits: str, divisors: int) -> tuple[tuple[Atom, ...], Callable[[int], bool]]:
    rng = random.Random(seed)
    atoms = random_atoms(rng, digits, divisors)
    return atoms, random_goal(rng, atoms)


@cache
def short_texts(digits: str, length: int) -> list[str]:
    """All numbers over some digits up to a length."""
    level, found = [""], []
    for _ in range(length):
        level = [text + char for text in level for char in digits + "-+.e"]
        level = [text for text in level if _PREFIX.match(text)]
        found += [text for text in level if _NUMBER.match(text)]
    return found


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_short_texts_are_members_exactly_if_their_value_is_wanted(seed: int, bounded: bool) -> None:
    atoms, goal = case(seed, "0125", 3)
    automaton = NumberAutomaton(atoms, goal, lambda vector: vector, bounded=bounded)
    texts = short_texts("0125", 5)
    if bounded:
        # All constants are small, so the texts are those that a double holds.
        texts = [text for text in texts if math.isfinite(float(text))]
    wanted = language(texts, atoms, goal)
    members = {}
    for text, state in live_prefixes(automaton, 5, "0125-+.e"):
        check_completion(automaton, atoms, goal, text, state)
        if automaton.accepting(state):
            members[text] = automaton.outcome(state)
    assert members == wanted


class _Capped(NumberAutomaton):
    """Caps and limits that are small enough to write the whole language down."""

    caps = (2, 1, 1)
    limit: Within | None = None

    def _limit(self, atoms: tuple[Atom, ...]) -> Within | None:
        return self.limit

    def _bounded_caps(self) -> Caps:
        return Caps(*self.caps)


class _CappedFraction(_Capped):
    caps = (1, 2, 1)


class _Limited(_Capped):
    limit = Within(Fraction("179.77"))


class _LimitedFraction(_CappedFraction):
    limit = Within(Fraction(20))


class _LimitedBelowOne(_Capped):
    limit = Within(Fraction("0.0305"))


class _LimitedExponent(_Capped):
    caps = (1, 1, 2)
    limit = Within(Fraction("1.75e31"))


@cache
def capped_texts(whole: int, places: int, exponent: int) -> list[str]:
    wholes = [str(number) for number in range(10**whole)]
    fractions = [""]
    for length in range(1, places + 1):
        fractions += [f".{number:0{length}d}" for number in range(10**length)]
    powers = [f"{number:0{length}d}" for length in range(1, exponent + 1) for number in range(10**length)]
    exponents = ["", *(f"e{sign}{power}" for sign in ("", "+", "-") for power in powers)]
    return [
        minus + "".join(parts)
        for minus in ("", "-")
        for parts in itertools.product(wholes, fractions, exponents)
    ]


KINDS = [_Capped, _CappedFraction, _Limited, _LimitedFraction, _LimitedBelowOne, _LimitedExponent]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(1000, 1008))
def test_within_caps_a_prefix_is_live_exactly_if_a_member_extends_it(seed: int, kind: type[_Capped]) -> None:
    atoms, goal = case(seed, "0123456789", 2)
    automaton = kind(atoms, goal, lambda vector: vector, bounded=True)
    texts = [text for text in capped_texts(*kind.caps) if kind.limit is None or holds(kind.limit, text)]
    wanted = language(texts, atoms, goal)
    expected = {text[:length] for text in wanted for length in range(len(text) + 1)}
    states = {}
    members = {}
    for text, state in live_prefixes(automaton, 9, "0123456789-+.e"):
        states[text] = state
        if automaton.accepting(state):
            members[text] = automaton.outcome(state)
    assert members == wanted
    assert set(states) == expected
    for state, text in {state: text for text, state in states.items()}.items():
        assert check_completion(automaton, atoms, goal, text, state) in wanted


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("seed", range(2000, 2040))
def test_random_walks_stay_live_and_bounded_ones_end(seed: int, bounded: bool) -> None:
    atoms, goal = case(seed, "0123456789", 3)
    automaton = NumberAutomaton(atoms, goal, lambda vector: vector, bounded=bounded)
    rng = random.Random(seed)
    for _ in range(4 if automaton.start != DEAD else 0):
        state, text = automaton.start, ""
        while len(text) < 80:
            live = automaton.live_bytes(state)
            choices = [byte for byte in range(256) if live >> byte & 1]
            if not choices:
                break
            byte = rng.choice(choices)
            text += chr(byte)
            state = automaton.step(state, byte)
            if re.search("e[+-]?[0-9]{4}", text.lower()):
                break  # Exact evaluation would have to write the number out.
            check_completion(automaton, atoms, goal, text, state)
        assert not bounded or len(text) <= 1 + 25 + 1 + 25 + 2 + 3
