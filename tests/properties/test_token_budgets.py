"""Within a budget of tokens a mask holds exactly what can be taken, and every document ends in time.

That has to hold whatever was written with the same constraint before (what is known of completions is
kept by position), after tokens were taken back, and where masks were not asked for.
"""

from __future__ import annotations

import json
import random
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
