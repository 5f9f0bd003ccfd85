"""The pruning of remainders: what it refuses never follows, and it tells where a value ends."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from constrain.matching.json_lookahead import (
    BETWEEN_TOKENS,
    KEY_REMAINDER,
    NUMBER_REMAINDER,
    VALUE_REMAINDER,
    may_follow,
    value_end,
)


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(8 if depth else 6)
    if kind == 6:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {
            rng.choice(["a", 'q"', "\\", "b,}"]) + str(i): _value(rng, depth - 1)
            for i in range(rng.randrange(4))
        }
    return [None, True, False, -1.5e10, 17, 'x", \\ {'][kind]


def _tokens(text: str) -> list[tuple[int, int, str]]:
    """(begin, end, kind) of the JSON tokens of a text."""
    found = []
    index = 0
    while index < len(text):
        begin = index
        if text[index] in " \n":
            index += 1
            continue
        if text[index] == '"':
            index += 1
            while text[index] != '"':
                index += 2 if text[index] == "\\" else 1
            index += 1
            kind = "string"
        elif text[index] in "{}[],:":
            index += 1
            kind = text[begin]
        else:
            while index < len(text) and text[index] not in " \n{}[],:":
                index += 1
            kind = "number" if text[begin] in "-0123456789" else "literal"
        found.append((begin, index, kind))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_what_follows_may_follow(seed: int) -> None:
    rng = random.Random(seed)
    text = json.dumps(_value(rng, 3), indent=rng.choice([None, 1]), separators=rng.choice([None, (",", ":")]))
    tokens = _tokens(text)
    for place, (begin, end, kind) in enumerate(tokens):
        following = tokens[place + 1][2] if place + 1 < len(tokens) else ""
        for cut in {end, rng.randint(end, len(text)), len(text)}:
            rest = text[end:cut].encode()
            if kind == "string":
                assert may_follow(rest, KEY_REMAINDER if following == ":" else VALUE_REMAINDER)
            elif kind in ("]", "}", "literal"):
                assert may_follow(rest, VALUE_REMAINDER)
            assert may_follow(text[begin:cut].encode(), BETWEEN_TOKENS)
            if kind == "number":
                assert may_follow(text[rng.randint(begin + 1, end) : cut].encode(), NUMBER_REMAINDER)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b"a", VALUE_REMAINDER),
        (b":", VALUE_REMAINDER),
        (b",,", VALUE_REMAINDER),
        (b",x", VALUE_REMAINDER),
        (b"]x", VALUE_REMAINDER),
        (b'"', VALUE_REMAINDER),
        (b",", KEY_REMAINDER),
        (b"::", KEY_REMAINDER),
        (b":}", KEY_REMAINDER),
        (b': "a"x', KEY_REMAINDER),
        (b"1x", NUMBER_REMAINDER),
        (b"1:", NUMBER_REMAINDER),
        (b"x", BETWEEN_TOKENS),
        (b"[}", BETWEEN_TOKENS),
    ],
)
def test_what_no_json_has_is_refused(text: bytes, places: int) -> None:
    assert not may_follow(text, places)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"", -1),
        (b": 1", -1),
        (b':"a"', -1),
        (b':"a" \n', -1),
        (b': {"a": [1, 2]}', -1),
        (b':"},"', -1),
        (b':"\\",', -1),
        (b":1,", 2),
        (b':"a"}', 4),
        (b":[],", 3),
        (b': {"a": 1} }', 11),
    ],
)
def test_where_a_value_ends(text: bytes, end: int) -> None:
    assert value_end(text) == end
