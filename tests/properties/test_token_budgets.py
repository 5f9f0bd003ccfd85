"""Within a budget of tokens a mask holds exactly what can be taken, and every document ends in time.

That has to hold whatever was written with the same constraint before (what is known of completions is
kept by position), after tokens were taken back, and where masks were not asked for.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

import constrain
from tests.support.random_schemas import random_schema, small_vocabulary
from tests.support.real_engine import vocabulary


def _allowed(matcher: constrain.Matcher, n_tokens: int) -> list[int]:
    row = np.zeros((1, (n_tokens + 31) // 32), dtype=np.int32)
    matcher.fill_bitmask(row)
    return [int(i) for i in np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little"))]


def _write(matcher: constrain.Matcher, n_tokens: int, budget: int, rng: random.Random, schema: Any) -> None:
    """Write one document within the budget; go back now and then, and skip masks."""
    where = json.dumps(schema)
    while not matcher.finished:
        assert matcher.n_tokens < budget, where
        allowed = _allowed(matcher, n_tokens)
        assert allowed, (where, budget, matcher.n_tokens)
        for token in range(n_tokens):
            assert matcher.fork().advance(token) == (token in allowed), (where, budget, token)
        plan = matcher.plan()
        choices = plan[:1] if plan and rng.random() < 0.4 else allowed
        assert matcher.advance(rng.choice(choices)), where
        if not matcher.finished:
            # A few tokens of the plan without a mask.
            for token in matcher.plan()[: rng.choice([0, 0, 2])]:
                assert matcher.advance(token), where
        if rng.random() < 0.25:
            matcher.rollback(rng.randint(1, min(4, matcher.n_tokens)))


@pytest.mark.parametrize("seed", range(120))
def test_masks_and_tokens_agree_and_documents_end(seed: int) -> None:
    rng = random.Random(seed)
    schema = random_schema(rng)
    try:
        constraint = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
    except constrain.ConstrainError:
        return
    tokens = vocabulary([*small_vocabulary(rng)[:-1], *(bytes([byte]) for byte in range(256)), None])
    least = len(constraint.matcher(tokens).plan()) + 1
    if least > 60:
        return
    for slack in (12, 0, 1, 3):
        budget = least + slack
        matcher = constraint.matcher(tokens, max_tokens=budget)
        try:
            _write(matcher, tokens.size, budget, rng, schema)
        except constrain.LimitExceeded:  # numbers of a million digits that have to differ
            return


ITEMS = b"aaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 3},
        {"type": "string", "minLength": 1, "maxLength": 8},
        {"type": "string", "maxLength": 30},
        {"type": "string", "pattern": "^(x|yy{9}){12}$"},
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 2},
        {
            "properties": {"a": {"type": "string", "minLength": 2}, "b": {"const": ITEMS.decode()}},
            "required": ["b"],
        },
        {
            "anyOf": [
                {"enum": [ITEMS.decode(), 1]},
                {"type": "array", "minItems": 3, "items": {"type": "string"}},
            ]
        },
    ],
    ids=lambda schema: json.dumps(schema)[:40],
)
def test_texts_and_containers(schema: Any) -> None:
    pieces = [
        b"aa",
        b"aaa",
        ITEMS,
        b'a"',
        b'",',
        b'":"',
        b"\\u00",
        b"\xe2\x82",
        b"\x82\xac",
        b"xx",
        b"yyyyy",
        b'"],',
    ]
    tokens = vocabulary([*pieces, *(bytes([byte]) for byte in range(256)), None])
    constraint = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
    least = len(constraint.matcher(tokens).plan()) + 1
    for seed, slack in enumerate((40, 0, 1, 2, 5, 9, 20, 0, 3)):
        matcher = constraint.matcher(tokens, max_tokens=least + slack)
        _write(matcher, tokens.size, least + slack, random.Random(seed), schema)


def test_a_plan_without_a_budget_is_about_the_current_position() -> None:
    tokens = vocabulary([*(bytes([byte]) for byte in range(256)), None])
    matcher = constrain.compile_json_schema({"enum": [10, [1]]}, options=constrain.ANY_TEXT).matcher(tokens)
    assert matcher.plan() == list(b"10")
    assert matcher.advance(ord("\t"))
    assert matcher.plan() == list(b"10")
    assert matcher.advance(ord("["))
    assert matcher.plan() == list(b"1]")
    matcher.rollback(1)
    assert matcher.plan() == list(b"10")


def test_completions_that_are_too_long_do_not_fit() -> None:
    tokens = vocabulary([*(bytes([byte]) for byte in range(256)), b'["', None])
    schema = {"type": "array", "items": {"type": "string", "minLength": 2_000_000}}
    matcher = constrain.compile_json_schema(schema, options=constrain.Options(whitespace="compact")).matcher(
        tokens, max_tokens=20
    )
    assert _allowed(matcher, tokens.size) == [ord("[")]
    assert not matcher.advance(256)
    assert matcher.advance(ord("["))
    assert _allowed(matcher, tokens.size) == [ord("]")]


def test_completions_of_deep_documents_take_time_in_proportion() -> None:
    tokens = vocabulary([*(bytes([byte]) for byte in range(256)), None])

    def seconds(depth: int) -> float:
        schema = {"type": "array", "items": {"$ref": "#"}}
        matcher = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT).matcher(tokens)
        assert matcher.advance_tokens(b"[" * depth) == depth
        start = time.process_time()
        assert matcher.completion() == b"]" * depth
        return time.process_time() - start

    seconds(100)
    assert seconds(16_000) < 40 * max(seconds(1_000), 0.002)


def test_graphs_of_frames_are_replaced_while_other_threads_use_them() -> None:
    """In a process of its own: what goes wrong here ends the process."""
    done = subprocess.run(
        [sys.executable, "-c", _THREADS], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


_THREADS = """
import sys, threading, time
import constrain
from constrain.matching import frames_cy

sys.setswitchinterval(1e-6)
frames_cy._MOST_FRAMES = 6
tokens = constrain.Vocabulary.from_token_bytes([*(bytes([byte]) for byte in range(256)), None], eos_ids=[256])
properties = {name: {"type": "array", "items": {"type": "integer"}, "minItems": 2} for name in "abcdef"}
constraint = constrain.compile({"type": "object", "properties": properties, "required": list("abc")})
wrong = []
end = time.time() + 4

def work(number):
    count = number
    while time.time() < end:
        count += 1
        try:
            matcher = constraint.matcher(tokens)
            text = b'{"%c":[1,2],"%c":[3' % (97 + count % 6, 97 + (count + 1) % 6)
            if matcher.advance_tokens(text) != len(text) or not constraint.accepts(text + matcher.completion()):
                wrong.append(text)
        except Exception as error:
            wrong.append(error)

threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(wrong[:3])
"""


@pytest.mark.parametrize("budget", [60, 6])
def test_what_no_token_spells_is_an_error_however_large_the_budget(budget: int) -> None:
    tokens = vocabulary([*(bytes([byte]) for byte in b'{}[]:,"ab01'), None])
    schema = {"type": "object", "properties": {"a": {"enum": ["Q"]}, "b": {}}}
    matcher = constrain.compile_json_schema(schema).matcher(tokens, max_tokens=budget)

    def follow(ids: list[int]) -> None:
        for token in ids:
            _allowed(matcher, tokens.size)
            matcher.advance(token)

    with pytest.raises(constrain.VocabularyError, match="0x51"):
        follow(tokens.encode(b'{"a'))
