"""Words for sub-schemas and keywords: from the raw schema, whether its keywords are enforced or not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from constrain.frontends.json_schema.dialects import DIALECTS
from constrain.frontends.json_schema.expectations import expected, found
from constrain.frontends.json_schema.keyword_sets import ALL_KEYWORDS, applies, places
from constrain.frontends.json_schema.words import counted, describe, shown

LATEST = DIALECTS["2020-12"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (True, "any value"),
        (False, "nothing"),
        ({}, "any value"),
        ({"type": "string", "not": {}}, "nothing"),
        ({"type": "string"}, "a string"),
        ({"type": "string", "minLength": 1}, "a non-empty string"),
        ({"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^a"}, "a string of 1 to 10 characters matching `^a`"),
        ({"type": "string", "minLength": 5, "maxLength": 5}, "a string of exactly 5 characters"),
        ({"type": "string", "maxLength": 1}, "a string of at most 1 character"),
        ({"type": "string", "format": "date"}, "a string in the format date"),
        ({"type": "integer", "minimum": 1, "maximum": 10, "multipleOf": 2}, "an integer from 1 to 10, a multiple of 2"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 10}, "a number of at most 10 and greater than 0"),
        ({"type": "number", "minimum": Decimal("0.10")}, "a number of at least 0.10"),
        ({"type": ["string", "null"], "maxLength": 3}, "null or a string of at most 3 characters"),
        ({"type": ["integer", "number"]}, "a number"),
        ({"const": "quarterly"}, 'exactly "quarterly"'),
        ({"enum": [1, "a", None]}, 'one of 3 values: 1, "a", null'),
        ({"enum": []}, "nothing (no value is listed)"),
        ({"enum": list(range(20))}, "one of 20 values: 0, 1, 2, 3, 4, 5, 6, 7, ..."),
        ({"type": "object", "properties": {"a": {}, "c": {}}, "required": ["a", "b"], "additionalProperties": False},
         "an object with required a, b and optional c; other keys not allowed"),
        ({"type": "object", "additionalProperties": False}, "an object; no keys allowed"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "an object; keys being an integer"),
        ({"type": "object", "minProperties": 1}, "an object; at least 1 property in all"),
        ({"type": "object", "patternProperties": {"^x-": {"type": "string"}}}, "an object; keys matching `^x-` being a string"),
        ({"type": "object", "propertyNames": {"type": "string", "maxLength": 3}}, "an object; each key a string of at most 3 characters"),
        ({"type": "object", "dependentRequired": {"a": ["b", "c"]}}, "an object; with a also b, c"),
        ({"type": "object", "unevaluatedProperties": False}, "an object; keys that no other keyword describes not allowed"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3}, "an array of 1 to 3 items, each item a string"),
        ({"type": "array", "prefixItems": [{}, {}], "items": False}, "an array, its first 2 items described one by one, no further items"),
        ({"type": "array", "uniqueItems": True}, "an array, all different"),
        ({"type": "array", "contains": {"const": 3}}, "an array, at least 1 item being exactly 3"),
        ({"type": "array", "contains": {"const": 3}, "minContains": 2, "maxContains": 4}, "an array, 2 to 4 items being exactly 3"),
        ({"type": "array", "unevaluatedItems": False}, "an array, no items that no other keyword describes"),
        ({"minLength": 2}, "any value (if a string: of at least 2 characters)"),
        ({"maximum": 3, "required": ["a"]}, "any value (if a number: of at most 3; if an object: with required a)"),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}]}, "null or `#/$defs/x`"),
        ({"oneOf": [{"type": "null"}, {"type": "string"}]}, "null or a string (exactly one of them)"),
        ({"anyOf": [{"type": "string", "minLength": n} for n in range(2, 9)]}, "any of 7 alternatives"),
        ({"type": "string", "not": {"const": "x"}}, 'a string; but not exactly "x"'),
        ({"if": {"type": "string"}, "then": {"const": "a"}}, 'any value; if it is a string, then also exactly "a"'),
        ({"$dynamicRef": "#node"}, "`#node`"),
        ({"type": 3, "properties": 4, "enum": 5}, "any value"),
    ],
)  # fmt: skip
def test_a_place_is_described_in_words(schema: Any, words: str) -> None:
    assert describe(schema, LATEST) == words


@pytest.mark.parametrize(
    ("dialect", "schema", "words"),
    [
        ("4", {"type": "number", "minimum": 3, "exclusiveMinimum": True}, "a number greater than 3"),
        ("7", {"$ref": "#/definitions/x", "type": "string"}, "`#/definitions/x`"),
        ("7", {"type": "array", "items": [{}], "additionalItems": False}, "an array, its first 1 item described one by one, no further items"),
        ("7", {"type": "object", "dependencies": {"a": ["b"]}}, "an object; with a also b"),
    ],
)  # fmt: skip
def test_words_follow_the_draft(dialect: str, schema: Any, words: str) -> None:
    assert describe(schema, DIALECTS[dialect]) == words


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("value", [None, True, 3, -1.5, "x", [], [3], {}, {"a": 3}, [[]], {"a": []}])
def test_malformed_keywords_are_described_without_a_crash(dialect: str, value: Any) -> None:
    for keyword in ALL_KEYWORDS:
        for schema in ({keyword: value}, {"type": ["string", "number", "array", "object"], keyword: value}):
            assert describe(schema, DIALECTS[dialect])
            assert describe(schema, DIALECTS[dialect], brief=True)


@pytest.mark.parametrize(
    ("keyword", "schema", "words"),
    [
        ("type", {"type": ["integer", "null"]}, "an integer or null"),
        ("minimum", {"minimum": 3}, "at least 3"),
        ("minimum", {"minimum": 3, "exclusiveMinimum": True}, "more than 3"),
        ("exclusiveMaximum", {"exclusiveMaximum": 3}, "less than 3"),
        ("multipleOf", {"multipleOf": Decimal("0.01")}, "a multiple of 0.01"),
        ("minLength", {"minLength": 1}, "at least 1 character"),
        ("maxProperties", {"maxProperties": 2}, "at most 2 properties"),
        ("pattern", {"pattern": "^a"}, "text matching `^a`"),
        ("format", {"format": "date"}, "text in the format date"),
        ("uniqueItems", {"uniqueItems": True}, "items that are all different"),
        ("contains", {"contains": {"type": "string"}, "minContains": 2}, "at least 2 items being a string"),
        ("not", {"not": {"type": "string"}}, "anything but a string"),
        ("additionalProperties", {"properties": {"a": {}}, "additionalProperties": False}, "only the properties a"),
        ("items", {"items": False}, "no further items"),
        ("anyOf", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "any of 2 alternatives: a string or null"),
    ],
)  # fmt: skip
def test_a_keyword_says_what_it_expects(keyword: str, schema: dict[str, Any], words: str) -> None:
    assert expected(keyword, schema, LATEST) == words


@pytest.mark.parametrize(
    ("keyword", "instance", "words"),
    [
        ("minLength", "龙a", "2 characters"),
        ("maxItems", [1], "1 item"),
        ("type", True, "the boolean true"),
        ("type", None, "null"),
        ("type", Decimal("1.50"), "the number 1.50"),
        ("enum", {"a": Decimal("0.5")}, '{"a": 0.5}'),
    ],
)
def test_what_is_there_instead_is_shown(keyword: str, instance: Any, words: str) -> None:
    assert found(keyword, instance) == words


def test_counts_have_their_noun() -> None:
    assert [counted(n, "property") for n in (0, 1, 2)] == ["0 properties", "1 property", "2 properties"]


def test_long_and_deep_values_are_cut() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "[...]"
    assert len(shown("x" * 1000)) == 80


@pytest.mark.parametrize(
    ("keyword", "drafts"),
    [
        ("$id", ["6", "7", "2019-09", "2020-12"]),
        ("id", ["4"]),
        ("if", ["7", "2019-09", "2020-12"]),
        ("dependencies", ["4", "6", "7"]),
        ("additionalItems", ["4", "6", "7", "2019-09"]),
        ("prefixItems", ["2020-12"]),
        ("unevaluatedItems", ["2019-09", "2020-12"]),
        ("$recursiveRef", ["2019-09"]),
        ("nullable", []),
    ],
)
def test_keywords_belong_to_their_drafts(keyword: str, drafts: list[str]) -> None:
    assert [name for name in DIALECTS if applies(keyword, DIALECTS[name])] == drafts


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_every_enforced_or_refused_keyword_is_known(name: str) -> None:
    dialect = DIALECTS[name]
    assert {key for key in dialect.assertions | dialect.refused if not applies(key, dialect)} == set()


def test_places_are_found_below_every_keyword_and_nowhere_else() -> None:
    schema = {
        "properties": {"a/b": {}},
        "contains": {},
        "unevaluatedItems": {},
        "dependentSchemas": {"c": {}},
        "prefixItems": [{}, True],
        "enum": [{"not": {}}],
        "default": {"items": {}},
        "dependencies": {"d": {}},
    }
    assert [location for location, _ in places(schema, LATEST, 100)] == [
        "#",
        "#/properties/a~1b",
        "#/contains",
        "#/unevaluatedItems",
        "#/dependentSchemas/c",
        "#/prefixItems/0",
    ]
