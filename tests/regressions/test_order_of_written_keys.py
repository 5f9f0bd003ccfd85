"""In schema order the keys of items that were written, from which others have to differ, had an order.

They are no part of the schema: `[{"a":"","b":""},{"b":"1","a":""}` was refused, and what was asked before
decided whether a completion was found.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

import constrain
from tests.support.real_engine import vocabulary

TOKENS = vocabulary([*(bytes([byte]) for byte in range(256)), None])
IN_ORDER = constrain.Options(property_order="schema")
OPEN = {"type": "object", "minProperties": 2, "additionalProperties": {"type": "string"}}
PREFIXES = [
    b'[{"a":"","b":""}',
    b'[{"b":"","a":""}',
    b'[{"a":"","b":""},{"b":"1","a":""}',
    b'[{"a":"","b":""},{"b":"1","a":"',
    b'[{"b":"","a":""},{"a":"1","b":""}',
    b'[{"b":"","a":""},{"b":"1","a":""}',
]


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(PREFIXES, 2)))
def test_written_keys_have_no_order(first: bytes, second: bytes) -> None:
    schema = {"type": "array", "items": OPEN, "uniqueItems": True, "minItems": 3}
    constraint = constrain.compile_json_schema(schema, options=IN_ORDER)
    for prefix in (first, second):
        text = prefix + constraint.matcher(TOKENS, prefix).completion()
        assert constraint.accepts(text)
        items = json.loads(text)
        assert len({json.dumps(item, sort_keys=True) for item in items}) == len(items) == 3


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"const": {"b": 1, "a": 2}}, ['{"b":1,"a":2}'], ['{"a":2,"b":1}']),
        ({"enum": [[{"b": 1, "a": 2}], 3]}, ['[{"b":1,"a":2}]'], ['[{"a":2,"b":1}]']),
        (
            {"items": {"properties": {"z": {}, "a": {}}}, "uniqueItems": True},
            ['[{"z":1,"a":1,"k":1},{"z":1,"a":1,"c":1,"k":1}]', '[{"k":1,"c":1},{"c":1,"k":2}]'],
            ['[{"z":1,"a":1},{"a":1,"z":2}]', '[{"k":1,"c":1},{"c":1,"z":2}]'],
        ),
    ],
    ids=json.dumps,
)
def test_listed_objects_keep_their_order(schema: Any, good: list[str], bad: list[str]) -> None:
    constraint = constrain.compile_json_schema(schema, options=IN_ORDER)
    assert [text for text in good if not constraint.accepts(text)] == []
    assert [text for text in bad if constraint.accepts(text)] == []
    # Without an order they complete in the order of the schema too.
    free = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
    assert all(free.accepts(text) for text in [*good, *bad])
