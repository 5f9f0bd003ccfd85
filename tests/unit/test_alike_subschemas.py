"""Sub-schemas of one spelling are one goal only if they mean the same where they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

import constrain

CASES: list[tuple[Any, list[str], list[str]]] = [
    (
        {"properties": {"a": {"type": "string"}, "b": {"type": "string", "const": "x"}}},
        ['{"a":"y","b":"x"}'],
        ['{"b":"y"}'],
    ),
    (
        {"properties": {"a": {"const": True}, "b": {"const": 1}, "c": {"enum": [0]}, "d": {"enum": [False]}}},
        ['{"a":true,"b":1.0,"c":0,"d":false}'],
        ['{"a":1}', '{"b":true}', '{"c":false}', '{"d":0}'],
    ),
    (
        {
            "properties": {
                "a": {
                    "$id": "http://a.test/",
                    "$defs": {"x": {"type": "string"}},
                    "items": {"$ref": "#/$defs/x"},
                },
                "b": {
                    "$id": "http://b.test/",
                    "$defs": {"x": {"type": "null"}},
                    "items": {"$ref": "#/$defs/x"},
                },
            }
        },
        ['{"a":["x"],"b":[null]}'],
        ['{"a":[null]}', '{"b":["x"]}'],
    ),
    (
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "properties": {
                "a": {"minimum": 3, "exclusiveMinimum": True},
                "b": {"minimum": 3, "exclusiveMinimum": False},
                "c": {"items": {"type": "string"}},
                "d": {"items": {"type": "string", "maxLength": 1}},
            },
        },
        ['{"a":4,"b":3,"c":["xy"],"d":["x"]}'],
        ['{"a":3}', '{"d":["xy"]}', '{"c":[1]}'],
    ),
]


@pytest.mark.parametrize(("schema", "right", "wrong"), CASES, ids=lambda case: json.dumps(case)[:40])
def test_alike_subschemas_keep_their_meanings(schema: Any, right: list[str], wrong: list[str]) -> None:
    constraint = constrain.compile_json_schema(schema)
    assert [text for text in right if not constraint.accepts(text)] == []
    assert [text for text in wrong if constraint.accepts(text)] == []


def test_a_conflict_is_reported_where_it_stands() -> None:
    part = {"type": "string", "minLength": 3, "maxLength": 2}
    schema = {"type": "object", "properties": {"a": part, "b": dict(part)}, "required": ["b"]}
    with pytest.raises(constrain.UnsatisfiableError) as caught:
        constrain.compile_json_schema(schema)
    assert str(caught.value.location).startswith("#/properties/b")
