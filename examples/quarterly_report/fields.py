"""What became of each field of a report: there and valid, malformed, or missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema

#: Fields whose value is a number, or an object that holds it as `value`.
_AMOUNTS = ("revenue", "expenses", "cash_flow")


@dataclass(frozen=True, slots=True)
class FieldCount:
    """Counts of one field over several reports.

    `missing_for_a_parser` also counts the fields of reports that are no JSON object: a program that
    reads the report gets none of them.
    """

    total: int = 0
    missing: int = 0
    malformed: int = 0
    right: int = 0
    missing_for_a_parser: int = 0

    def __add__(self, other: FieldCount) -> FieldCount:
        return FieldCount(
            self.total + other.total,
            self.missing + other.missing,
            self.malformed + other.malformed,
            self.right + other.right,
            self.missing_for_a_parser + other.missing_for_a_parser,
        )


class Unreadable:
    """Stands for the value of a field that is there but is no JSON."""


def read_report(text: str, names: Iterable[str]) -> tuple[dict[str, Any], bool]:
    """Return the fields of the report in a text, and whether the report is a JSON object.

    This is the reading that is kindest to a model without a constraint: prose and code fences
    around the object are forgiven, and where the object as a whole is no JSON, each field is looked
    up by its key and read alone.
    """
    decoder = json.JSONDecoder()
    start = text.find("{")
    if start >= 0:
        try:
            value, _ = decoder.raw_decode(text, start)
        except ValueError:
            pass
        else:
            return value, True
    fields: dict[str, Any] = {}
    for name in names:
        key = re.search(rf'"{re.escape(name)}"\s*:\s*', text)
        if key is None:
            continue
        try:
            fields[name], _ = decoder.raw_decode(text, key.end())
        except ValueError:
            fields[name] = Unreadable()
    return fields, False


def count_fields(
    report: Mapping[str, Any], is_json: bool, schema: Mapping[str, Any], expected: Mapping[str, Any]
) -> dict[str, FieldCount]:
    """Judge every field that the schema requires.

    Args:
        report, is_json: as `read_report` gives them.
        schema: the JSON Schema of a report.
        expected: what the input says, per field: names for a company, else a value.
    """
    counts = {}
    for name in schema["required"]:
        missing = name not in report
        value = report.get(name)
        malformed = not missing and (
            isinstance(value, Unreadable)
            or not _is_valid(value, schema["properties"].get(name, True), schema)
        )
        counts[name] = FieldCount(
            total=1,
            missing=missing,
            malformed=malformed,
            right=not missing and not malformed and _is_right(name, value, expected),
            missing_for_a_parser=missing or not is_json,
        )
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
