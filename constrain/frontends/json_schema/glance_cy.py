"""What a glance at the keywords of a sub-schema tells: the kinds of its values, and that there are some.

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

from constrain.matching.modes import ARRAY, FALSE_LITERAL, NULL, NUMBER, OBJECT, STRING, TRUE_LITERAL

if TYPE_CHECKING:
    from constrain.frontends.json_schema.references import Place, References

__all__ = ["Glance"]

#: So deep a proof may go, and so many required properties and constants it may look at.
_MOST_DEEP = cython.declare(cython.int, 12)
_MOST_PARTS = cython.declare(cython.int, 64)
#: Constants beyond these may be numbers that no document holds.
_MOST_DIGITS = 10**15
_ALL_KINDS = cython.declare(cython.int, (1 << 7) - 1)
#: So many places have numbers that fit into a key.
_MOST_PLACES = cython.declare(cython.ulonglong, 4096)
#: Type name -> its kinds as bits; `integer` is what some numbers are.
_KINDS_OF_TYPE = {
    "null": 1 << NULL,
    "boolean": 1 << FALSE_LITERAL | 1 << TRUE_LITERAL,
    "number": 1 << NUMBER,
    "integer": 1 << NUMBER,
    "string": 1 << STRING,
    "array": 1 << ARRAY,
    "object": 1 << OBJECT,
}
# What a value in mind has to be.
_ANY = cython.declare(cython.int, 0)
_LITERAL = cython.declare(cython.int, 1)
_FLAT = cython.declare(cython.int, 2)
#: The names of types by kind.
_NAMES = (("null",), ("boolean",), ("boolean",), ("integer", "number"), ("string",), ("array",), ("object",))
_ALL_NAMES = ("null", "boolean", "integer", "number", "string", "array", "object")
#: Type name -> its number in `_key`.
_CODES = {name: code for code, name in enumerate(_ALL_NAMES)}
#: Keywords that a non-empty value of a type satisfies if they are the only ones that say something of it.
_SATISFIABLE = {"minLength": "string", "maxLength": "string", "format": "string"}
_CONSTANTS = {"string": str, "boolean": bool, "integer": int, "null": type(None)}
_OBJECT_KEYWORDS = frozenset({"type", "properties", "required", "additionalProperties"})
_ARRAY_KEYWORDS = frozenset({"type", "items", "minItems"})
_BOUNDS = frozenset({"minimum", "maximum"})


@cython.cfunc
def _inside(place: Place, schema: Any) -> Any:
    """Return the place of a sub-schema of a place."""
    return place.enter(schema) if place.resource.embedded else place


@cython.cfunc
def _key(schema: Any, place: Place, code: cython.ulonglong) -> object:
    """Return what stands for a sub-schema, its place and a small number in a memo.

    It is an integer in most cases: that is made and found faster than a tuple, and the garbage collector
    does not look at it.
    """
    number: cython.ulonglong = place.number
    if cython.compiled:
        address: cython.ulonglong = cython.cast(cython.ulonglong, cython.cast(cython.p_void, schema))
        # Objects lie at multiples of 16, in 48 bits.
        if address & 15 == 0 and address >> 48 == 0 and number < _MOST_PLACES:
            return (address << 16) | (number << 8) | code
    return (id(schema), number, code)


@cython.cclass
class Glance:
    """Glances at the sub-schemas of one compilation.

    Args:
        references: resolves `$ref`.
        harmless: for each type, the keywords that its most simple value satisfies whatever they say.
    """

    def __init__(self, references: References, harmless: dict[str, frozenset[str]]) -> None:
        self._references = references
        self._harmless = harmless
        self._known: dict[object, bool] = {}
        self._kinds: dict[object, int] = {}

    @cython.ccall
    def kinds(self, schema: Any, place: Place, depth: cython.int = 0) -> cython.int:
        """Return the kinds of values that may satisfy a sub-schema, as bits; perhaps too many.

        Args:
            place: of the sub-schema itself.
            depth: how many sub-schemas are being looked at around this one.
        """
        keywords = self._keywords(schema, place)
        if len(keywords) == 1 and keywords[0] == "type" and isinstance(schema["type"], str):
            return _KINDS_OF_TYPE[schema["type"]]
        key: object = _key(schema, place, 0)
        known = self._kinds.get(key)
        if known is None:
            if depth > _MOST_DEEP:
                return _ALL_KINDS
            # What needs itself may be anything.
            self._kinds[key] = _ALL_KINDS
            known = self._find_kinds(schema, place, keywords, depth + 1)
            self._kinds[key] = known
        return known

    @cython.cfunc
    def _find_kinds(self, schema: Any, place: Place, keywords: Any, depth: cython.int) -> cython.int:
        kinds: cython.int = _ALL_KINDS
        some: cython.int
        for keyword in keywords:
            value = schema[keyword]
            if keyword == "type":
                some = 0
                for name in [value] if isinstance(value, str) else value:
                    some |= _KINDS_OF_TYPE[name]
                kinds &= some
            elif keyword == "enum":
                kinds &= _kinds_of_values(value)
            elif keyword == "const":
                kinds &= _kinds_of_values([value])
            elif keyword == "$ref":
                contents, target, _ = self._references.lookup(place, schema, "$ref")
                kinds &= self._kinds_below(contents, target, depth)
            elif keyword == "allOf":
                for part in value:
                    kinds &= self._kinds_below(part, place, depth)
            elif keyword == "anyOf" or keyword == "oneOf":
                some = 0
                for part in value:
                    some |= self._kinds_below(part, place, depth)
                    if some == _ALL_KINDS:
                        break
                kinds &= some
        return kinds

    @cython.cfunc
    def _kinds_below(self, schema: Any, place: Place, depth: cython.int) -> cython.int:
        if isinstance(schema, bool):
            return _ALL_KINDS if schema else 0
        return self.kinds(schema, _inside(place, schema), depth)

    @cython.cfunc
    def _keywords(self, schema: Any, place: Place) -> Any:
        """Return the keywords that count."""
        dialect = place.resource.dialect
        assertions: frozenset[str] = dialect.assertions
        if "$ref" in schema and dialect.ref_overrides:
            return ["$ref"]
        return [keyword for keyword in schema if keyword in assertions]

    @cython.ccall
    def with_values(self, schemas: Any, place: Place, names: Any) -> Any:
        """Return the keys of which no more is asked than some value surely satisfies.

        Args:
            schemas: what `properties` lists.
            place: of the sub-schema around them.
            names: key -> its name among them.
        """
        found: list[bytes] = []
        for key, name in names.items():
            if self._below(schemas[name], place, 0):
                found.append(key)
        return found

    @cython.ccall
    def has_value(self, schema: Any, place: Place, depth: cython.int = 0) -> cython.bint:
        """Return whether a value surely satisfies a sub-schema; false also if that is only not seen at once.

        The arguments are those of `kinds`.
        """
        keywords = self._keywords(schema, place)
        if not keywords:
            return True
        names: Any = schema["type"] if "type" in keywords else _ALL_NAMES
        if isinstance(names, str):
            return len(keywords) == 1 or self._named(schema, place, names, depth, _ANY)
        for name in names:
            if self._named(schema, place, name, depth, _ANY):
                return True
        return False

    @cython.ccall
    def has_kind(self, schema: Any, place: Place, kind: cython.int) -> cython.bint:
        """Return whether a value of a kind surely satisfies a sub-schema; as `has_value` does."""
        mode: cython.int = _LITERAL if kind == TRUE_LITERAL or kind == FALSE_LITERAL else _ANY
        for name in _NAMES[kind]:
            if self._named(schema, place, name, 0, mode):
                return True
        return False

    @cython.ccall
    def flat_kind(self, schema: Any, place: Place) -> cython.int:
        """Return a kind of which a value without members surely satisfies a sub-schema, -1 if none is seen.

        Of the kinds of scalars it tells only that there is one: then it is `NULL`.
        """
        for name in _ALL_NAMES:
            if self._named(schema, place, name, 0, _FLAT):
                return ARRAY if name == "array" else OBJECT if name == "object" else NULL
        return -1

    @cython.cfunc
    def _named(
        self, schema: Any, place: Place, name: Any, depth: cython.int, mode: cython.int
    ) -> cython.bint:
        """Return whether a value of a type surely satisfies a sub-schema.

        Args:
            mode: `_LITERAL`: it is a certain one of the literals, so constants prove nothing; `_FLAT`: it has
                no members.
        """
        key: object = _key(schema, place, _CODES[name] << 2 | mode)
        known = self._known.get(key)
        if known is None:
            if depth > _MOST_DEEP:
                return False
            # What needs itself is not simple.
            self._known[key] = False
            known = self._find_named(schema, place, name, depth + 1, mode)
            self._known[key] = known
        return known

    @cython.cfunc
    def _find_named(
        self, schema: Any, place: Place, name: Any, depth: cython.int, mode: cython.int
    ) -> cython.bint:
        keywords = self._keywords(schema, place)
        if "type" in keywords:
            names = schema["type"]
            if isinstance(names, str):
                names = (names,)
            if name not in names and not (name == "integer" and "number" in names):
                return False
        harmless: frozenset[str] = self._harmless[name]
        asking = [keyword for keyword in keywords if keyword not in harmless]
        if not asking:
            return True
        if name in ("integer", "number") and _BOUNDS.issuperset(asking):
            return _has_bound(schema)
        if len(asking) > 1:
            return False
        keyword = asking[0]
        value = schema[keyword]
        if keyword == "enum" or keyword == "const":
            if mode == _LITERAL or name not in _CONSTANTS:
                return False
            return _is_any_written(value if keyword == "enum" else [value], _CONSTANTS[name])
        if mode == _FLAT and (keyword == "required" or keyword == "minItems"):
            return False
        if keyword == "required":
            return (
                name == "object"
                and _OBJECT_KEYWORDS.issuperset(keywords)
                and self._has_required(schema, place, depth)
            )
        if keyword == "minItems":
            return (
                name == "array"
                and _ARRAY_KEYWORDS.issuperset(keywords)
                and self._has_items(schema, place, depth)
            )
        if len(keywords) > 1 + ("type" in keywords):
            # The value of a part may not be the simple one that the other keywords allow.
            return _SATISFIABLE.get(keyword) == name
        if keyword == "$ref":
            contents, target, _ = self._references.lookup(place, schema, "$ref")
            return self._named_below(contents, target, name, depth, mode)
        if keyword == "anyOf" or (keyword == "allOf" and len(value) == 1):
            for part in value:
                if self._named_below(part, place, name, depth, mode):
                    return True
            return False
        return _SATISFIABLE.get(keyword) == name

    @cython.cfunc
    def _named_below(
        self, schema: Any, place: Place, name: Any, depth: cython.int, mode: cython.int
    ) -> cython.bint:
        if isinstance(schema, bool):
            return schema
        return self._named(schema, _inside(place, schema), name, depth, mode)

    @cython.cfunc
    def _below(self, schema: Any, place: Place, depth: cython.int) -> cython.bint:
        """Return whether a value surely satisfies a sub-schema that stands in another one."""
        if isinstance(schema, bool):
            return schema
        return self.has_value(schema, _inside(place, schema), depth)

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
        items: Any = schema.get("items", True)
        return isinstance(items, bool | dict) and self._below(items, place, depth)


@cython.cfunc
def _has_bound(schema: Any) -> cython.bint:
    """Return whether a bound itself surely is a number within the bounds."""
    low, high = schema.get("minimum"), schema.get("maximum")
    bound = high if low is None else low
    return type(bound) is int and _is_written(bound) and (low is None or high is None or low <= high)


@cython.cfunc
def _is_any_written(values: Any, kind: Any) -> cython.bint:
    """Return whether one of some constants is of a Python type and can be written."""
    if isinstance(values, list):
        for value in values[:_MOST_PARTS]:
            if type(value) is kind and _is_written(value):
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


@cython.cfunc
def _kinds_of_values(values: Any) -> cython.int:
    """Return the kinds of some constants, as bits."""
    kinds: cython.int = 0
    for value in values:
        if isinstance(value, str):
            kinds |= 1 << STRING
        elif isinstance(value, bool):
            kinds |= 1 << TRUE_LITERAL if value else 1 << FALSE_LITERAL
        elif value is None:
            kinds |= 1 << NULL
        elif isinstance(value, list):
            kinds |= 1 << ARRAY
        elif isinstance(value, dict):
            kinds |= 1 << OBJECT
        else:
            kinds |= 1 << NUMBER
    return kinds
