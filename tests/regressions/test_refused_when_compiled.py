"""A pattern that is malformed or refused was noticed only when decoding reached it."""

from __future__ import annotations

from typing import Any

import pytest

import constrain

CASES: list[tuple[Any, type[constrain.ConstrainError], str]] = [
    ({"properties": {"a": {"pattern": "("}}}, constrain.SchemaError, "#/properties/a"),
    ({"properties": {"a": {"pattern": "(a)\\1"}}}, constrain.UnsupportedError, "#/properties/a"),
    (
        {"items": {"patternProperties": {"[": True}}},
        constrain.SchemaError,
        "#/items/patternProperties/[",
    ),
    ({"anyOf": [True, {"pattern": "a{3,2}"}]}, constrain.SchemaError, "#/anyOf/1"),
]


@pytest.mark.parametrize(("schema", "kind", "location"), CASES)
def test_a_pattern_is_refused_when_the_schema_is_compiled(
    schema: Any, kind: type[constrain.ConstrainError], location: str
) -> None:
    with pytest.raises(kind) as caught:
        constrain.compile_json_schema(schema)
    assert caught.value.location == location


def test_an_overridden_pattern_is_not_looked_at() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"a": {"$ref": "#/definitions/d", "pattern": "("}},
        "definitions": {"d": {"type": "string"}},
    }
    assert constrain.compile_json_schema(schema).accepts('{"a":"x"}')
