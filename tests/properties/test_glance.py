"""What a glance tells of the keywords of a sub-schema is so when it is looked into."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import constrain
from constrain.frontends.json_schema.dialects import DIALECTS
from constrain.frontends.json_schema.scan_cy import is_leaf
from tests.support.random_schemas import random_schema

VALUES: list[list[Any]] = [
    [None],
    [False],
    [True],
    [0, 1, -2, 3, 17, 0.5, -0.5, 2.75],
    ["", "a", "b", "ab", "aa", "é", "abab"],
    [[], [1], ["a", "b"], [None, None], [[], {}, 5]],
    [{}, {"a": 1}, {"b": "a"}, {"a": {}, "b": None}, {"ab": [], "é": True}, {"a": "b", "b": 2, "ab": 1}],
]


def _nodes() -> Iterator[tuple[int, Any, constrain.Constraint, Any]]:
    """Yield (number of the schema, schema, its constraint, node) of random schemas that have values."""
    for number in range(400):
        schema = random_schema(random.Random(number))
        try:
            constraint = constrain.compile_json_schema(schema)
        except constrain.UnsatisfiableError:
            continue
        for node in constraint._compiler.nodes():
            yield number, schema, constraint, node


def test_what_has_a_simple_value_or_kind_has_one() -> None:
    simple = 0
    for number, _, constraint, node in _nodes():
        emptiness = constraint._machine.emptiness
        goal = constraint._machine.algebra.formulas.variable(node)
        kinds = [kind for kind in range(7) if node.has_simple_kind(kind)]
        simple += bool(kinds)
        for kind in kinds:
            assert emptiness.is_kind_nonempty(goal, kind), (number, node, kind)
        if node.has_simple_value():
            assert any(emptiness.is_kind_nonempty(goal, kind) for kind in range(7)), (number, node)
    assert simple > 100


def test_a_kind_that_is_ruled_out_has_no_value() -> None:
    ruled_out = 0
    for number, schema, _, node in _nodes():
        validator = Draft202012Validator(schema).evolve(schema=node.schema)
        kinds = node.kinds()
        for kind, values in enumerate(VALUES):
            if not kinds >> kind & 1:
                ruled_out += 1
                assert not any(map(validator.is_valid, values)), (number, node, kind)
    assert ruled_out > 1000


def test_a_sub_schema_with_any_keyword_but_type_is_no_leaf() -> None:
    keywords = set().union(*(dialect.keywords | dialect.identifiers for dialect in DIALECTS.values()))
    assert {"const", "$dynamicRef", "id", "dependencies"} <= keywords
    for keyword in keywords - {"type"}:
        assert not is_leaf({"type": "string", keyword: "x"}), keyword
    assert is_leaf({"type": "string", "title": "x"})
    assert not is_leaf({"type": ["string"]})


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
    ({"anyOf": [{"$ref": "#/$defs/never"}, {"type": "null"}]}, True),
    ({"anyOf": [{"$ref": "#/$defs/never"}, False]}, False),
    ({"allOf": [{"$ref": "#/$defs/never"}]}, False),
    ({"oneOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/text"}]}, False),
    ({"type": "string", "anyOf": [{"type": "integer"}]}, False),
    ({"type": "string", "$ref": "#/$defs/text"}, True),
    ({"type": "null", "$ref": "#/$defs/text"}, False),
    ({"type": "integer", "const": "x"}, False),
    ({"type": "string", "const": "x"}, True),
    ({"type": ["object", "null"], "required": ["a"], "properties": {"a": False}}, True),
    ({"type": "object", "properties": {"p": False}, "allOf": [{"required": ["p"]}]}, False),
    ({"type": "integer", "anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}]}, False),
    ({"type": "number", "anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}]}, True),
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
