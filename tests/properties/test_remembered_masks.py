"""What is remembered from one document to the next changes no mask, and is bounded.

Frames and whole masks are kept per constraint; a constraint that has written many documents has to
fill the masks that a new one does.
"""

from __future__ import annotations

import gc
import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import constrain
from constrain.automata.table_cy import COMPILED
from constrain.matching import frames_cy
from constrain.matching.position_cy import Position
from tests.support.random_schemas import random_schema, small_vocabulary
from tests.support.real_engine import vocabulary

#: What a worn constraint may keep: everything, a few masks only, next to nothing.
BUDGETS = [64 * 1024 * 1024, 200, 1]


def _mask(matcher: constrain.Matcher, words: int) -> bytes:
    row = np.zeros((1, words), dtype=np.int32)
    matcher.fill_bitmask(row)
    return row.tobytes()


def _tokens(mask: bytes) -> list[int]:
    bits = np.unpackbits(np.frombuffer(mask, dtype=np.uint8), bitorder="little")
    return [int(token) for token in np.flatnonzero(bits)]


def _compiled(schema: Any, budget: int) -> constrain.Constraint | None:
    options = replace(constrain.ANY_TEXT, max_mask_bytes=budget)
    try:
        return constrain.compile_json_schema(schema, options=options)
    except constrain.ConstrainError:
        return None


@pytest.mark.parametrize("seed", range(150))
def test_a_worn_constraint_fills_the_masks_of_a_new_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    if seed % 3 == 0:
        monkeypatch.setattr(frames_cy, "_MOST_FRAMES", rng.choice([1, 3, 10]))
    schema = random_schema(rng)
    worn = _compiled(schema, BUDGETS[seed % len(BUDGETS)])
    if worn is None:
        return
    tokens = vocabulary(small_vocabulary(rng))
    words = (tokens.size + 31) // 32
    for _ in range(6):
        fresh = _compiled(schema, BUDGETS[0])
        assert fresh is not None
        ours, theirs = worn.matcher(tokens), fresh.matcher(tokens)
        for _ in range(40):
            try:
                mask = _mask(ours, words)
            except constrain.LimitExceeded:  # numbers of a million digits that have to differ
                break
            assert mask == _mask(theirs, words), json.dumps(schema)
            choices = _tokens(mask)
            if not choices or ours.finished:
                break
            token = rng.choice(choices)
            assert ours.advance(token)
            assert theirs.advance(token)


@pytest.mark.parametrize("seed", range(150))
def test_a_worn_constraint_keeps_budgets(seed: int) -> None:
    rng = random.Random(seed)
    schema = random_schema(rng)
    constraint = _compiled(schema, BUDGETS[0])
    if constraint is None:
        return
    tokens = vocabulary([*small_vocabulary(rng)[:-1], *(bytes([byte]) for byte in range(256)), None])
    words = (tokens.size + 31) // 32
    least = len(constraint.matcher(tokens).plan()) + 1
    for _ in range(6):
        budget = least + rng.choice([0, 1, 3, 10, 40])
        matcher = constraint.matcher(tokens, max_tokens=budget)
        for taken in range(budget):
            try:
                allowed = _tokens(_mask(matcher, words))
            except constrain.LimitExceeded:
                break
            # As long as the document is not complete there is a token, and what is allowed can be taken.
            assert allowed
            for token in rng.sample(allowed, min(8, len(allowed))):
                assert matcher.fork().advance(token), (taken, token, json.dumps(schema))
            matcher.advance(rng.choice(allowed))
            if matcher.finished:
                break
        else:
            raise AssertionError(f"not complete within {budget} tokens: {json.dumps(schema)}")


def test_rows_of_another_width_are_filled_from_what_is_remembered() -> None:
    tokens = vocabulary([*(bytes([byte]) for byte in range(256)), None])
    matcher = constrain.compile_json_schema({"type": "array"}).matcher(tokens)
    expected = np.zeros((1, 9), dtype=np.int32)
    matcher.fill_bitmask(expected)
    for width in (1, 8, 9, 12):
        row = np.full((3, width), -1, dtype=np.int32)
        assert matcher.fill_bitmask(row, 1)
        common = min(width, 9)
        assert (row[1, :common] == expected[0, :common]).all()
        assert not row[1, common:].any()
        assert (row[[0, 2]] == -1).all()


def test_a_graph_that_is_full_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_cy, "_MOST_FRAMES", 5)
    constraint = constrain.compile_json_schema({"type": "object"})
    first = constraint._machine.root_frame()
    assert constraint._machine.root_frame() is first
    assert constraint.accepts(json.dumps({f"key{number}": [number] for number in range(20)}))
    assert constraint._machine.root_frame() is not first
    assert constraint.accepts('{"key0": [0]}')


def _resident() -> int:
    """Return the bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _schema(number: int) -> dict[str, Any]:
    """A schema like no other: names, patterns, enums and bounds of its own."""
    return {
        "type": "object",
        "properties": {
            f"name{number}": {"type": "string", "pattern": f"^[a-f]{{{number % 7 + 1}}}x{number}$"},
            f"kind{number}": {"enum": [f"kind {number} {item}" for item in range(8)]},
            "amount": {"type": "number", "minimum": number, "multipleOf": 0.01},
            "list": {"type": "array", "items": {"type": "string", "maxLength": number % 50 + 3}},
        },
        "required": [f"name{number}"],
    }


@pytest.mark.skipif(not COMPILED, reason="whole masks are kept in an uncompiled build")
def test_small_masks_take_little_of_the_budget() -> None:
    # A row is 16 kB: the budget has room for 64 of them in a generation, but these differ by few tokens.
    tokens = vocabulary([*(bytes([byte]) for byte in range(256)), *(b"%d" % n for n in range(128_000)), None])
    names = [f"{first}{second}{third}" for first in "abcdefgh" for second in "abcdefgh" for third in "abc"]
    options = constrain.Options(max_mask_bytes=4 * 1024 * 1024)
    schema = {"properties": {name: {"type": "boolean"} for name in names}, "additionalProperties": False}
    session = constrain.compile_json_schema(schema, options=options).matcher(tokens).session
    builder = session.builder

    def masks() -> list[Any]:
        position = Position(session.policy)
        position.begin(session.machine.root)
        found = []
        for byte in json.dumps(dict.fromkeys(names, True), separators=(",", ":")).encode()[:1200]:
            assert position.step(byte, position)
            builder.filled(position)
            found.append(builder.filled(position))
        return found

    first, second = masks(), masks()
    assert len(first) == 1200
    assert sum(one is other for one, other in zip(first, second, strict=True)) == 1200
    assert len({id(one) for one in first}) > 500


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_is_bounded_under_many_schemas() -> None:
    count = 5000 if os.environ.get("CONSTRAIN_LONG") else 400
    tokens = vocabulary([*(bytes([byte]) for byte in range(256)), *(b"%d" % n for n in range(20_000)), None])
    row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)
    before = 0
    for number in range(count):
        if number == count // 4:
            gc.collect()
            before = _resident()
        matcher = constrain.compile_json_schema(_schema(number)).matcher(tokens)
        for token in matcher.plan():
            matcher.fill_bitmask(row)
            assert matcher.advance(token)
    gc.collect()
    assert _resident() - before < 48 * 1024 * 1024


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_of_one_constraint_is_bounded_under_many_documents() -> None:
    count = 3000 if os.environ.get("CONSTRAIN_LONG") else 300
    tokens = vocabulary([*(bytes([byte]) for byte in range(256)), *(b"%d" % n for n in range(20_000)), None])
    row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)
    options = constrain.Options(max_mask_bytes=4 * 1024 * 1024)
    constraint = constrain.compile_json_schema({"type": "object"}, options=options)
    before = 0
    for number in range(count):
        if number == count // 4:
            gc.collect()
            before = _resident()
        matcher = constraint.matcher(tokens)
        text = json.dumps({f"k{number}-{item}": [item, {"x": str(number)}] for item in range(20)})
        for byte in text.encode():
            matcher.fill_bitmask(row)
            assert matcher.advance(byte)
    gc.collect()
    assert _resident() - before < 48 * 1024 * 1024
