"""Bounds on the number of properties that contradict each other, found by the mask oracle.

The object was filled up to `minProperties` without a look at `maxProperties`.
"""

from __future__ import annotations

from typing import Any

import pytest

import constrain

_PATTERNS = {"^.$": {"enum": [-2, None]}, "^[^a]": {"pattern": "^[ab]+$"}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "minProperties": 3, "maxProperties": 0},
        {"type": "object", "minProperties": 3, "maxProperties": 2, "patternProperties": _PATTERNS},
        {"type": "array", "minItems": 3, "maxItems": 2},
        {"type": "string", "minLength": 3, "maxLength": 2},
    ],
)
def test_contradicting_bounds_are_unsatisfiable(schema: dict[str, Any]) -> None:
    with pytest.raises(constrain.UnsatisfiableError):
        constrain.compile(schema)


def test_equal_bounds_are_met_exactly() -> None:
    constraint = constrain.compile({"type": "object", "minProperties": 2, "maxProperties": 2})
    assert constraint.accepts('{"a":1,"b":2}')
    assert not constraint.accepts('{"a":1}')
    assert not constraint.accepts('{"a":1,"b":2,"c":3}')
