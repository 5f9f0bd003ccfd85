"""What a constraint was compiled to is freed when the last who uses it is gone, not by the collector."""

from __future__ import annotations

import gc
import json
from typing import Any

import numpy as np
import pytest

import constrain
from constrain.matching.frames_cy import Frame
from tests.support.real_engine import vocabulary

TOKENS = [None, b'{"a":', b"[", b"]", b"}", b"1", b",", b'"', b"a", b'"b":']
SCHEMAS: list[dict[str, Any]] = [
    {"properties": {"a": {"type": "array", "items": {"$ref": "#"}}, "b": {"type": "string"}}},
    {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "patternProperties": {"^a": {"type": "number"}}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_frames_are_freed_with_the_constraint(schema: dict[str, Any]) -> None:
    tokens = vocabulary(TOKENS)
    # What is kept per vocabulary is made once.
    constrain.compile_json_schema(True).matcher(tokens)
    gc.collect()
    gc.disable()
    try:
        before = {id(each) for each in gc.get_objects() if type(each) is Frame}
        constraint = constrain.compile_json_schema(schema)
        matcher = constraint.matcher(tokens)
        row = np.zeros((1, 1), dtype=np.int32)
        for token in [1, 2, 3, 4] if "properties" in schema else [1, 5]:
            matcher.fill_bitmask(row)
            assert matcher.advance(token)
        del constraint
        # A matcher goes on without its constraint.
        matcher.fork().fill_bitmask(row)
        del matcher
        left = [each for each in gc.get_objects() if type(each) is Frame and id(each) not in before]
        assert not left
    finally:
        gc.enable()
