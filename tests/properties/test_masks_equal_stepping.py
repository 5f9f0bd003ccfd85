"""Masks are exactly what the naive loop finds: fork, advance, for each token of the vocabulary.

The shortcuts of the mask walk (subs, stripped blanks, slices by length, cached masks) are the
subject; the vocabularies are random strings of JSON fragments, so that tokens open, close and
cross everything.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import constrain

SCHEMAS: list[Any] = [
    {},
    {
        "type": "object",
        "properties": {
            "a": {"type": "string", "maxLength": 3},
            "ab": {"type": "integer", "minimum": 3},
            "b": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        },
        "required": ["a"],
    },
    {"type": "object", "additionalProperties": {"type": "string", "minLength": 2}},
    {
        "type": "object",
        "patternProperties": {"^a": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
    },
    {"type": "array", "items": {"type": "object", "properties": {"a": False}, "maxProperties": 2}},
    {"type": "object", "additionalProperties": {"type": "number", "multipleOf": 0.5}},
    {
        "type": "object",
        "oneOf": [
            {"properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
        ],
    },
    {"type": "string", "pattern": "^(a|b,)+$"},
    {"type": "string", "minLength": 2, "maxLength": 5},
    {"type": "array", "items": {"type": "string", "maxLength": 2}},
]
POLICIES = [
    constrain.Options(),
    constrain.ANY_TEXT,
    constrain.Options(whitespace="compact"),
    constrain.Options(property_order="schema"),
    replace(constrain.ANY_TEXT, whitespace="bounded"),
]
FRAGMENTS = [
    *(b'"', b"a", b"b", b"ab", b":", b",", b"{", b"}", b"[", b"]", b" ", b"\n", b"\t", b"\r"),
    *(b"1", b".5", b"e1", b"-", b"0", b"\\", b"\\u00", b"61", b"u", b"n", b"null", b"true"),
    *(b"\xc3", b"\xa9", b"\xe6\x97"),
]


def _vocabulary(rng: random.Random) -> constrain.Vocabulary:
    tokens = {bytes((byte,)) for byte in range(256)}
    tokens |= {b"".join(rng.choice(FRAGMENTS) for _ in range(rng.randint(1, 6))) for _ in range(300)}
    table: list[bytes | None] = [*sorted(tokens), b"a", b'":', None]
    return constrain.Vocabulary.from_token_bytes(table, eos_ids=[len(table) - 1])


def _naive(matcher: constrain.Matcher, vocabulary: constrain.Vocabulary) -> set[int]:
    return {token for token in range(vocabulary.size) if matcher.fork().advance(token)}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_mask_allows_what_stepping_allows(schema: Any) -> None:
    rng = random.Random(repr(schema))
    for policy in POLICIES:
        vocabulary = _vocabulary(rng)
        constraint = constrain.compile(schema, options=policy)
        for _ in range(3):
            matcher = constraint.matcher(vocabulary)
            bitmask = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
            written = b""
            for _ in range(25):
                matcher.fill_bitmask(bitmask)
                bits = np.unpackbits(bitmask[0].view(np.uint8), bitorder="little")
                allowed = np.flatnonzero(bits).tolist()
                assert set(allowed) == _naive(matcher, vocabulary), (policy, written)
                if matcher.finished:
                    break
                weights = [min(4, len(vocabulary.token_bytes(token) or b"x")) for token in allowed]
                token = rng.choices(allowed, weights)[0]
                assert matcher.advance(token)
                written += vocabulary.token_bytes(token) or b""
