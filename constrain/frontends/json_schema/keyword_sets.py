"""Every keyword of the drafts 4 to 2020-12: since when, until when, and where it holds sub-schemas.

`dialects` says what is enforced; this table says what is known, so that words can be found for a keyword
whether it is enforced or not (2020-12 Core and Validation; 2019-09, 7, 6 and 4 likewise).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from constrain.frontends.json_schema.dialects import Dialect
from constrain.frontends.json_schema.scan_cy import pointer

__all__ = ["ALL_KEYWORDS", "applies", "drafts_of", "places", "raw_subschemas"]

_DRAFTS = ("4", "6", "7", "2019-09", "2020-12")

_SINCE: dict[str, tuple[str, ...]] = {
    "4": (
        *("$schema", "$ref", "definitions", "title", "description", "default"),
        *("type", "enum", "format", "allOf", "anyOf", "oneOf", "not", "minLength", "maxLength", "pattern"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("items", "additionalItems", "minItems", "maxItems", "uniqueItems"),
        *("properties", "required", "additionalProperties", "patternProperties"),
        *("minProperties", "maxProperties", "dependencies", "id", "$defs"),
    ),
    "6": ("$id", "const", "contains", "propertyNames", "examples"),
    "7": (
        *("if", "then", "else", "readOnly", "writeOnly", "$comment"),
        *("contentEncoding", "contentMediaType"),
    ),
    "2019-09": (
        *("$anchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary", "deprecated", "contentSchema"),
        *("dependentRequired", "dependentSchemas", "minContains", "maxContains"),
        *("unevaluatedItems", "unevaluatedProperties"),
    ),
    "2020-12": ("prefixItems", "$dynamicRef", "$dynamicAnchor"),
}
_UNTIL = {
    "id": "4",
    "dependencies": "7",
    "additionalItems": "2019-09",
    "$recursiveRef": "2019-09",
    "$recursiveAnchor": "2019-09",
}

_FIRST = {keyword: draft for draft, keywords in _SINCE.items() for keyword in keywords}

#: All keywords of all drafts.
ALL_KEYWORDS: frozenset[str] = frozenset(_FIRST)

_ONE = frozenset(
    {
        *("not", "if", "then", "else", "items", "additionalItems", "unevaluatedItems", "contains"),
        *("additionalProperties", "unevaluatedProperties", "propertyNames"),
    }
)
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems", "items"})
_NAMED = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"}
)


def applies(keyword: str, dialect: Dialect) -> bool:
    """Return whether the draft of a dialect defines a keyword."""
    return _is_of(keyword, dialect.name)


@lru_cache(4096)
def _is_of(keyword: str, draft: str) -> bool:
    first, last = _FIRST.get(keyword), _UNTIL.get(keyword, _DRAFTS[-1])
    if first is None:
        return False
    return _DRAFTS.index(first) <= _DRAFTS.index(draft) <= _DRAFTS.index(last)


def drafts_of(keyword: str) -> str:
    """Return the drafts that define a keyword, in words."""
    first, last = _FIRST[keyword], _UNTIL.get(keyword)
    if last is None:
        return f"draft {first} and later"
    return f"draft {first}" if first == last else f"drafts {first} to {last}"


def raw_subschemas(
    schema: Mapping[str, Any], dialect: Dialect
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield (path, sub-schema) wherever the draft has one, enforced or not; malformed parts have none."""
    is_reference = dialect.ref_overrides and "$ref" in schema
    for keyword, value in schema.items():
        if is_reference and keyword not in ("$defs", "definitions"):
            continue
        if not applies(keyword, dialect):
            continue
        if keyword in _ONE and isinstance(value, dict | bool):
            yield (keyword,), value
        elif keyword in _MANY and isinstance(value, list):
            if keyword == "items" and not dialect.tuple_items:
                continue
            for index, part in enumerate(value):
                yield (keyword, index), part
        elif keyword in _NAMED and isinstance(value, dict):
            for name, part in value.items():
                if not (keyword == "dependencies" and isinstance(part, list)):
                    yield (keyword, name), part


def places(root: Any, dialect: Dialect, max_schemas: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (JSON Pointer, sub-schema) for every sub-schema that is an object, in the order of the text.

    Stops after `max_schemas`; whoever counts has to ask for one more than they take.
    """
    stack: list[tuple[Any, str]] = [(root, "#")]
    seen: set[int] = set()
    count = 0
    while stack and count < max_schemas:
        schema, location = stack.pop()
        if not isinstance(schema, dict):
            continue
        count += 1
        yield location, schema
        # An object that stands in two places is described at both, what is below it at the first.
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        below = [(part, pointer(location, *path)) for path, part in raw_subschemas(schema, dialect)]
        stack.extend(reversed(below))
