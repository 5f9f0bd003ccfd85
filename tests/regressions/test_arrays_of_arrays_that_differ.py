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
    assert (
        len(json.loads(constrain.compile_json_schema({**schema, "minItems": 4}).example(minimal=True))) == 4
    )
