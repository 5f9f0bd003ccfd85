"""What the value of each keyword has to look like, and what was probably meant where it does not.

A form tells what is wrong with a value, if anything. Most values are of the most common form of
their keyword, which `scan_cy` sees at once.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from constrain.errors import SchemaError
from constrain.frontends.json_schema.dialects import Dialect

__all__ = ["FORMS", "MOST", "TYPES", "Form", "forms", "malformed", "name_of"]

#: The largest count that is enforced.
MOST = 2**31 - 1


@lru_cache(maxsize=64)
def forms(dialect: Dialect) -> dict[str, Form]:
    """Return the forms of the keywords that a dialect enforces, and of those that name schemas."""
    counting = dialect.assertions | dialect.identifiers
    return {keyword: form for keyword, form in FORMS.items() if keyword in counting}


def name_of(value: Any) -> str:
    """Return what a JSON value is, for an error."""
    if value is None:
        return "null"
    for kind, name in (
        (bool, "a boolean"),
        (str, "a string"),
        (list, "an array"),
        (dict, "an object"),
    ):
        if isinstance(value, kind):
            return name
    return "a number"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value == int(value) and value >= 0


TYPES = ("null", "boolean", "number", "integer", "string", "array", "object")


def malformed(problem: str, keyword: str, value: Any, location: str) -> SchemaError:
    """Return the error that a keyword's value has a fault."""
    return SchemaError(
        f"{problem}, not {_shown(value)}",
        location=location,
        keyword=keyword,
        remedy=_remedy(keyword, value),
    )


_FOREIGN_TYPES = {
    **{"int": "integer", "float": "number", "double": "number", "decimal": "number"},
    **{"bool": "boolean", "str": "string", "text": "string", "date": "string"},
    **{"list": "array", "tuple": "array", "dict": "object", "map": "object", "none": "null", "nil": "null"},
}


def _remedy(keyword: str, value: Any) -> str | None:
    """Return what was probably meant by a malformed keyword."""
    if keyword == "type":
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        for name in names:
            if isinstance(name, str) and name not in TYPES:
                near = get_close_matches(name.lower(), TYPES, n=1)
                meant = _FOREIGN_TYPES.get(name.lower()) or (near[0] if near else None)
                return f'did you mean "{meant}"?' if meant else None
    if keyword == "required" and isinstance(value, bool):
        return "list the name in `required` of the object that has the property"
    if keyword in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool):
        return "write the bound itself: a boolean beside `minimum` or `maximum` is draft 4"
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{name_of(value)}: {text}" if len(text) <= 60 else name_of(value)


Form = Callable[[Any, Dialect], "str | None"]


def _expect(test: Callable[[Any], bool], sentence: str) -> Form:
    return lambda value, dialect: None if test(value) else sentence


def _check_type(value: Any, dialect: Dialect) -> str | None:
    if isinstance(value, str) and value in TYPES:
        return None
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return "must be a type name or a non-empty array of them"
    unknown = [name for name in names if name not in TYPES]
    if unknown:
        return f"must name one of {', '.join(TYPES)}"
    return None


def _check_bound(value: Any, dialect: Dialect) -> str | None:
    if dialect.name == "4":
        return None if isinstance(value, bool) else "must be a boolean in draft 4"
    return None if _is_number(value) else "must be a number"


def _check_items(value: Any, dialect: Dialect) -> str | None:
    if isinstance(value, list):
        return None if dialect.tuple_items else "must be a schema (a tuple is `prefixItems` since 2020-12)"
    return None if isinstance(value, dict | bool) else "must be a schema"


def _check_count(value: Any, dialect: Dialect) -> str | None:
    if not _is_count(value):
        return "must be a non-negative integer"
    return None if value <= MOST else f"must be at most {MOST}"


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_SCHEMA = _expect(lambda value: isinstance(value, dict | bool), "must be a schema")
_SCHEMAS = _expect(
    lambda value: isinstance(value, list) and len(value) > 0, "must be a non-empty array of schemas"
)
_NAMED = _expect(lambda value: isinstance(value, dict), "must be an object of schemas")
_TEXT = _expect(lambda value: isinstance(value, str), "must be a string")
_BOOLEAN = _expect(lambda value: isinstance(value, bool), "must be a boolean")
_NUMBER = _expect(_is_number, "must be a number")

FORMS: dict[str, Form] = {
    "type": _check_type,
    "enum": _expect(lambda value: isinstance(value, list), "must be an array"),
    "properties": _NAMED,
    "patternProperties": _NAMED,
    "dependentSchemas": _NAMED,
    "dependencies": _expect(
        lambda value: (
            isinstance(value, dict)
            and all(isinstance(part, dict | bool) or _is_strings(part) for part in value.values())
        ),
        "must be an object of schemas or arrays of strings",
    ),
    "dependentRequired": _expect(
        lambda value: isinstance(value, dict) and all(_is_strings(part) for part in value.values()),
        "must be an object of arrays of strings",
    ),
    "required": _expect(_is_strings, "must be an array of strings"),
    "allOf": _SCHEMAS,
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "prefixItems": _SCHEMAS,
    "items": _check_items,
    "additionalItems": _SCHEMA,
    "additionalProperties": _SCHEMA,
    "contains": _SCHEMA,
    "unevaluatedItems": _SCHEMA,
    "unevaluatedProperties": _SCHEMA,
    "uniqueItems": _BOOLEAN,
    "minContains": _check_count,
    "maxContains": _check_count,
    "propertyNames": _SCHEMA,
    "not": _SCHEMA,
    "if": _SCHEMA,
    "then": _SCHEMA,
    "else": _SCHEMA,
    "minLength": _check_count,
    "maxLength": _check_count,
    "minItems": _check_count,
    "maxItems": _check_count,
    "minProperties": _check_count,
    "maxProperties": _check_count,
    "pattern": _TEXT,
    "format": _TEXT,
    "contentEncoding": _TEXT,
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _check_bound,
    "exclusiveMaximum": _check_bound,
    "multipleOf": _expect(lambda value: _is_number(value) and value > 0, "must be a number greater than 0"),
    "$ref": _TEXT,
    "$dynamicRef": _TEXT,
    "$recursiveRef": _expect(lambda value: value == "#", 'must be "#"'),
    "$id": _TEXT,
    "id": _TEXT,
    "$anchor": _TEXT,
    "$dynamicAnchor": _TEXT,
    "$recursiveAnchor": _BOOLEAN,
}
