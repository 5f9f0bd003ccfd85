"""One new item may stand for all others only if the items to come do not tell them apart."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest

import constrain
from tests.support.real_engine import vocabulary

TOKENS = [
    *(None, b"[", b"]", b'"', b"a", b"b", b'",', b'a"', b'a",', b'b",', b",", b'","', b'"]', b'a","b"'),
    *(b"aa", b'"a"', b'","a"', b'a"]', b'b"', b'["', b'["a', b'["b",', b'","b","', b"1", b"\\u0061", b"[["),
    *(b'"x', b'x"', b'":"', b'{"x":"', b'"}', b"{", b"}"),
]
SCHEMAS: list[dict[str, Any]] = [
    # The second item can be nothing but what the first may have been.
    {"prefixItems": [{"type": "string"}, {"enum": ["a"]}], "items": False},
    {"prefixItems": [{"type": "string"}, {"enum": ["a", 1]}], "items": {"enum": ["a", "b"]}},
    {"prefixItems": [{"type": "string"}], "items": {"enum": ["a", "b", "aa"]}, "minItems": 2},
    {"prefixItems": [{"minLength": 1}, {"enum": ["a"]}], "items": False},
    {"items": {"type": "string", "minLength": 1}},
    {"items": {"type": "string", "minLength": 2, "maxLength": 2}},
    {"items": {"type": "string", "maxLength": 2}},
    {"items": {"type": "string", "pattern": "^a*$"}},
    {"items": {"enum": ["a", "b", "aa"]}, "minItems": 3},
    {"items": {"type": "string"}, "contains": {"const": "a"}},
    {"items": {"type": "string", "minLength": 1}, "contains": {"pattern": "b"}, "minContains": 2},
    {"items": {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}},
    {"items": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 1}}},
]
LOOSE: list[dict[str, Any]] = [
    {"items": {"type": "string"}, "anyOf": [{"uniqueItems": True}, {"maxItems": 2}]},
    {"items": {"type": "string", "minLength": 1}, "anyOf": [{"uniqueItems": True}, {"maxItems": 2}]},
    {"items": {"enum": ["a", "b", "aa"]}, "anyOf": [{"uniqueItems": True}, {"maxItems": 2}]},
    {"oneOf": [{"items": {"pattern": "^a"}, "uniqueItems": True}, {"items": {"minLength": 2}}]},
    {"items": {"type": "string"}, "not": {"uniqueItems": True}},
]


@pytest.mark.parametrize(
    "schema", [*({**schema, "uniqueItems": True} for schema in SCHEMAS), *LOOSE], ids=json.dumps
)
def test_masks_of_arrays_of_different_items_are_exact(schema: dict[str, Any]) -> None:
    tokens = vocabulary(TOKENS)
    constraint = constrain.compile_json_schema({"type": "array", **schema}, options=constrain.ANY_TEXT)
    row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)
    for seed in range(12):
        rng = random.Random(seed)
        matcher = constraint.matcher(tokens)
        for _ in range(25):
            matcher.fill_bitmask(row)
            bits = np.unpackbits(row.view(np.uint8), bitorder="little")
            allowed = [int(token) for token in np.flatnonzero(bits)]
            stepped = [token for token in range(tokens.size) if matcher.fork().advance(token)]
            assert allowed == stepped
            if not allowed or matcher.finished:
                break
            assert matcher.advance(rng.choice(allowed))
