"""Keywords that are read alike count each for itself: `const` beside `enum`, and what depends on keys."""

from __future__ import annotations

from typing import Any

import pytest

import constrain


@pytest.mark.parametrize("schema", [{"const": 1, "enum": [2]}, {"enum": ["b"], "const": "a"}])
def test_a_constant_outside_the_enumeration_is_a_contradiction(schema: dict[str, Any]) -> None:
    with pytest.raises(constrain.UnsatisfiableError):
        constrain.compile(schema)


def test_a_constant_within_the_enumeration_is_the_only_value() -> None:
    for schema in ({"const": 1, "enum": [1, 2]}, {"enum": [1, 2], "const": 1}):
        constraint = constrain.compile(schema)
        assert [constraint.accepts(text) for text in ("1", "2", "3")] == [True, False, False]


def test_required_keys_and_schemas_that_depend_on_a_key_both_count() -> None:
    both = {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"a": {"required": ["c"]}}}
    for schema in (both, dict(reversed(both.items()))):
        constraint = constrain.compile({"type": "object", **schema})
        texts = ('{"a":1,"b":1,"c":1}', '{"a":1,"b":1}', '{"a":1,"c":1}', '{"b":1}')
        assert [constraint.accepts(text) for text in texts] == [True, False, False, True]
