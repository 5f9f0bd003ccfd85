"""The reader of leap seconds: what it says of a state is what reading shows."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from constrain.frontends.json_schema.leap_seconds import LeapSecond

MACHINE = LeapSecond()
CHARACTERS = [chr(code) for code in range(0x20, 0x80)]


def _after(text: str) -> Any:
    state: Any = MACHINE.initial()
    for character in text:
        state = MACHINE.read(state, ord(character))
        if state is None:
            return None
    return state


def _states() -> list[Any]:
    rng = random.Random(1)
    found = {_after("23:59:60"[:length]) for length in range(9)}
    for minute in [0, 1, 59, 60, 1438, 1439, *rng.sample(range(1440), 20)]:
        clock = f"{minute // 60:02}:{minute % 60:02}:60"
        for more in ("", ".", ".5", ".50", "+", "-", ".1-", "Z", ".7z"):
            found.add(_after(clock + more))
        found.add(_after(clock[: rng.randrange(9)]))
        for sign, offset in (("+", (minute + 1) % 1440), ("-", 1439 - minute)):
            whole = f"{clock}{sign}{offset // 60:02}:{offset % 60:02}"
            found.update(_after(whole[:length]) for length in range(9, len(whole) + 1))
    return [state for state in found if state is not None]


STATES = _states()


@cache
def _lengths(state: Any, most: int) -> frozenset[int]:
    """The lengths up to `most` of what may follow, by reading alone."""
    found = {0} if MACHINE.accepts_at(state) else set()
    if most:
        for character in CHARACTERS:
            target = MACHINE.read(state, ord(character))
            if target is not None:
                found.update(length + 1 for length in _lengths(target, most - 1))
    return frozenset(found)


def test_every_minute_has_its_offsets() -> None:
    for minute in range(1440):
        clock = f"{minute // 60:02}:{minute % 60:02}:60"
        fitting = [
            sign + f"{offset // 60:02}:{offset % 60:02}"
            for sign in "+-"
            for offset in range(1440)
            if (minute - (offset if sign == "+" else -offset)) % 1440 == 1439
        ]
        for offset in fitting:
            state = _after(clock + offset)
            assert state is not None
            assert MACHINE.accepts_at(state)
        assert len(fitting) == 2
        for sign in "+-":
            digits: Any = _after(clock + sign)
            assert digits.text in {one[1:] for one in fitting if one[0] == sign}
        assert (_after(clock + "Z") is not None) == (minute == 1439)


def test_a_rest_is_accepted_and_shortest() -> None:
    for state in STATES:
        rest = MACHINE.rest(state)
        after = state
        for character in rest:
            after = MACHINE.read(after, ord(character))
        assert MACHINE.accepts_at(after)
        assert len(rest) == min(_lengths(state, 15))


def test_all_characters_are_named_and_alike_between_cuts() -> None:
    for state in STATES:
        cuts = MACHINE.cuts_at(state)
        named = set(MACHINE.among(state, 0, 0x10FFFF))
        for code in range(1, 0x80):
            target = MACHINE.read(state, code)
            assert target is None or code in named
            if not cuts >> code & 1:
                assert target == MACHINE.read(state, code - 1)


@pytest.mark.parametrize("high", [0, 1, 5, 6, 7, 9, 14, None])
def test_lengths_are_those_of_texts(high: int | None) -> None:
    for state in STATES:
        possible = _lengths(state, 18)
        for low in range(0, 16, 3):
            last = 18 if high is None else high
            assert MACHINE.reaches(state, low, high) == any(low <= length <= last for length in possible), (
                state
            )
