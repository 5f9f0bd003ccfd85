"""What became of each field of a report: there and valid, malformed, or missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema

#: Fields whose value is a number, or an object that holds it as `value`.
_AMOUNTS = ("revenue", "expenses", "cash_flow")


@dataclass(frozen=True, slots=True)
class FieldCount:
    """Counts of one field over several reports."""

    total: int = 0
    missing: int = 0
    malformed: int = 0
    right: int = 0

    def __add__(self, other: FieldCount) -> FieldCount:
        return FieldCount(
            self.total + other.total,
            self.missing + other.missing,
            self.malformed + other.malformed,
            self.right + other.right,
        )


def first_object(text: str) -> dict[str, Any] | None:
    """Return the first JSON object in a text, whatever stands around it; `None` without one.

    This is the reading that is kindest to a model without a constraint: prose before and after,
    code fences and repetitions are forgiven, and a property that is there twice counts once.
    """
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, _ = decoder.raw_decode(text, start)
        except ValueError:
            start = text.find("{", start + 1)
            continue
        return value if isinstance(value, dict) else None
    return None


def count_fields(
    report: Mapping[str, Any] | None, schema: Mapping[str, Any], expected: Mapping[str, Any]
) -> dict[str, FieldCount]:
    """Judge every field that the schema requires.

    Args:
        report: the parsed report; `None` if the text holds none.
        schema: the JSON Schema of a report.
        expected: what the input says, per field: names for a company, else a value.
    """
    counts = {}
    for name in schema["required"]:
        if report is None or name not in report:
            counts[name] = FieldCount(total=1, missing=1)
        elif not _is_valid(report[name], schema["properties"].get(name, True), schema):
            counts[name] = FieldCount(total=1, malformed=1)
        else:
            counts[name] = FieldCount(total=1, right=int(_is_right(name, report[name], expected)))
    return counts


def _is_valid(value: Any, subschema: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(subschema, Mapping) and "$defs" in schema:
        subschema = {**subschema, "$defs": schema["$defs"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(subschema, format_checker=checker).is_valid(value)


def _is_right(name: str, value: Any, expected: Mapping[str, Any]) -> bool:
    if name not in expected:
        return True
    if name in _AMOUNTS:
        amount = value.get("value") if isinstance(value, Mapping) else value
        return not isinstance(amount, bool) and amount == expected[name]
    if name == "company":
        return any(known in value for known in expected[name])
    return bool(value == expected[name])
