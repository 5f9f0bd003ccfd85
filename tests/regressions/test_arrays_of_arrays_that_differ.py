"""Arrays of different arrays of ...: counting their values never ended."""

from __future__ import annotations

import json
from typing import Any

import constrain


def test_a_schema_whose_items_are_itself_and_differ() -> None:
    schema: Any = {"type": "array", "items": {"$ref": "#"}, "uniqueItems": True}
    constraint = constrain.compile_json_schema(schema)
    assert constraint.accepts("[[],[[]],[[],[[]]]]")
    assert not constraint.accepts("[[],[[]],[[]]]")
    assert constraint.accepts(constraint.example(seed=3))


def test_four_different_arrays_of_different_arrays() -> None:
    items = {"$ref": "#/$defs/any"}
    schema: Any = {"type": "array", "items": items, "uniqueItems": True}
    four = {**schema, "minItems": 4, "$defs": {"any": schema}}
    assert len(json.loads(constrain.compile_json_schema(four).example(minimal=True))) == 4
