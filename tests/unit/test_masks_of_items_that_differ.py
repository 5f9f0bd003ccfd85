"""Masks inside the strings of arrays whose items differ, or must not: what `advance` takes, at every place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import constrain

STRING = {"type": "string"}
SCHEMAS: list[Any] = [
    {"type": "array", "items": STRING, "uniqueItems": True},
    {"type": "array", "items": STRING, "uniqueItems": True, "maxItems": 2},
    {"type": "array", "items": STRING, "uniqueItems": True, "contains": {"const": "ab"}},
    {"type": "array", "items": STRING, "not": {"uniqueItems": True}},
    {"type": "array", "items": STRING, "not": {"uniqueItems": True}, "maxItems": 2},
    {
        "type": "array",
        "items": {"type": ["string", "array"], "items": STRING, "uniqueItems": True},
        "uniqueItems": True,
    },
    {
        "type": "array",
        "items": STRING,
        "anyOf": [{"uniqueItems": True}, {"contains": {"const": "ab"}, "maxItems": 3}],
    },
    {"type": "array", "items": STRING, "oneOf": [{"uniqueItems": True}, {"maxItems": 2}]},
    {"type": "array", "items": {"maxLength": 3, "type": "string"}, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["ab", "a", "b"]}, "uniqueItems": True},
    {"type": "array", "items": STRING, "uniqueItems": True, "not": {"enum": [["ab"], ["a", "b"]]}},
]
TEXTS = [
    b'["',
    b'["a',
    b'["ab","',
    b'["ab","a',
    b'["ab","b',
    b'["b","a',
    b'["a","b","',
    b'["\xc3',
    b'["a",["',
]
EXTRA = [
    b'ab"',
    b'b"',
    b'b"]',
    b'","',
    b'","ab"',
    b'b","b"',
    b'"]',
    b'","a","a"',
    b'",',
    b'" ]',
    b'b","ab"]',
    b'"],"',
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=range(len(SCHEMAS)))
@pytest.mark.parametrize("options", [constrain.Options(), constrain.ANY_TEXT], ids=["default", "any"])
def test_the_mask_is_what_advance_takes(schema: Any, options: constrain.Options) -> None:
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), *EXTRA, None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[len(tokens) - 1])
    constraint = constrain.compile_json_schema(schema, options=options)
    bitmask = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
    tried = 0
    for text in TEXTS:
        try:
            matcher = constraint.matcher(vocabulary, prefix=text)
        except constrain.ConstrainError:
            continue
        tried += 1
        for _ in range(2):  # the second mask may come from what the first left behind
            matcher.fill_bitmask(bitmask)
            bits = np.unpackbits(bitmask[0].view(np.uint8), bitorder="little")
            taken = {token for token in range(len(tokens)) if matcher.fork().advance(token)}
            assert set(np.flatnonzero(bits).tolist()) == taken, text
    assert tried >= 4
