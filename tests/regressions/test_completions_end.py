"""A value that a glance sees is no plan: completions follow plans, and have to come to an end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import constrain

PAIR = {
    "type": "object",
    "properties": {"type": {"enum": ["pair"]}, "a": {"$ref": "#"}, "b": {"$ref": "#"}},
    "required": ["type", "a", "b"],
}
LEAF = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}

CASES: list[Any] = [
    {"type": "object", "anyOf": [PAIR, LEAF]},
    {"type": "object", "oneOf": [PAIR, {**LEAF, "properties": {"type": {"const": "leaf"}}}]},
    {"type": ["array", "object"], "required": ["a"], "properties": {"a": {"$ref": "#"}}},
    {"type": ["array", "object"], "minItems": 1, "items": {"$ref": "#"}},
    {"anyOf": [{"type": "array", "minItems": 1, "items": {"$ref": "#"}}, {"type": "object"}]},
    {"allOf": [{"type": ["object", "null"], "required": ["n"], "properties": {"n": {"$ref": "#"}}}]},
]


@pytest.mark.parametrize("schema", CASES, ids=json.dumps)
@pytest.mark.parametrize("begun", ["", "{", '{"', "[", "[[", '{"a":', '{"type":"pair",', '{"n":'])
def test_what_is_begun_is_finished(schema: Any, begun: str) -> None:
    constraint = constrain.compile(schema)
    vocabulary = constrain.Vocabulary.from_token_bytes(
        [*(bytes([byte]) for byte in range(256)), None], eos_ids=[256]
    )
    matcher = constraint.matcher(vocabulary)
    if matcher.advance_tokens(begun.encode()) < len(begun):
        return
    text = begun + matcher.completion().decode()
    assert len(text) < 200
    assert Draft202012Validator(schema).is_valid(json.loads(text)), text
