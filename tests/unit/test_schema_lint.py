"""Remarks on schemas that can be used, and all faults of those that cannot."""

from __future__ import annotations

from typing import Any

import pytest

import constrain
from constrain.errors import ConstrainError
from constrain.frontends.json_schema.faults import faults
from constrain.frontends.json_schema.findings import RULES, Finding
from constrain.frontends.json_schema.lint_meaning import MeaningLint, lint
from constrain.options import ANY_TEXT, Options


def remarks(schema: Any, dialect: Any = "2020-12", severity: str | None = None) -> list[Finding]:
    found = lint(schema, Options(dialect=dialect))
    return [each for each in found if severity is None or each.severity == severity]


def optional(schema: Any) -> dict[str, Any]:
    """A schema that can be satisfied whatever the one of its optional property is."""
    return {"type": "object", "properties": {"p": schema}}


@pytest.mark.parametrize(
    ("schema", "rule", "location", "keyword", "part_of_sentence"),
    [
        ({"requred": ["a"]}, "misspelt-keyword", "#", "requred", "`required`"),
        (optional({"propertis": {}}), "misspelt-keyword", "#/properties/p", "propertis", "`properties`"),
        ({"type": "string", "nullable": True}, "unknown-keyword", "#", "nullable", '"null"'),
        ({"dependencies": {"a": ["b"]}}, "keyword-of-other-draft", "#", "dependencies", "dependentRequired"),
        ({"additionalItems": False}, "keyword-of-other-draft", "#", "additionalItems", "prefixItems"),
        ({"then": {"type": "string"}}, "orphan-keyword", "#", "then", "`if`"),
        ({"else": {"type": "string"}}, "orphan-keyword", "#", "else", "`if`"),
        ({"if": {"type": "string"}}, "orphan-keyword", "#", "if", "`then` or `else`"),
        ({"minContains": 2}, "orphan-keyword", "#", "minContains", "`contains`"),
        ({"type": "integer", "minLength": 3}, "keyword-of-other-type", "#", "minLength", "an integer"),
        ({"type": "string", "required": ["a"]}, "keyword-of-other-type", "#", "required", "objects"),
        ({"type": ["string", "null"], "maximum": 3}, "keyword-of-other-type", "#", "maximum", "numbers"),
        ({"enum": ["a", "b", "a"]}, "duplicate-value", "#", "enum", '"a"'),
        ({"enum": [1, 1.0]}, "duplicate-value", "#", "enum", "1.0"),
        ({"required": ["a", "a"]}, "duplicate-value", "#", "required", '"a"'),
        ({"properties": {"created": {}}, "required": ["craeted"]}, "undeclared-property", "#", "required", '"created"'),
        ({"type": "string", "format": "date_time"}, "misspelt-format", "#", "format", '"date-time"'),
        (optional({"type": "string", "const": 3}), "unsatisfiable", "#/properties/p", None, 'property "p" can never'),
        ({"anyOf": [{"type": "null"}, {"minimum": 3, "maximum": 2, "type": "number"}]}, "unsatisfiable", "#/anyOf/1", None, "never taken"),
        ({"type": "array", "items": {"allOf": [{"type": "null"}, {"type": "string"}]}}, "unsatisfiable", "#/items", "allOf", "no items"),
        ({"enum": ["a", "bcd"], "maxLength": 1}, "unreachable-value", "#", "enum", "`maxLength`"),
        ({"type": "string", "anyOf": [{"type": "integer"}, {"minLength": 1}]}, "overlapping-alternative", "#/anyOf/0", None, "other keywords"),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "overlapping-alternative", "#/oneOf/0", None, "another alternative"),
        ({"type": "string", "default": 3}, "invalid-default", "#", "default", "3"),
        ({"type": "object", "required": ["a"], "default": {}}, "invalid-default", "#", "default", "{}"),
        ({"type": "string", "pattern": "^a", "examples": ["a", "b"]}, "invalid-example", "#", "examples", '"b"'),
    ],
)  # fmt: skip
def test_what_is_probably_a_mistake_is_one_warning(
    schema: Any, rule: str, location: str, keyword: str | None, part_of_sentence: str
) -> None:
    (finding,) = remarks(schema, severity="warning")
    assert (finding.rule, finding.location, finding.keyword) == (rule, location, keyword)
    assert part_of_sentence in f"{finding.message} {finding.remedy}"


@pytest.mark.parametrize(
    ("schema", "rule", "location", "keyword"),
    [
        ({"type": "string", "minLength": 0}, "vacuous-keyword", "#", "minLength"),
        ({"type": "object", "required": []}, "vacuous-keyword", "#", "required"),
        ({"minimum": 3, "exclusiveMinimum": 5}, "redundant-keyword", "#", "minimum"),
        ({"enum": ["a", "b"], "maxLength": 10}, "redundant-keyword", "#", "maxLength"),
        ({"const": 3, "minimum": 1}, "redundant-keyword", "#", "minimum"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "subsumed-alternative", "#/anyOf/0", None),
        ({"type": "string", "format": "colour"}, "unknown-format", "#", "format"),
        ({"type": "string", "widget": "area"}, "unknown-keyword", "#", "widget"),
        ({"type": "string", "$defs": {"x": {"type": "null"}}}, "unused-definition", "#/$defs/x", None),
        ({"type": "string", "id": "name"}, "keyword-of-other-draft", "#", "id"),
    ],
)
def test_what_is_worth_knowing_is_one_note(
    schema: Any, rule: str, location: str, keyword: str | None
) -> None:
    (finding,) = remarks(schema)
    assert (finding.rule, finding.location, finding.keyword) == (rule, location, keyword)
    assert finding.severity == "note"


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
        {"type": ["string", "null"], "maxLength": 3},
        {"type": "integer", "minimum": 1, "maximum": 3, "default": 2, "examples": [1, 3]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"oneOf": [{"type": "string"}, {"type": "number", "minimum": 3}]},
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a"}}}}},
        {"$defs": {"library": {"type": "string"}}},
        {"properties": {"a": False, "b": {"not": {}}}},
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
        {"title": "t", "description": "d", "$comment": "c", "x-own": 3, "readOnly": True, "deprecated": False},
        {"type": "string", "format": "date"},
    ],
)  # fmt: skip
def test_a_good_schema_has_no_remarks(schema: Any) -> None:
    assert remarks(schema) == []


@pytest.mark.parametrize(
    ("dialect", "schema", "rule", "keyword"),
    [
        ("7", {"$ref": "#/definitions/a", "maxLength": 3, "definitions": {"a": {}}}, "ignored-beside-ref", "maxLength"),
        ("7", {"prefixItems": [{}]}, "keyword-of-other-draft", "prefixItems"),
        ("7", {"items": {"type": "null"}, "additionalItems": False}, "orphan-keyword", "additionalItems"),
        ("6", {"if": {}, "title": "x"}, "keyword-of-other-draft", "if"),
        ("4", {"exclusiveMinimum": True}, "orphan-keyword", "exclusiveMinimum"),
        ("4", {"const": 3}, "keyword-of-other-draft", "const"),
    ],
)  # fmt: skip
def test_remarks_follow_the_draft(dialect: str, schema: Any, rule: str, keyword: str) -> None:
    (finding,) = remarks(schema, dialect, "warning")
    assert (finding.rule, finding.keyword) == (rule, keyword)


def test_the_conflict_of_an_empty_part_names_the_smallest_set() -> None:
    schema = optional({"type": "integer", "minimum": 5, "maximum": 3, "title": "n", "multipleOf": 2})
    (finding,) = remarks(schema, severity="warning")
    # Without `type`, a string would satisfy the two bounds.
    assert set(finding.related) == {f"#/properties/p/{keyword}" for keyword in ("type", "minimum", "maximum")}


def test_the_same_conflict_is_reported_once() -> None:
    schema = {
        "properties": {name: {"$ref": "#/$defs/x"} for name in "abc"},
        "$defs": {"x": {"type": "string", "const": 3}},
    }
    assert [finding.rule for finding in remarks(schema)] == ["unsatisfiable"]


def test_a_schema_too_large_for_the_checks_says_so() -> None:
    found = lint({"items": {"items": {"items": {"type": "null"}}}}, Options(max_steps=2))
    assert [(finding.rule, finding.severity) for finding in found] == [("undecided", "note")]


def test_every_rule_is_described_and_no_description_is_left_over() -> None:
    import inspect

    from constrain.frontends.json_schema import lint as shape
    from constrain.frontends.json_schema import lint_meaning as meaning

    source = inspect.getsource(shape) + inspect.getsource(meaning)
    assert [rule for rule in RULES if f'"{rule}"' not in source] == []


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        (
            {"type": "integr", "minLength": -1, "properties": {"a": {"pattern": "("}, "b": 3}},
            [("#", "type"), ("#", "minLength"), ("#/properties/b", None), ("#/properties/a", "pattern")],
        ),
        ({"items": {"$ref": "#/nowhere"}, "required": "a"}, [("#", "required"), ("#/items", "$ref")]),
        ({"not": {"format": "regex"}, "anyOf": []}, [("#", "anyOf"), ("#/not", "format")]),
        ({"patternProperties": {"(": {}}}, [("#/patternProperties/(", None)]),
        ([], [("#", None)]),
        ({"$schema": "https://example.org/own"}, [("#", "$schema")]),
        ({"type": "string"}, []),
        (True, []),
    ],
)
def test_all_faults_are_found_and_not_only_the_first(
    schema: Any, places: list[tuple[str, str | None]]
) -> None:
    found = faults(schema, ANY_TEXT)
    if any(keyword == "format" for _, keyword in places):
        # `regex` may become enforced; what matters is that the other fault is found, too.
        found = [each for each in found if each.keyword != "format"]
        places = [place for place in places if place[1] != "format"]
    assert [(each.location, each.keyword) for each in found] == places


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integr"},
        {"properties": {"a": {"maximum": "3"}}},
        {"$ref": "#/nowhere"},
        {"allOf": []},
        {"items": 3},
    ],
)
def test_what_compilation_refuses_is_among_the_faults(schema: Any) -> None:
    with pytest.raises(ConstrainError) as caught:
        constrain.compile(schema)
    error = caught.value
    assert (error.location, error.keyword, error.reason) in {
        (each.location, each.keyword, each.reason) for each in faults(schema, Options())
    }


@pytest.mark.parametrize(
    ("schema", "part_of_remedy"),
    [
        ({"type": "integr"}, '"integer"'),
        ({"type": ["str", "null"]}, '"string"'),
        ({"properties": {"a": {"required": True}}}, "of the object"),
        ({"minimum": 3, "exclusiveMinimum": True}, "draft 4"),
    ],
)
def test_common_slips_have_a_remedy(schema: Any, part_of_remedy: str) -> None:
    with pytest.raises(constrain.SchemaError) as caught:
        constrain.compile(schema)
    assert part_of_remedy in str(caught.value.remedy)


@pytest.mark.parametrize("value", ["a", 3, 2.5, None, True, ["x", 1], {"k": [None]}, {}])
def test_membership_of_a_value_agrees_with_the_engine(value: Any) -> None:
    import json

    schema = {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "required": ["k"]},
            {"type": "integer"},
        ]
    }
    meaning = MeaningLint(schema, ANY_TEXT)
    node = meaning.compiler.find(meaning.compiler.schema, "#")
    accepts = constrain.compile(schema, options=ANY_TEXT).accepts(json.dumps(value))
    assert meaning.accepts(node, value) is accepts
