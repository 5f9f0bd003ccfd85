"""Quick proofs that a sub-schema has a value, from its keywords alone.

Most properties of real schemas are strings, numbers, enumerations and objects with some required
ones; that each of them can be written at all is asked at every object, and need not be worked out
from formulas. A proof gives a value in mind: `{}`, `""`, the first constant, an object of the
required properties. Where there is none the full answer is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if TYPE_CHECKING:
    from constrain.frontends.json_schema.references import Place, References

__all__ = ["SimpleValues"]

#: So deep a proof may go, and so many required properties and constants it may look at.
_MOST_DEEP = cython.declare(cython.int, 12)
_MOST_PARTS = cython.declare(cython.int, 64)
#: Constants beyond these may be numbers that no document holds.
_MOST_DIGITS = 10**15
#: Keywords that a non-empty value of a type satisfies if they are the only ones that say something of it.
_SATISFIABLE = {"minLength": "string", "maxLength": "string", "format": "string"}
_TYPES = {"string": str, "boolean": bool, "integer": int, "null": type(None)}
_OBJECT_KEYWORDS = frozenset({"type", "properties", "required", "additionalProperties"})
_ARRAY_KEYWORDS = frozenset({"type", "items", "minItems"})
_BOUNDS = frozenset({"minimum", "maximum"})


@cython.cclass
class SimpleValues:
    """Proofs about the sub-schemas of one compilation.

    Args:
        references: resolves `$ref`.
        harmless: for each type, the keywords that its most simple value satisfies whatever they say.
    """

    def __init__(self, references: References, harmless: dict[str, frozenset[str]]) -> None:
        self._references = references
        self._harmless = harmless
        self._known: dict[object, bool] = {}

    @cython.ccall
    def has_value(self, schema: Any, place: Place, depth: cython.int = 0) -> cython.bint:
        """Return whether a value surely satisfies a sub-schema; false also if that is only not seen at once.

        Args:
            place: of the sub-schema itself.
            depth: how many sub-schemas are being looked at around this one.
        """
        assertions: frozenset[str] = place.resource.dialect.assertions
        keywords: list[str] = [keyword for keyword in schema if keyword in assertions]
        if not keywords:
            return True
        if len(keywords) == 1 and keywords[0] == "type" and isinstance(schema["type"], str):
            return schema["type"] in self._harmless
        key: object = (id(schema), place)
        known = self._known.get(key)
        if known is None:
            if depth > _MOST_DEEP:
                return False
            # What needs itself is not simple.
            self._known[key] = False
            if "$ref" in schema and place.resource.dialect.ref_overrides:
                keywords = ["$ref"]
            known = self._is_simple(schema, place, keywords, depth + 1)
            self._known[key] = known
        return known

    @cython.cfunc
    def _below(self, schema: Any, place: Place, depth: cython.int) -> cython.bint:
        """Return whether a value surely satisfies a sub-schema that stands in another one."""
        if isinstance(schema, bool):
            return schema
        return self.has_value(schema, place.enter(schema), depth)

    @cython.cfunc
    def _is_simple(self, schema: Any, place: Place, keywords: Any, depth: cython.int) -> cython.bint:
        name: object
        if "type" not in keywords:
            if len(keywords) != 1:
                return False
            if keywords[0] == "$ref":
                contents, target, _ = self._references.lookup(place, schema, "$ref")
                return isinstance(contents, dict) and self._below(contents, target, depth)
            return keywords[0] in ("enum", "const") and _is_any_written(schema, keywords[0], None)
        names = schema["type"]
        for name in [names] if isinstance(names, str) else names:
            harmless = self._harmless.get(name)
            if harmless is not None:
                asking = [keyword for keyword in keywords if keyword not in harmless]
                if not asking or self._has_type(schema, place, keywords, name, asking, depth):
                    return True
        return False

    @cython.cfunc
    def _has_type(
        self,
        schema: Any,
        place: Place,
        keywords: Any,
        name: object,
        asking: Any,
        depth: cython.int,
    ) -> cython.bint:
        """Return whether some value of a type surely satisfies the keywords that say something of it."""
        if name in ("integer", "number") and _BOUNDS.issuperset(asking):
            return _has_bound(schema)
        if len(asking) > 1:
            return False
        keyword = asking[0]
        if keyword in ("enum", "const"):
            return name in _TYPES and _is_any_written(schema, keyword, _TYPES[name])
        if keyword == "required" and name == "object":
            return _OBJECT_KEYWORDS.issuperset(keywords) and self._has_required(schema, place, depth)
        if keyword == "minItems" and name == "array":
            return _ARRAY_KEYWORDS.issuperset(keywords) and self._has_items(schema, place, depth)
        return _SATISFIABLE.get(keyword) == name

    @cython.cfunc
    def _has_required(self, schema: Any, place: Place, depth: cython.int) -> cython.bint:
        """Return whether the required properties, and no others, surely make an object."""
        required = schema["required"]
        if not isinstance(required, list) or len(required) > _MOST_PARTS:
            return False
        properties: Any = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for name in required:
            if not _is_written(name):
                return False
            if name not in properties:
                if others is not True:
                    return False
            elif not self._below(properties[name], place, depth):
                return False
        return True

    @cython.cfunc
    def _has_items(self, schema: Any, place: Place, depth: cython.int) -> cython.bint:
        """Return whether an array of the least length, its items all the same, surely is a value."""
        count = schema["minItems"]
        if type(count) is not int or count > _MOST_PARTS:
            return False
        return self._below(schema.get("items", True), place, depth)


@cython.cfunc
def _has_bound(schema: Any) -> cython.bint:
    """Return whether a bound itself surely is a number within the bounds."""
    low, high = schema.get("minimum"), schema.get("maximum")
    bound = high if low is None else low
    return type(bound) is int and _is_written(bound) and (low is None or high is None or low <= high)


@cython.cfunc
def _is_any_written(schema: Any, keyword: str, kind: Any) -> cython.bint:
    """Return whether one of the constants of a sub-schema, of a given Python type, can be written."""
    listed: Any = schema[keyword] if keyword == "enum" else [schema[keyword]]
    if isinstance(listed, list):
        for value in listed[:_MOST_PARTS]:
            if (kind is None or type(value) is kind) and _is_written(value):
                return True
    return False


@cython.cfunc
def _is_written(value: Any) -> cython.bint:
    """Return whether a scalar surely can be written under every text policy."""
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < _MOST_DIGITS
    return value is None or isinstance(value, bool)
