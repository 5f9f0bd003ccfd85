"""What is said to have a most simple value at a glance has one when it is looked into."""

from __future__ import annotations

import random
from typing import Any

import pytest

import constrain
from tests.support.random_schemas import random_schema


def test_a_simple_value_is_a_value() -> None:
    simple = 0
    for number in range(400):
        schema = random_schema(random.Random(number))
        try:
            constraint = constrain.compile_json_schema(schema)
        except constrain.UnsatisfiableError:
            continue
        emptiness = constraint._machine.emptiness
        formulas = constraint._machine.algebra.formulas
        for node in list(constraint._compiler._nodes.values()):
            if node.has_simple_value():
                simple += 1
                goal = formulas.variable(node)
                assert any(emptiness.is_kind_nonempty(goal, kind) for kind in range(7)), (number, node)
    assert simple > 100


#: Schemas of one property, and whether it can be written.
CASES: list[tuple[Any, bool]] = [
    ({"$ref": "#/$defs/text"}, True),
    ({"$ref": "#/$defs/loop"}, False),
    ({"$ref": "#/$defs/never"}, False),
    ({"enum": ["\ud800"]}, False),
    ({"enum": ["\ud800", 3]}, True),
    ({"type": "string", "enum": [1, 2]}, False),
    ({"type": "integer", "enum": [True, "1"]}, False),
    ({"type": "boolean", "enum": [1, 0]}, False),
    ({"type": ["null", "string"], "enum": [None]}, True),
    ({"type": "boolean", "minimum": 5}, True),
    ({"type": "boolean", "const": 3}, False),
    ({"type": "null", "not": {}}, False),
    ({"type": "integer", "minimum": 3, "maximum": 2}, False),
    ({"type": "integer", "minimum": 3, "maximum": 3}, True),
    ({"type": "integer", "minimum": 2.5, "maximum": 2.75}, False),
    ({"type": "number", "minimum": 2.5, "maximum": 2.75}, True),
    ({"type": "integer", "minimum": 3, "exclusiveMaximum": 3}, False),
    ({"type": "array", "minItems": 2, "items": {"const": 1}}, True),
    ({"type": "array", "minItems": 2, "items": {"const": 1}, "uniqueItems": True}, False),
    ({"type": "array", "minItems": 2, "items": False}, False),
    ({"type": "array", "minItems": 2, "maxItems": 1}, False),
    ({"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/never"}}, False),
    ({"type": "object", "required": ["a"], "properties": {"a": False}}, False),
    ({"type": "object", "required": ["a"], "properties": {"a": {"type": "null", "not": {}}}}, False),
    ({"type": "object", "required": ["a"], "properties": {"b": {}}, "additionalProperties": False}, False),
    ({"type": "object", "required": ["a"], "properties": {"a": {}}, "additionalProperties": False}, True),
    ({"type": "object", "required": ["a"], "patternProperties": {"^a": False}}, False),
    ({"type": "object", "required": ["a"], "propertyNames": {"maxLength": 0}}, False),
    ({"type": "object", "required": ["a", "b"], "maxProperties": 1}, False),
    ({"type": "object", "required": ["\ud800"]}, False),
    ({"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/$defs/list"}}}, False),
]
DEFINITIONS = {
    "text": {"type": "string", "minLength": 2},
    "never": {"type": "string", "allOf": [False]},
    "loop": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/$defs/loop"}}},
    "list": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/$defs/list"}}},
}


@pytest.mark.parametrize(("schema", "is_offered"), CASES)
@pytest.mark.parametrize("options", [constrain.Options(), constrain.ANY_TEXT], ids=["default", "any"])
def test_a_property_is_offered_exactly_if_it_has_a_value(
    schema: Any, is_offered: bool, options: constrain.Options
) -> None:
    source = {
        "type": "object",
        "properties": {"here": schema},
        "additionalProperties": False,
        "$defs": DEFINITIONS,
    }
    tokens = [*(bytes([byte]) for byte in range(256)), None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[256])
    matcher = constrain.compile_json_schema(source, options=options).matcher(vocabulary, prefix=b"{")
    assert matcher.advance(ord('"')) == is_offered
