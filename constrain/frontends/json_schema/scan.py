"""The linear scan of a schema: everything malformed or not enforceable is found here.

Every sub-schema is visited once, without recursion. Nothing is resolved or compiled yet, except
that references have to lead somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from constrain.errors import LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema.dialects import DIALECTS, Dialect

if TYPE_CHECKING:
    from constrain.frontends.json_schema.references import Place

__all__ = [
    "IN_PLACE",
    "Location",
    "is_leaf",
    "pointer",
    "pointer_text",
    "relevant",
    "scan_schema",
    "subschemas",
]

#: Where a sub-schema stands: a JSON Pointer, or until then (what is around it, the steps from there).
Location = str | tuple["Location", tuple[str | int, ...]]

_ONE = (
    *("not", "if", "then", "else", "additionalProperties", "propertyNames", "additionalItems", "items"),
    *("contains", "unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "dependencies")

#: Keywords whose sub-schemas apply to the same value.
IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")

_HOLDERS = frozenset((*_ONE, *_MANY, *_NAMED))

_MAX_LENGTH = 2**31 - 1


def pointer(base: str, *steps: str | int) -> str:
    """Return the JSON Pointer of a place below `base`."""
    for step in steps:
        text = step if isinstance(step, str) else str(step)
        if "~" in text or "/" in text:
            text = text.replace("~", "~0").replace("/", "~1")
        base = f"{base}/{text}"
    return base


def pointer_text(location: Location) -> str:
    """Return a location as a JSON Pointer."""
    steps: list[str | int] = []
    while not isinstance(location, str):
        location, last = location
        steps += reversed(last)
    return pointer(location, *reversed(steps))


def relevant(schema: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Return what counts of a sub-schema: up to draft 7, nothing beside `$ref` but definitions."""
    if dialect.ref_overrides and "$ref" in schema:
        return {key: schema[key] for key in ("$ref", "$defs", "definitions") if key in schema}
    return schema


def subschemas(
    schema: dict[str, Any], keywords: frozenset[str]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield (path, sub-schema) for each place of `schema` where one of the keywords has a sub-schema."""
    for keyword, value in schema.items():
        if keyword not in keywords:
            continue
        if keyword in _ONE and isinstance(value, dict | bool):
            yield (keyword,), value
        elif keyword in _MANY and isinstance(value, list):
            for index, part in enumerate(value):
                yield (keyword, index), part
        elif keyword in _NAMED and isinstance(value, dict):
            for name, part in value.items():
                if not (keyword == "dependencies" and isinstance(part, list)):
                    yield (keyword, name), part


def scan_schema(
    root: Any,
    place: Place,
    visit: Callable[[dict[str, Any], str, Place], None],
    visited: frozenset[str],
    max_schemas: int,
    *,
    location: str = "#",
    seen: set[tuple[int, int]] | None = None,
) -> None:
    """Check every sub-schema below `root`; hand those to `visit` that have a keyword of `visited`.

    Args:
        visit: gets the sub-schema, its location and its place.
        visited: other keywords than `type`.
        place: of `root`.
        seen: (`id` of sub-schema, `id` of resource) of what was scanned before; is added to.

    Raises:
        SchemaError: a keyword has a value of the wrong form.
        UnsupportedError: an assertion keyword cannot be enforced exactly.
        LimitExceeded: there are more than `max_schemas` sub-schemas.
    """
    stack: list[tuple[Any, Location, Place]] = [(root, location, place)]
    seen = set() if seen is None else seen
    dialect: Dialect | None = None
    checks: dict[str, Check] = {}
    n_leaves = 0
    while stack:
        schema, at, place = stack.pop()
        if isinstance(schema, bool):
            continue
        if not isinstance(schema, dict):
            problem = f"a schema is an object or a boolean, not {_name(schema)}"
            raise SchemaError(problem, location=pointer_text(at))
        place = place.enter(schema)
        resource = place.resource
        if (id(schema), id(resource)) in seen:
            continue
        seen.add((id(schema), id(resource)))
        if len(seen) + n_leaves > max_schemas:
            raise LimitExceeded("the schema has too many sub-schemas", limit=max_schemas)
        if schema is resource.root and resource.problem is not None:
            resource.problem.location = pointer_text(at)
            raise resource.problem
        if resource.dialect is not dialect:
            dialect = resource.dialect
            checks = _checks(dialect)
        parts = relevant(schema, dialect)
        for keyword, value in parts.items():
            check = checks.get(keyword)
            if check is None or type(value) is _PLAIN.get(keyword):
                continue
            if (fault := check(value, dialect)) is not None:
                raise _malformed(fault, keyword, value, pointer_text(at))
        if dialect.refused:
            for keyword in dialect.refused.intersection(parts):
                _refuse(keyword, parts[keyword], pointer_text(at))
        if not visited.isdisjoint(schema):
            visit(schema, pointer_text(at), place)
        if _HOLDERS.isdisjoint(parts):
            continue
        below: list[tuple[Any, Location, Place]] = []
        for keyword, value in parts.items():
            if keyword == "properties" and not dialect.refused:
                # Most sub-schemas are properties of one type, of which there is no more to see.
                names = [name for name, part in value.items() if not is_leaf(part)]
                n_leaves += len(value) - len(names)
                below += [(value[name], (at, (keyword, name)), place) for name in names]
            elif keyword in _HOLDERS:
                found = subschemas({keyword: value}, dialect.scanned)
                below += [(part, (at, path), place) for path, part in found]
        below.reverse()
        stack += below


def is_leaf(schema: Any) -> bool:
    """Return whether a sub-schema asks for no more than a type, and is well formed."""
    if not isinstance(schema, dict) or not _TELLING.isdisjoint(schema):
        return False
    name = schema.get("type", "null")
    return isinstance(name, str) and name in _TYPES


@lru_cache(maxsize=64)
def _checks(dialect: Dialect) -> dict[str, Check]:
    """Return what checks the keywords that a dialect enforces, and those that name schemas."""
    counting = dialect.assertions | dialect.identifiers
    return {keyword: check for keyword, check in _CHECKS.items() if keyword in counting}


def _refuse(keyword: str, value: Any, location: str) -> None:
    raise UnsupportedError(
        "this assertion is not enforced yet, so the schema is refused",
        location=location,
        keyword=keyword,
        remedy="remove it, or check it after generation",
    )


def _name(value: Any) -> str:
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


_TYPES = ("null", "boolean", "number", "integer", "string", "array", "object")


def _malformed(problem: str, keyword: str, value: Any, location: str) -> SchemaError:
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
            if isinstance(name, str) and name not in _TYPES:
                near = get_close_matches(name.lower(), _TYPES, n=1)
                meant = _FOREIGN_TYPES.get(name.lower()) or (near[0] if near else None)
                return f'did you mean "{meant}"?' if meant else None
    if keyword == "required" and isinstance(value, bool):
        return "list the name in `required` of the object that has the property"
    if keyword in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool):
        return "write the bound itself: a boolean beside `minimum` or `maximum` is draft 4"
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{_name(value)}: {text}" if len(text) <= 60 else _name(value)


Check = Callable[[Any, Dialect], "str | None"]


def _expect(test: Callable[[Any], bool], sentence: str) -> Check:
    return lambda value, dialect: None if test(value) else sentence


def _check_type(value: Any, dialect: Dialect) -> str | None:
    if isinstance(value, str) and value in _TYPES:
        return None
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return "must be a type name or a non-empty array of them"
    unknown = [name for name in names if name not in _TYPES]
    if unknown:
        return f"must name one of {', '.join(_TYPES)}"
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
    return None if value <= _MAX_LENGTH else f"must be at most {_MAX_LENGTH}"


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_CHECKS: dict[str, Check] = {
    "type": _check_type,
    "enum": _expect(lambda value: isinstance(value, list), "must be an array"),
    "properties": _expect(lambda value: isinstance(value, dict), "must be an object of schemas"),
    "patternProperties": _expect(lambda value: isinstance(value, dict), "must be an object of schemas"),
    "dependentSchemas": _expect(lambda value: isinstance(value, dict), "must be an object of schemas"),
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
    "allOf": _expect(
        lambda value: isinstance(value, list) and len(value) > 0, "must be a non-empty array of schemas"
    ),
    "anyOf": _expect(
        lambda value: isinstance(value, list) and len(value) > 0, "must be a non-empty array of schemas"
    ),
    "oneOf": _expect(
        lambda value: isinstance(value, list) and len(value) > 0, "must be a non-empty array of schemas"
    ),
    "prefixItems": _expect(
        lambda value: isinstance(value, list) and len(value) > 0, "must be a non-empty array of schemas"
    ),
    "items": _check_items,
    "additionalItems": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "additionalProperties": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "contains": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "unevaluatedItems": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "unevaluatedProperties": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "uniqueItems": _expect(lambda value: isinstance(value, bool), "must be a boolean"),
    "minContains": _check_count,
    "maxContains": _check_count,
    "propertyNames": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "not": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "if": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "then": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "else": _expect(lambda value: isinstance(value, dict | bool), "must be a schema"),
    "minLength": _check_count,
    "maxLength": _check_count,
    "minItems": _check_count,
    "maxItems": _check_count,
    "minProperties": _check_count,
    "maxProperties": _check_count,
    "pattern": _expect(lambda value: isinstance(value, str), "must be a string"),
    "format": _expect(lambda value: isinstance(value, str), "must be a string"),
    "contentEncoding": _expect(lambda value: isinstance(value, str), "must be a string"),
    "minimum": _expect(_is_number, "must be a number"),
    "maximum": _expect(_is_number, "must be a number"),
    "exclusiveMinimum": _check_bound,
    "exclusiveMaximum": _check_bound,
    "multipleOf": _expect(lambda value: _is_number(value) and value > 0, "must be a number greater than 0"),
    "$ref": _expect(lambda value: isinstance(value, str), "must be a string"),
    "$dynamicRef": _expect(lambda value: isinstance(value, str), "must be a string"),
    "$recursiveRef": _expect(lambda value: value == "#", 'must be "#"'),
    "$id": _expect(lambda value: isinstance(value, str), "must be a string"),
    "id": _expect(lambda value: isinstance(value, str), "must be a string"),
    "$anchor": _expect(lambda value: isinstance(value, str), "must be a string"),
    "$dynamicAnchor": _expect(lambda value: isinstance(value, str), "must be a string"),
    "$recursiveAnchor": _expect(lambda value: isinstance(value, bool), "must be a boolean"),
}

#: Keyword -> the type of values in which there is nothing wrong, whatever the draft.
_PLAIN = {
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "items"), dict),
    **dict.fromkeys(("additionalItems", "contains", "propertyNames", "not", "if", "then", "else"), dict),
    **dict.fromkeys(("additionalProperties", "uniqueItems"), bool),
    **dict.fromkeys(("pattern", "format", "$ref", "$dynamicRef", "$id", "id", "$anchor"), str),
    **dict.fromkeys(("minimum", "maximum"), int),
    "enum": list,
}

#: Without these there is nothing to be checked, named, visited or asserted in a sub-schema but its type.
_TELLING = frozenset(
    {
        *("$schema", "contentMediaType"),
        *_HOLDERS,
        *_CHECKS,
        *(keyword for dialect in DIALECTS.values() for keyword in dialect.keywords | dialect.identifiers),
    }
) - {"type"}
