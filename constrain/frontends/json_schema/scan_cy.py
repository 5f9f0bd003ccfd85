"""The linear scan of a schema: everything malformed or not enforceable is found here.

Every sub-schema is visited once, without recursion. Nothing is resolved or compiled yet, except
that references have to lead somewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

from constrain.errors import LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema.dialects import DIALECTS, Dialect
from constrain.frontends.json_schema.keyword_forms import FORMS, MOST, TYPES, forms, malformed, name_of

if TYPE_CHECKING:
    from constrain.frontends.json_schema.keyword_forms import Form
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

# Where a keyword may have sub-schemas: it is one, a list of some, an object of some.
_ONE = cython.declare(cython.int, 1 << 4)
_MANY = cython.declare(cython.int, 1 << 5)
_NAMED = cython.declare(cython.int, 1 << 6)
_HOLDS = cython.declare(cython.int, 7 << 4)
_PLACES = {
    **dict.fromkeys(("not", "if", "then", "else", "contains", "contentSchema", "additionalProperties"), _ONE),
    **dict.fromkeys(("propertyNames", "additionalItems", "items", "unevaluatedItems"), _ONE),
    **dict.fromkeys(("unevaluatedProperties",), _ONE),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _MANY),
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "dependencies"), _NAMED),
    **dict.fromkeys(("$defs", "definitions"), _NAMED),
    "items": _ONE | _MANY,
}

# The most common form of a keyword's values, in which there is nothing wrong whatever the draft.
_OBJECT = cython.declare(cython.int, 1)
_BOOLEAN = cython.declare(cython.int, 2)
_STRING = cython.declare(cython.int, 3)
_INTEGER = cython.declare(cython.int, 4)
_ARRAY = cython.declare(cython.int, 5)
_TYPE = cython.declare(cython.int, 6)
_COUNT = cython.declare(cython.int, 7)
_STRINGS = cython.declare(cython.int, 8)
_SCHEMAS = cython.declare(cython.int, 9)
_FORM = cython.declare(cython.int, 15)
_COMMON = {
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "items"), _OBJECT),
    **dict.fromkeys(("additionalItems", "contains", "propertyNames", "not", "if", "then", "else"), _OBJECT),
    **dict.fromkeys(("additionalProperties", "uniqueItems"), _BOOLEAN),
    **dict.fromkeys(("pattern", "format", "$ref", "$dynamicRef", "$id", "id", "$anchor"), _STRING),
    **dict.fromkeys(("minimum", "maximum"), _INTEGER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties"), _COUNT),
    **dict.fromkeys(("maxProperties", "minContains", "maxContains"), _COUNT),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _SCHEMAS),
    **{"enum": _ARRAY, "type": _TYPE, "required": _STRINGS},
}
#: Keyword -> its places and its common form, of all keywords that have any, or a form at all.
_LOOK = {name: _PLACES.get(name, 0) | _COMMON.get(name, 0) for name in {*_PLACES, *FORMS}}
_TYPE_NAMES = frozenset(TYPES)

#: Keywords whose sub-schemas apply to the same value.
IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")

#: Without these there is nothing to be checked, named, visited or asserted in a sub-schema but its type.
_TELLING = frozenset(
    {
        *("$schema", "contentMediaType"),
        *_LOOK,
        *(keyword for dialect in DIALECTS.values() for keyword in dialect.keywords | dialect.identifiers),
    }
) - {"type"}


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


def relevant(schema: Any, dialect: Dialect) -> Any:
    """Return what counts of a sub-schema: up to draft 7, nothing beside `$ref` but definitions."""
    if dialect.ref_overrides and "$ref" in schema:
        return {key: schema[key] for key in ("$ref", "$defs", "definitions") if key in schema}
    return schema


def subschemas(schema: Any, keywords: frozenset[str]) -> list[tuple[tuple[str | int, ...], Any]]:
    """Return (path, sub-schema) for each place of `schema` where one of the keywords has a sub-schema."""
    found: list[tuple[tuple[str | int, ...], Any]] = []
    for keyword, value in schema.items():
        look: cython.int = _LOOK.get(keyword, 0)
        if look & _HOLDS and keyword in keywords:
            _add_parts(found, keyword, value, look)
    return found


@cython.cfunc
def _add_parts(
    found: list[tuple[tuple[str | int, ...], Any]], keyword: Any, value: Any, look: cython.int
) -> cython.void:
    """Add the sub-schemas that a keyword has, each with the path to it."""
    if look & _ONE and isinstance(value, dict | bool):
        found.append(((keyword,), value))
    elif look & _MANY and isinstance(value, list):
        index: cython.Py_ssize_t = 0
        for part in value:
            found.append(((keyword, index), part))
            index += 1
    elif look & _NAMED and isinstance(value, dict):
        for name, part in value.items():
            if not (keyword == "dependencies" and isinstance(part, list)):
                found.append(((keyword, name), part))


def scan_schema(
    root: Any,
    place: Place,
    visit: Callable[[dict[str, Any], str, Place], None],
    visited: frozenset[str],
    max_schemas: int,
    *,
    location: str = "#",
    seen: dict[int, set[int]] | None = None,
) -> None:
    """Check every sub-schema below `root`; hand those to `visit` that have a keyword of `visited`.

    Args:
        visit: gets the sub-schema, its location and its place.
        visited: other keywords than `type`.
        place: of `root`.
        seen: `id` of resource -> `id`s of its sub-schemas that were scanned before; is added to.

    Raises:
        SchemaError: a keyword has a value of the wrong form.
        UnsupportedError: an assertion keyword cannot be enforced exactly.
        LimitExceeded: there are more than `max_schemas` sub-schemas.
    """
    stack: list[Any] = [(root, location, place)]
    known: dict[int, set[int]] = {} if seen is None else seen
    n_seen: cython.Py_ssize_t = sum([len(one) for one in known.values()])
    resource: Any = None
    scanned: Any = None
    done: set[int] = set()
    dialect: Any = None
    wanted: dict[str, Form] = {}
    has_refused: cython.bint = False
    overrides: cython.bint = False
    n_leaves: cython.Py_ssize_t = 0
    look: cython.int
    holders: cython.int
    while stack:
        schema, at, place = stack.pop()
        if isinstance(schema, bool):
            continue
        if not isinstance(schema, dict):
            problem = f"a schema is an object or a boolean, not {name_of(schema)}"
            raise SchemaError(problem, location=pointer_text(at))
        resource = place.resource
        if resource.embedded:
            place = place.enter(schema)
            resource = place.resource
        if resource is not scanned:
            scanned = resource
            done = known.setdefault(id(resource), set())
        if id(schema) in done:
            continue
        done.add(id(schema))
        n_seen += 1
        if n_seen + n_leaves > max_schemas:
            raise LimitExceeded("the schema has too many sub-schemas", limit=max_schemas)
        if schema is resource.root and resource.problem is not None:
            resource.problem.location = pointer_text(at)
            raise resource.problem
        if resource.dialect is not dialect:
            dialect = resource.dialect
            wanted = forms(dialect)
            has_refused = len(dialect.refused) > 0
            overrides = dialect.ref_overrides
        parts = relevant(schema, dialect) if overrides and "$ref" in schema else schema
        holders = 0
        for keyword, value in parts.items():
            look = _LOOK.get(keyword, 0)
            if look & _HOLDS:
                holders += 1
            if look & _FORM and _is_common(value, look & _FORM):
                continue
            form = wanted.get(keyword)
            if form is not None and (fault := form(value, dialect)) is not None:
                raise malformed(fault, keyword, value, pointer_text(at))
        if has_refused:
            for keyword in dialect.refused.intersection(parts):
                _refuse(keyword, parts[keyword], pointer_text(at))
        if not visited.isdisjoint(schema):
            visit(schema, pointer_text(at), place)
        if not holders:
            continue
        below: list[Any] = []
        for keyword, value in parts.items():
            look = _LOOK.get(keyword, 0)
            if not look & _HOLDS:
                continue
            if keyword == "properties" and not has_refused:
                # Most sub-schemas are properties of one type, of which there is no more to see.
                for name, part in value.items():
                    if is_leaf(part):
                        n_leaves += 1
                    else:
                        below.append((part, (at, (keyword, name)), place))
            elif keyword in dialect.scanned:
                found: list[tuple[tuple[str | int, ...], Any]] = []
                _add_parts(found, keyword, value, look)
                for path, part in found:
                    below.append((part, (at, path), place))
        below.reverse()
        stack += below


@cython.cfunc
def _is_common(value: Any, form: cython.int) -> cython.bint:
    """Return whether a value is of the most common form of its keyword."""
    kind = type(value)
    if form == _TYPE:
        return kind is str and value in _TYPE_NAMES
    if form == _OBJECT:
        return kind is dict
    if form == _STRING:
        return kind is str
    if form == _BOOLEAN:
        return kind is bool
    if form == _INTEGER:
        return kind is int
    if form == _COUNT:
        return kind is int and 0 <= value <= MOST
    if kind is not list:
        return False
    if form == _SCHEMAS:
        return len(value) > 0
    if form == _STRINGS:
        for item in value:
            if type(item) is not str:
                return False
    return True


@cython.ccall
def is_leaf(schema: Any) -> cython.bint:
    """Return whether a sub-schema asks for no more than a type, and is well formed."""
    if not isinstance(schema, dict) or not _TELLING.isdisjoint(schema):
        return False
    name = schema.get("type", "null")
    return isinstance(name, str) and name in _TYPE_NAMES


def _refuse(keyword: str, value: Any, location: str) -> None:
    raise UnsupportedError(
        "this assertion is not enforced yet, so the schema is refused",
        location=location,
        keyword=keyword,
        remedy="remove it, or check it after generation",
    )
