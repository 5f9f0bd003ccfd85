"""References: where they lead in each draft, what they may not do, and what depends on the way there."""

from __future__ import annotations

import dataclasses
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import referencing
from referencing.jsonschema import DRAFT4, DRAFT202012

import constrain
from constrain.frontends.json_schema.uris import index_of, pointer_steps, resolve, split_fragment

INTEGER = {"type": "integer"}


def compiled(schema: Any, dialect: str = "2020-12", registry: Any = None) -> constrain.Constraint:
    options = dataclasses.replace(constrain.ANY_TEXT, formats="annotate", dialect=dialect)
    return constrain.compile_json_schema(schema, options=options, registry=registry)


# The examples of RFC 3986, 5.4, and bases that are not hierarchical.
@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("g:h", "g:h"),
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
    ],
)
def test_references_resolve_as_the_rfc_says(reference: str, expected: str) -> None:
    assert resolve("http://a/b/c/d;p?q", reference) == expected


@pytest.mark.parametrize(
    ("base", "reference", "expected"),
    [
        ("", "a/b.json", "a/b.json"),
        ("a/b.json", "c.json", "a/c.json"),
        ("a/b.json", "../c.json", "c.json"),
        ("http://a", "b", "http://a/b"),
        ("urn:example:one", "", "urn:example:one"),
        ("urn:example:one", "urn:example:two", "urn:example:two"),
        ("app://host/one", "two", "app://host/two"),
        ("http://[", "x]", "http://[/x]"),
    ],
)
def test_any_text_is_a_base(base: str, reference: str, expected: str) -> None:
    assert resolve(base, reference) == expected


@pytest.mark.parametrize(
    ("fragment", "steps"),
    [
        ("", []),
        ("/", [""]),
        ("/a//b", ["a", "", "b"]),
        ("/~0~1", ["~/"]),
        ("/~01", ["~1"]),
        ("/%25%22", ['%"']),
        ("/a%2Fb", ["a", "b"]),
        ("/~2", None),
        ("/~", None),
        ("a", None),
    ],
)
def test_fragments_are_decoded_before_they_are_split(fragment: str, steps: list[str] | None) -> None:
    assert pointer_steps(split_fragment("#" + fragment)[1]) == steps


@pytest.mark.parametrize(
    ("step", "index"),
    [("0", 0), ("10", 10), ("01", None), ("-1", None), ("+1", None), ("\u0661", None), ("9" * 5000, None)],
)
def test_array_steps_are_plain_numbers(step: str, index: int | None) -> None:
    assert index_of(step) == index


IDENTIFIED = {
    "$id": "http://example.org/base/root.json",
    "properties": {
        "by_name": {"$ref": "#here"},
        "by_uri": {"$ref": "inner.json"},
        "by_absolute_uri": {"$ref": "http://example.org/base/inner.json#"},
        "through_a_boundary": {"$ref": "#/$defs/inner/$defs/text"},
        "inner_name": {"$ref": "inner.json#here"},
        "escaped": {"$ref": "#/$defs/a~1b%25c~0d%22"},
        "nothing": {"$ref": "#/$defs/never"},
        "unknown_place": {"$ref": "#/x-own/0"},
    },
    "$defs": {
        "named": {"$anchor": "here", "type": "null"},
        "inner": {
            "$id": "inner.json",
            "$ref": "#/$defs/text",
            "$defs": {"text": {"type": "string"}, "named": {"$anchor": "here", "type": "boolean"}},
        },
        'a/b%c~d"': INTEGER,
        "never": False,
    },
    "x-own": [{"maximum": 3, "allOf": [{"$ref": "#/$defs/a~1b%25c~0d%22"}]}],
}


@pytest.mark.parametrize(
    ("key", "valid", "invalid"),
    [
        ("by_name", "null", "1"),
        ("by_uri", '"a"', "1"),
        ("by_absolute_uri", '"a"', "1"),
        ("through_a_boundary", '"a"', "1"),
        ("inner_name", "true", "null"),
        ("escaped", "1", '"a"'),
        ("unknown_place", "3", "4"),
        ("unknown_place", "2", '"a"'),
    ],
)
def test_a_reference_is_relative_to_the_resource_around_it(key: str, valid: str, invalid: str) -> None:
    constraint = compiled(IDENTIFIED)
    assert constraint.accepts(f'{{"{key}": {valid}}}')
    assert not constraint.accepts(f'{{"{key}": {invalid}}}')


def test_a_reference_to_false_accepts_nothing() -> None:
    assert not compiled(IDENTIFIED).accepts('{"nothing": 1}')


@pytest.mark.parametrize(
    ("dialect", "accepted"), [("4", True), ("6", True), ("7", True), ("2019-09", False), ("2020-12", False)]
)
def test_siblings_of_a_reference_count_since_2019(dialect: str, accepted: bool) -> None:
    schema = {"definitions": {"a": INTEGER}, "properties": {"b": {"$ref": "#/definitions/a", "maximum": 3}}}
    assert compiled(schema, dialect).accepts('{"b": 4}') == accepted


@pytest.mark.parametrize("dialect", ["4", "6", "7", "2019-09", "2020-12"])
@pytest.mark.parametrize("keyword", ["definitions", "$defs"])
def test_definitions_stand_under_either_keyword(dialect: str, keyword: str) -> None:
    constraint = compiled({keyword: {"a": INTEGER}, "allOf": [{"$ref": f"#/{keyword}/a"}]}, dialect)
    assert constraint.accepts("1")
    assert not constraint.accepts('"a"')


@pytest.mark.parametrize(("dialect", "keyword"), [("4", "id"), ("6", "$id"), ("7", "$id")])
def test_up_to_draft_7_an_identifier_that_is_a_fragment_is_a_name(dialect: str, keyword: str) -> None:
    schema = {"allOf": [{"$ref": "#here"}], "definitions": {"a": {keyword: "#here", "type": "integer"}}}
    constraint = compiled(schema, dialect)
    assert constraint.accepts("1")
    assert not constraint.accepts('"a"')


def test_an_identifier_in_a_constant_or_unknown_keyword_names_nothing() -> None:
    for keyword, value in (("const", {"$id": "a"}), ("x-own", {"$id": "a"})):
        with pytest.raises(constrain.UnsupportedError):
            compiled({"$ref": "a", keyword: value})


def test_an_embedded_resource_may_follow_another_draft() -> None:
    inner = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "id": "http://example.org/old",
        "minimum": 5,
        "exclusiveMinimum": True,
    }
    constraint = compiled({"properties": {"a": {"$ref": "http://example.org/old"}}, "$defs": {"a": inner}})
    assert constraint.accepts('{"a": 6}')
    assert not constraint.accepts('{"a": 5}')


@pytest.mark.parametrize(
    ("schema", "location", "keyword"),
    [
        ({"properties": {"a": {"$ref": "#/$defs/b"}}}, "#/properties/a", "$ref"),
        ({"$ref": "#name"}, "#", "$ref"),
        ({"$ref": "#/$defs/a/type", "$defs": {"a": INTEGER}}, "#", "$ref"),
        ({"$ref": "#/allOf/01", "allOf": [True, True]}, "#", "$ref"),
        ({"not": {"$ref": "#"}}, "#/not", "$ref"),
        ({"$dynamicAnchor": "a", "$dynamicRef": "#a"}, "#", "$dynamicRef"),
        ({"$ref": "#a", "$defs": {"b": {"$ref": "#/$defs/c", "$anchor": "a"}, "c": {"$ref": "#a"}}}, None, "$ref"),
        (
            {"$ref": "#a", "$defs": {"b": {"$anchor": "a", "type": "null"}, "c": {"$anchor": "a"}}},
            "#",
            "$ref",
        ),
        ({"$ref": "u", "$defs": {"b": {"$id": "u", "type": "null"}, "c": {"$id": "u"}}}, "#", "$ref"),
        ({"allOf": [{"$id": 3}]}, "#/allOf/0", "$id"),
        ({"$defs": {"a": {"$dynamicRef": 3}}}, "#/$defs/a", "$dynamicRef"),
        ({"$schema": 3}, "#", "$schema"),
    ],
)  # fmt: skip
def test_a_reference_that_means_nothing_is_malformed(schema: Any, location: str | None, keyword: str) -> None:
    with pytest.raises(constrain.SchemaError) as caught:
        compiled(schema)
    assert caught.value.keyword == keyword
    if location is not None:
        assert caught.value.location == location


def test_a_dynamic_cycle_is_found_in_the_scope_in_which_it_arises() -> None:
    generic = {"$id": "gen", "$dynamicRef": "#x", "$defs": {"x": {"$dynamicAnchor": "x"}}}
    schema = {"$id": "http://a/", "properties": {"a": {"$ref": "gen"}}, "$defs": {"g": generic}}
    assert compiled(schema).accepts('{"a": 1}')
    schema["$defs"]["loop"] = {"$dynamicAnchor": "x", "$ref": "gen"}  # type: ignore[index]
    with pytest.raises(constrain.SchemaError, match="leads back to itself"):
        compiled(schema)


def list_of(anchor: str) -> dict[str, Any]:
    return {
        "$id": "list",
        "type": "array",
        "items": {"$dynamicRef": f"#{anchor}"},
        "$defs": {"default": {"$dynamicAnchor": "item"}, "static": {"$anchor": "plain", "type": "null"}},
    }


def test_one_sub_schema_means_different_things_in_different_dynamic_scopes() -> None:
    schema = {
        "$id": "http://example.org/root",
        "properties": {"numbers": {"$ref": "numbers"}, "texts": {"$ref": "texts"}, "any": {"$ref": "list"}},
        "$defs": {
            "list": list_of("item"),
            "numbers": {
                "$id": "numbers",
                "$ref": "list",
                "$defs": {"n": {"$dynamicAnchor": "item", "type": "number"}},
            },
            "texts": {
                "$id": "texts",
                "$ref": "list",
                "$defs": {"t": {"$dynamicAnchor": "item", "type": "string"}},
            },
        },
    }
    constraint = compiled(schema)
    assert constraint.accepts('{"numbers": [1], "texts": ["a"], "any": [1, "a"]}')
    assert not constraint.accepts('{"numbers": ["a"]}')
    assert not constraint.accepts('{"texts": [1]}')


@pytest.mark.parametrize("anchor", ["plain", "/$defs/default"])
def test_only_a_reference_to_a_dynamic_anchor_is_dynamic(anchor: str) -> None:
    schema = {
        "$id": "http://example.org/root",
        "$ref": "list",
        "$defs": {
            "list": list_of(anchor),
            "a": {"$dynamicAnchor": "item", "type": "string"},
            "b": {"$dynamicAnchor": "plain", "type": "string"},
        },
    }
    constraint = compiled(schema)
    assert constraint.accepts("[null]")
    assert constraint.accepts("[1]") == (anchor != "plain")
    assert constraint.accepts('["a"]') == (anchor != "plain")


@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("inner", [True, False])
def test_a_recursive_reference_leads_to_the_outermost_recursive_root(outer: bool, inner: bool) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": "http://example.org/outer",
        "$recursiveAnchor": outer,
        "$ref": "tree",
        "required": ["closed"],
        "$defs": {
            "tree": {
                "$id": "tree",
                "$recursiveAnchor": inner,
                "type": "object",
                "properties": {"child": {"$recursiveRef": "#"}},
            }
        },
    }
    constraint = compiled(schema)
    assert constraint.accepts('{"closed": 1, "child": {"closed": 1}}')
    assert constraint.accepts('{"closed": 1, "child": {}}') == (not (outer and inner))


REMOTE = {"$defs": {"count": {"type": "integer", "minimum": 0}, "text": {"$ref": "text.json"}}}


@pytest.mark.parametrize(
    "registry",
    [
        {"http://example.org/a.json": REMOTE, "http://example.org/text.json#": {"type": "string"}},
        referencing.Registry().with_resources(
            [
                ("http://example.org/a.json", DRAFT202012.create_resource(REMOTE)),
                ("http://example.org/text.json", DRAFT202012.create_resource({"type": "string"})),
            ]
        ),
        {"http://example.org/elsewhere": {"$id": "a.json", **REMOTE}, "b": {"$id": "http://example.org/text.json", "type": "string"}},
        {"urn:bundle": {"$defs": {"a": {"$id": "http://example.org/a.json", **REMOTE}, "t": {"$id": "http://example.org/text.json", "type": "string"}}}},
    ],
    ids=["mapping", "referencing", "by their identifiers", "embedded"],
)  # fmt: skip
def test_other_documents_come_from_the_registry(registry: Any) -> None:
    base = "http://example.org/a.json#/$defs/"
    schema = {"properties": {"n": {"$ref": base + "count"}, "t": {"$ref": base + "text"}}}
    constraint = compiled(schema, registry=registry)
    assert constraint.accepts('{"n": 1, "t": "a"}')
    assert not constraint.accepts('{"n": -1}')
    assert not constraint.accepts('{"t": 1}')
    again = pickle.loads(pickle.dumps(constraint))
    assert again == constraint
    assert again.accepts('{"n": 1, "t": "a"}')
    assert not again.accepts('{"t": 1}')


def test_a_resource_of_a_registry_follows_the_draft_it_was_made_for() -> None:
    old = {"minimum": 5, "exclusiveMinimum": True}
    registry = referencing.Registry().with_resource("urn:old", DRAFT4.create_resource(old))
    constraint = compiled({"$ref": "urn:old"}, registry=registry)
    assert constraint.accepts("6")
    assert not constraint.accepts("5")
    assert not pickle.loads(pickle.dumps(constraint)).accepts("5")
    with pytest.raises(constrain.SchemaError):
        compiled({"$ref": "urn:old"}, registry={"urn:old": old})


def test_what_a_registry_could_fetch_is_not_fetched() -> None:
    def retrieve(uri: str) -> Any:
        raise AssertionError(uri)

    with pytest.raises(constrain.UnsupportedError, match=r"http://example\.org/a"):
        compiled({"$ref": "http://example.org/a"}, registry=referencing.Registry(retrieve=retrieve))


@pytest.mark.parametrize(
    "reference", ["http://example.org/none", "http://example.org/none#/a", "none.json#a"]
)
def test_a_document_that_was_not_given_is_refused_by_name(reference: str) -> None:
    with pytest.raises(constrain.UnsupportedError, match="nothing is fetched") as caught:
        compiled({"properties": {"a": {"$ref": reference}}}, registry={"urn:other": True})
    assert caught.value.location == "#/properties/a"
    assert reference in str(caught.value)


def test_errors_in_another_document_name_it() -> None:
    with pytest.raises(constrain.SchemaError) as caught:
        compiled({"$ref": "urn:x"}, registry={"urn:x": {"properties": {"a": {"type": 3}}}})
    assert caught.value.location == "urn:x#/properties/a"


def test_only_documents_that_were_reached_count_for_equality() -> None:
    schema = {"$ref": "urn:a"}
    one = compiled(schema, registry={"urn:a": INTEGER})
    assert one == compiled(schema, registry={"urn:a": INTEGER, "urn:b": {"type": 3}})
    assert one != compiled(schema, registry={"urn:a": {"type": "string"}})
    assert compiled(INTEGER) == compiled(INTEGER, registry={"urn:b": INTEGER})


def test_a_registry_that_is_changed_later_changes_nothing() -> None:
    registry = {"urn:a": {"properties": {"x": {"type": "integer"}}}}
    constraint = compiled({"$ref": "urn:a"}, registry=registry)
    registry["urn:a"]["properties"]["x"]["type"] = "string"
    assert constraint.accepts('{"x": 1}')


def test_the_document_itself_comes_before_the_registry() -> None:
    schema = {"$ref": "urn:a", "$defs": {"a": {"$id": "urn:a", "type": "integer"}}}
    assert compiled(schema, registry={"urn:a": {"type": "string"}}).accepts("1")


DRAFT = "https://json-schema.org/draft/2020-12/"


@pytest.mark.parametrize(
    ("vocabularies", "accepted"),
    [
        ({DRAFT + "vocab/core": True, DRAFT + "vocab/applicator": True}, True),
        ({DRAFT + "vocab/core": True, DRAFT + "vocab/applicator": True, DRAFT + "vocab/validation": False}, False),
        ({DRAFT + "vocab/applicator": True, "urn:unknown": False}, True),
        (None, False),
    ],
)  # fmt: skip
def test_a_meta_schema_says_which_keywords_count(vocabularies: Any, accepted: bool) -> None:
    meta = {"$id": "urn:meta", "$schema": DRAFT + "schema"}
    if vocabularies is not None:
        meta["$vocabulary"] = vocabularies
    schema = {"$schema": "urn:meta", "properties": {"a": {"minimum": 5}, "b": False}}
    constraint = compiled(schema, registry={"urn:meta": meta})
    assert constraint.accepts('{"a": 1}') == accepted
    assert not constraint.accepts('{"b": 1}')
    assert pickle.loads(pickle.dumps(constraint)) == constraint


@pytest.mark.parametrize(
    "registry",
    [
        {},
        {"urn:meta": {"$schema": DRAFT + "schema", "$vocabulary": {"urn:unknown": True}}},
        {"urn:meta": {"$schema": "urn:meta"}},
        {"urn:meta": {}},
    ],
)
def test_an_unknown_dialect_or_vocabulary_is_refused(registry: Any) -> None:
    with pytest.raises(constrain.UnsupportedError) as caught:
        compiled({"$schema": "urn:meta"}, registry=registry)
    assert caught.value.keyword == "$schema"


LONG = 10_000


@pytest.mark.parametrize(
    ("first", "link"),
    [
        ("#/$defs/0", lambda number: {"$ref": f"#/$defs/{number + 1}"}),
        ("n0", lambda number: {"$id": f"n{number}", "$ref": f"n{number + 1}"}),
    ],
    ids=["pointers", "identifiers"],
)
def test_a_long_chain_of_references_is_followed(first: str, link: Any) -> None:
    definitions = {str(number): link(number) for number in range(LONG)}
    definitions[str(LONG)] = {**link(LONG), "type": "integer"}
    definitions[str(LONG)].pop("$ref")
    constraint = compiled({"$ref": first, "$defs": definitions})
    assert constraint.accepts("1")
    assert not constraint.accepts('"a"')


def test_a_long_cycle_is_malformed() -> None:
    definitions = {str(number): {"$ref": f"#/$defs/{(number + 1) % LONG}"} for number in range(LONG)}
    with pytest.raises(constrain.SchemaError, match="leads back to itself"):
        compiled({"$ref": "#/$defs/0", "$defs": definitions})


def test_many_dynamic_scopes_meet_a_budget() -> None:
    registry: dict[str, Any] = {
        f"http://x/{number}": {"$ref": str(number + 1), "$dynamicAnchor": f"n{number}"}
        for number in range(1000)
    }
    registry["http://x/1000"] = INTEGER
    with pytest.raises(constrain.LimitExceeded, match="dynamic scopes"):
        compiled({"$ref": "http://x/0"}, registry=registry)


def test_a_dialect_named_inside_a_resource_is_not_ignored_silently() -> None:
    schema = {"allOf": [{"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}]}
    assert "`$schema`: is ignored" in compiled(schema).explain()


def test_documents_of_a_registry_may_be_other_mappings_than_plain_dicts() -> None:
    other = OrderedDict([("properties", OrderedDict(a=OrderedDict(type="integer"))), ("required", ["a"])])
    constraint = constrain.compile_json_schema({"$ref": "urn:other"}, registry={"urn:other": other})
    assert constraint.accepts('{"a":1}')
    assert not constraint.accepts('{"a":"x"}')
    assert not constraint.accepts("{}")
