"""What one keyword expects of an instance, and what is there instead, in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from constrain.frontends.json_schema.dialects import Dialect
from constrain.frontends.json_schema.words import counted, describe, names_in_words, shown, types_in_words

__all__ = ["expected", "found"]

_SIZES = {
    "minLength": ("at least", "character"),
    "maxLength": ("at most", "character"),
    "minItems": ("at least", "item"),
    "maxItems": ("at most", "item"),
    "minProperties": ("at least", "property"),
    "maxProperties": ("at most", "property"),
}
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "the boolean"),
    ((int, float, Decimal), "the number"),
    (str, "the string"),
    (list, "the array"),
    (dict, "the object"),
)


def expected(keyword: str, schema: Mapping[str, Any], dialect: Dialect) -> str:
    """Return what `keyword` of `schema` asks of an instance: "at least 3 characters"."""
    value = schema.get(keyword)
    if keyword in _SIZES and isinstance(value, int | float | Decimal):
        bound, noun = _SIZES[keyword]
        return f"{bound} {counted(int(value), noun)}"
    if keyword in ("type", "const", "enum"):
        return types_in_words(value) if keyword == "type" else describe({keyword: value}, dialect)
    number = _number_bound(keyword, value, schema)
    if number is not None:
        return number
    if keyword in ("contains", "minContains", "maxContains"):
        only = {key: schema[key] for key in ("contains", "minContains", "maxContains") if key in schema}
        return describe({"type": "array", **only}, dialect).removeprefix("an array, ")
    if keyword in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
        amount = {"anyOf": "any", "oneOf": "exactly one", "allOf": "all"}[keyword]
        words = describe({keyword: value}, dialect)
        alternatives = f"{amount} of {counted(len(value), 'alternative')}"
        return words if words.startswith((amount, "all ")) else f"{alternatives}: {words}"
    if keyword == "not":
        return f"anything but {describe(value, dialect, brief=True)}"
    if keyword in ("additionalProperties", "unevaluatedProperties") and value is False:
        named = schema.get("properties")
        if not isinstance(named, Mapping) or not named:
            return "no further properties"
        return f"only the properties {names_in_words(list(named))}"
    if keyword in ("items", "additionalItems", "unevaluatedItems") and value is False:
        return "no further items"
    simple = {
        "pattern": f"text matching `{value}`",
        "format": f"text in the format {value}",
        "uniqueItems": "items that are all different",
    }
    return simple.get(keyword) or describe({keyword: value}, dialect)


def _number_bound(keyword: str, value: Any, schema: Mapping[str, Any]) -> str | None:
    strict = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(keyword)
    is_strict = strict is not None and schema.get(strict) is True
    words = {
        "minimum": "more than" if is_strict else "at least",
        "maximum": "less than" if is_strict else "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
        "multipleOf": "a multiple of",
    }
    return f"{words[keyword]} {shown(value)}" if keyword in words else None


def found(keyword: str | None, instance: Any) -> str:
    """Return what stands in the place of what a keyword expects: "2 characters"."""
    if keyword in _SIZES and isinstance(instance, str | list | dict):
        return counted(len(instance), _SIZES[keyword][1])
    if keyword == "type":
        return _with_kind(instance)
    return shown(instance)


def _with_kind(value: Any) -> str:
    for kind, words in _KINDS:
        if isinstance(value, kind):
            return f"{words} {shown(value)}"
    return "null"
