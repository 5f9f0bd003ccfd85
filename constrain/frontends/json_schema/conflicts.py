"""Which parts of a contradictory schema conflict: a small set, found cheaply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constrain.errors import UnsatisfiableError
from constrain.frontends.json_schema.nodes import SubschemaNode
from constrain.frontends.json_schema.references import REFERENCES
from constrain.frontends.json_schema.scan_cy import pointer
from constrain.matching.atoms import SchemaNode

if TYPE_CHECKING:
    from constrain.frontends.json_schema.compiler import Compiler
    from constrain.matching.machine import Machine

__all__ = ["Part", "conflict"]


class Part(SchemaNode):
    """A sub-schema with only some of its keywords."""

    def __init__(self, node: SubschemaNode, keywords: tuple[str, ...]) -> None:
        self._node = node
        self._keywords = keywords

    def component(self, kind: int) -> int:
        """Return the conjunction of the chosen keywords."""
        return self._node.combine(self._keywords, kind)


def conflict(compiler: Compiler, machine: Machine, node: SubschemaNode | None = None) -> UnsatisfiableError:
    """Return the error of a schema, or of one sub-schema, that no value satisfies.

    Follows required properties and single applicators down to the innermost place that is
    contradictory by itself, then removes keywords there as long as the contradiction stays.
    """
    if compiler.schema is False and node is None:
        return UnsatisfiableError("the schema is `false`", location="#")
    formulas = compiler.algebra.formulas

    def is_empty(node: SubschemaNode, keywords: tuple[str, ...]) -> bool:
        return not machine.emptiness.is_nonempty(formulas.variable(Part(node, keywords)))

    node = node or compiler.find(compiler.schema, "#")
    visited = {id(node)}
    while True:
        keywords = list(node.keywords())
        for keyword in list(keywords):
            rest = tuple(other for other in keywords if other != keyword)
            if rest and is_empty(node, rest):
                keywords = list(rest)
        inner = _inner(compiler, node, keywords)
        found = next(
            (part for part in inner if id(part) not in visited and is_empty(part, tuple(part.keywords()))),
            None,
        )
        if found is None:
            break
        visited.add(id(found))
        node = found
    locations = tuple(pointer(node.location, keyword) for keyword in keywords)
    reason = (
        "no value satisfies " + " together with ".join(f"`{keyword}`" for keyword in keywords)
        if len(keywords) > 1
        else "no value satisfies this"
    )
    return UnsatisfiableError(
        reason,
        location=node.location,
        keyword=keywords[0] if len(keywords) == 1 else None,
        locations=locations,
        remedy="remove or relax one of them",
    )


def _inner(compiler: Compiler, node: SubschemaNode, keywords: list[str]) -> list[SubschemaNode]:
    """Return the sub-schemas whose emptiness alone would make `node` empty."""
    schema = node.schema
    found: list[SubschemaNode | None] = []
    found += [compiler.referenced(node, keyword) for keyword in REFERENCES if keyword in keywords]
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in keywords and (keyword == "allOf" or len(schema[keyword]) == 1):
            found += [
                compiler.node_of(value, node, (keyword, index)) for index, value in enumerate(schema[keyword])
            ]
    if "properties" in keywords and "required" in keywords:
        found += [
            compiler.node_of(schema["properties"][name], node, ("properties", name))
            for name in schema["required"]
            if name in schema["properties"]
        ]
    return [part for part in found if part is not None]
