"""Quick proofs that a sub-schema has a value, from its keywords alone.

Most properties of real schemas are strings, numbers, enumerations and objects with some required
ones; that each of them can be written at all is asked at every object, and need not be worked out
from formulas. A proof gives a value in mind: `{}`, `""`, the first constant, an object of the
required properties. Where there is none the full answer is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constrain.frontends.json_schema.nodes import SubschemaNode

__all__ = ["has_simple_value"]

#: So deep a proof may go, and so many required properties and constants it may look at.
_MOST_DEEP = 12
_MOST_PARTS = 64
#: Constants beyond these may be numbers that no document holds.
_MOST_DIGITS = 10**15
#: Keywords that a non-empty value of a type satisfies if they are the only ones that say something of it.
_SATISFIABLE = {"minLength": "string", "maxLength": "string", "format": "string"}
_TYPES = {"string": str, "boolean": bool, "integer": int, "null": type(None)}


def has_simple_value(node: SubschemaNode, harmless: dict[str, frozenset[str]], depth: int = 0) -> bool:
    """Return whether a value surely satisfies a node; false also if that is only not seen at once.

    Args:
        harmless: for each type, the keywords that its most simple value satisfies whatever they say.
        depth: how many nodes are being looked at around this one.
    """
    if node.is_simple is None:
        if depth > _MOST_DEEP:
            return False
        # A node that needs itself is not simple.
        node.is_simple = False
        node.is_simple = _is_simple(node, harmless, depth + 1)
    return node.is_simple


def _is_simple(node: SubschemaNode, harmless: dict[str, frozenset[str]], depth: int) -> bool:
    keywords = node.keywords()
    if len(keywords) == 1 and keywords[0] == "type" and isinstance(node.schema["type"], str):
        return node.schema["type"] in harmless
    names = node.schema.get("type") if "type" in keywords else None
    asking = [keyword for keyword in keywords if keyword != "type"]
    if names is None:
        if asking == ["$ref"]:
            return any(has_simple_value(target, harmless, depth) for target in node.references("$ref"))
        if asking == ["enum"] or asking == ["const"]:
            return any(map(_is_written, _constants(node, asking[0])))
        return False
    return any(
        _has_type(node, name, [k for k in asking if k not in harmless.get(name, ())], harmless, depth)
        for name in ([names] if isinstance(names, str) else names)
        if name in harmless
    )


def _has_type(
    node: SubschemaNode, name: str, asking: list[str], harmless: dict[str, frozenset[str]], depth: int
) -> bool:
    """Return whether some value of a type surely satisfies the keywords that say something of it."""
    if not asking:
        return True
    if name in ("integer", "number") and {*asking} <= {"minimum", "maximum"}:
        return _has_bound(node.schema)
    if len(asking) > 1:
        return False
    keyword = asking[0]
    if keyword in ("enum", "const"):
        return name in _TYPES and any(
            type(value) is _TYPES[name] and _is_written(value) for value in _constants(node, keyword)
        )
    if keyword == "required" and name == "object":
        return _has_required(node, harmless, depth)
    if keyword == "minItems" and name == "array":
        return _has_items(node, harmless, depth)
    return _SATISFIABLE.get(keyword) == name


def _has_required(node: SubschemaNode, harmless: dict[str, frozenset[str]], depth: int) -> bool:
    """Return whether the required properties, and no others, surely make an object of the node."""
    schema = node.schema
    required = schema["required"]
    if not isinstance(required, list) or len(required) > _MOST_PARTS:
        return False
    if not {*node.keywords()} <= {"type", "properties", "required", "additionalProperties"}:
        return False
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name in required:
        if not _is_written(name):
            return False
        if name not in properties:
            if others is not True:
                return False
            continue
        value = properties[name]
        part = node.compiler.node_of(value, node, ("properties", name))
        if value is False or (part is not None and not _is_open(part, harmless, depth)):
            return False
    return True


def _has_items(node: SubschemaNode, harmless: dict[str, frozenset[str]], depth: int) -> bool:
    """Return whether an array of the least length, its items all the same, surely is one of the node."""
    count = node.schema["minItems"]
    if (
        type(count) is not int
        or count > _MOST_PARTS
        or not {*node.keywords()} <= {"type", "items", "minItems"}
    ):
        return False
    items = node.schema.get("items", True)
    if not isinstance(items, dict):
        return items is True
    part = node.compiler.node_of(items, node, ("items",))
    return part is not None and _is_open(part, harmless, depth)


def _has_bound(schema: dict[str, Any]) -> bool:
    """Return whether a bound itself surely is a number within the bounds."""
    low, high = schema.get("minimum"), schema.get("maximum")
    bound = high if low is None else low
    return type(bound) is int and _is_written(bound) and (low is None or high is None or low <= high)


def _is_open(node: SubschemaNode, harmless: dict[str, frozenset[str]], depth: int) -> bool:
    return not node.keywords() or has_simple_value(node, harmless, depth)


def _constants(node: SubschemaNode, keyword: str) -> Iterable[Any]:
    listed = node.schema[keyword] if keyword == "enum" else [node.schema[keyword]]
    return listed[:_MOST_PARTS] if isinstance(listed, list) else ()


def _is_written(value: Any) -> bool:
    """Return whether a scalar surely can be written under every text policy."""
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < _MOST_DIGITS
    return value is None or isinstance(value, bool)
