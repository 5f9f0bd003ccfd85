"""Patterns that blow up elsewhere: each works or meets a budget, soon."""

from __future__ import annotations

import time
from typing import Any

import pytest

import constrain
from constrain.errors import LimitExceeded, UnsatisfiableError

LETTERS = "abcdefghijkl"
ALL_LETTERS = "^" + "".join(f"(?=.*{letter})" for letter in LETTERS) + ".*$"
PATTERNS = {
    "alternatives that are alike": "(a|a)*b",
    "nested counters": "(.{1,1000}){1,1000}",
    "adjacent loops": "(x+x+)+y",
    "a loop over a loop": "^(([a-z])+.)+[A-Z]([a-z])+$",
    "a long counter": ".{0,100000}",
    "counters that may be empty": "(a{0,500}){0,500}",
    "ten thousand empty groups": "(" * 10_000 + ")" * 10_000,
    "ten thousand loops": "(" * 10_000 + "a" + ")*" * 10_000,
    "twelve lookaheads": ALL_LETTERS,
    "twelve negative lookaheads": ALL_LETTERS.replace("=", "!"),
    "optional, then required": "^(a?){3000}a{3000}$",
    "a letter long before the end": "^.*a.{200}$",
    "a lookbehind with a counter": "(?<!a.{15})b",
}
#: Those whose texts have more than 50 characters.
TOO_LONG = ("optional, then required", "a letter long before the end")


@pytest.mark.parametrize("bounds", [{}, {"maxLength": 50}, {"minLength": 20, "maxLength": 5000}], ids=str)
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_hostile_patterns_work_or_meet_a_budget_soon(name: str, bounds: dict[str, Any]) -> None:
    begin = time.perf_counter()
    try:
        constraint = constrain.compile_json_schema({"type": "string", "pattern": PATTERNS[name], **bounds})
        example = constraint.example()
    except LimitExceeded:
        pass
    except UnsatisfiableError:
        assert name in TOO_LONG
        assert bounds.get("maxLength") == 50
    else:
        assert constraint.accepts(example)
    # On a machine of its own it takes at most two seconds.
    assert time.perf_counter() - begin < 20


@pytest.mark.parametrize("pattern", [ALL_LETTERS, ALL_LETTERS.strip("^")])
def test_twelve_lookaheads_are_exact(pattern: str) -> None:
    constraint = constrain.compile_json_schema({"type": "string", "pattern": pattern, "maxLength": 20})
    assert constraint.accepts(f'"{LETTERS[::-1]}"')
    assert not constraint.accepts(f'"{LETTERS[1:]}"')
    assert not constraint.accepts(f'"{LETTERS[1:]}{"b" * 10}"')


#: Texts of exactly 40 characters that have all of these in them; the shortest needs 16.
CROWDED = {
    "type": "string",
    "allOf": [
        {"pattern": f"^{'.' * 40}$"},
        {"pattern": "^\\w*$"},
        {"pattern": "1.*2"},
        {"pattern": "[aA][12].*[zZ]"},
        *[{"pattern": piece} for piece in ("ab1", "b12", "bc1", "c12", "ca1", "a12", "ac", "a2")],
        {"maxLength": 200},
    ],
}


@pytest.mark.parametrize("fillers", [0, 20, 24, 25, 30])
def test_many_demands_in_texts_of_one_length_are_decided(fillers: int) -> None:
    constraint = constrain.compile_json_schema(CROWDED)
    vocabulary = constrain.Vocabulary.from_token_bytes(
        [bytes([byte]) for byte in range(256)] + [None], eos_ids=[256]
    )
    matcher = constraint.matcher(vocabulary)
    text = b'"' + b"x" * fillers
    possible = all(matcher.advance(byte) for byte in text)
    # A breadth-first search over words finds nothing shorter than this.
    assert possible == (fillers <= 40 - len("ab12aca12a2bc12z"))
    if possible:
        assert constraint.accepts(text + matcher.completion())


def test_raising_max_steps_helps() -> None:
    few = constrain.Options(max_steps=300)
    with pytest.raises(LimitExceeded, match="max_steps"):
        constrain.compile_json_schema(CROWDED, options=few).example()
    assert constrain.compile_json_schema(CROWDED).example()
