"""Hostile schemas work or end in a typed error, in bounded time; nothing hangs or crashes the process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import constrain


def _nested(keyword: str, depth: int) -> Any:
    schema: Any = {"type": "integer"}
    for _ in range(depth):
        inner = [schema] if keyword in ("allOf", "anyOf") else schema
        schema = {"properties": {"a": schema}} if keyword == "properties" else {keyword: inner}
    return schema


def _chain(length: int) -> Any:
    links: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**links, f"d{length}": {"type": "integer"}}}


def _one_of(make: Callable[[int], list[Any]]) -> Any:
    return {"allOf": [{"oneOf": make(n)} for n in range(40)]}


RECURSIVE = {
    "$ref": "#/$defs/a",
    "$defs": {
        "a": {"allOf": [{"$ref": "#/$defs/b"}, {"properties": {"x": {"$ref": "#/$defs/a"}}}]},
        "b": {
            "allOf": [
                {"properties": {"x": {"$ref": "#/$defs/b"}}},
                {"anyOf": [{"$ref": "#/$defs/c"}, {"type": "object"}]},
            ]
        },
        "c": {"not": {"properties": {"x": {"$ref": "#/$defs/a"}}}},
    },
}

#: name -> (what makes the schema, documents, texts that are none).
WORKING: dict[str, tuple[Callable[[], Any], list[str], list[str]]] = {
    "10,000 references in a row": (lambda: _chain(10_000), ["3"], ["3.5"]),
    "recursive allOf": (lambda: RECURSIVE, ["{}", '{"x":{"x":{}}}'], []),
    "2^40 products of keys": (
        lambda: _one_of(lambda n: [{"properties": {f"p{n}": {"minimum": 0}}}, {"required": [f"p{n}"]}]),
        ["{" + ",".join(f'"p{n}":-1' for n in range(40)) + "}", "{}"],
        ['{"p7":1}'],
    ),
    "an enum of 1 MB": (
        lambda: {"enum": [f"value number {n:08d} of the enumeration" for n in range(28_000)]},
        ['"value number 00027999 of the enumeration"'],
        ['"value number 00028000 of the enumeration"'],
    ),
    "an enum of 5,000 objects": (
        lambda: {"enum": [{"id": n, "name": f"value {n}"} for n in range(5_000)]},
        ['{"name":"value 4999","id":4999}'],
        ['{"name":"value 4999","id":4998}', '{"id":1}'],
    ),
    "50,000 properties": (
        lambda: {
            "properties": {f"p{n}": {"type": "integer"} for n in range(50_000)},
            "required": ["p7"],
            "additionalProperties": False,
        },
        ['{"p49999":1,"p7":2}'],
        ['{"p49999":1}', '{"p7":"x"}', '{"p7":1,"p50000":1}'],
    ),
    "sixty required properties in any order": (
        lambda: {"required": [f"p{n}" for n in range(60)], "type": "object"},
        ["{" + ",".join(f'"p{n}":{n}' for n in reversed(range(60))) + "}"],
        ["{" + ",".join(f'"p{n}":{n}' for n in range(59)) + "}"],
    ),
}

#: Schemas that end in `LimitExceeded`, when they are compiled or when a document is asked for.
LIMITED: dict[str, Callable[[], Any]] = {
    **{f"10,000 levels of {word}": (lambda word=word: _nested(word, 10_000)) for word in
       ("items", "properties", "allOf", "anyOf", "not")},
    "a billion items": lambda: {"type": "array", "minItems": 10**9},
    "a billion different items": lambda: {"type": "array", "minItems": 10**9, "uniqueItems": True},
    "a billion contained items": lambda: {
        "type": "array", "contains": {"type": "integer"}, "minContains": 10**9
    },
    "a billion properties": lambda: {"type": "object", "minProperties": 10**9},
    "a billion characters": lambda: {"type": "string", "minLength": 10**9},
    "2^40 products of patterns": lambda: {
        "type": "string", **_one_of(lambda n: [{"pattern": f"a{n}"}, {"pattern": f"b{n}"}])
    },
    "2^40 products of divisors": lambda: {
        "type": "number", **_one_of(lambda n: [{"multipleOf": n + 2}, {"maximum": n * 7}])
    },
}  # fmt: skip


@pytest.mark.parametrize("name", WORKING)
def test_a_hostile_schema_works(name: str) -> None:
    make, accepted, refused = WORKING[name]
    schema = make()
    started = time.process_time()
    constraint = constrain.compile_json_schema(schema)
    assert [text for text in accepted if not constraint.accepts(text)] == []
    assert [text for text in refused if constraint.accepts(text)] == []
    assert time.process_time() - started < 20


@pytest.mark.parametrize("name", LIMITED)
def test_a_hostile_schema_meets_a_budget(name: str) -> None:
    schema = LIMITED[name]()
    started = time.process_time()
    with pytest.raises(constrain.LimitExceeded):
        constrain.compile_json_schema(schema).example(1)
    assert time.process_time() - started < 20
