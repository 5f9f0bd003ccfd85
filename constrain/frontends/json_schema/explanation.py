"""What was understood of a schema, place by place, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from constrain.automata.formulas_cy import FALSE
from constrain.frontends.json_schema.nodes import SubschemaNode
from constrain.frontends.json_schema.references import Place
from constrain.frontends.json_schema.scan import scan_schema
from constrain.matching.atoms import ARRAY, FALSE_LITERAL, NULL, NUMBER, OBJECT, STRING, TRUE_LITERAL

if TYPE_CHECKING:
    from constrain.frontends.json_schema.compiler import Compiler

__all__ = ["explain"]

_KIND_WORDS = (
    ((NULL,), "null"),
    ((FALSE_LITERAL, TRUE_LITERAL), "a boolean"),
    ((NUMBER,), "a number"),
    ((STRING,), "a string"),
    ((ARRAY,), "an array"),
    ((OBJECT,), "an object"),
)

#: Keywords that say nothing about a value and belong to the structure of the schema itself.
_STRUCTURAL = frozenset(
    {
        *("$schema", "$id", "id", "$defs", "definitions", "$anchor", "$comment", "$vocabulary"),
        *("$dynamicAnchor", "$recursiveAnchor"),
    }
)


def explain(compiler: Compiler, rules: Any = None) -> str:
    """Return one line per sub-schema, then what is not enforced and what the text policy leaves free."""
    lines = [f"JSON Schema, draft {compiler.dialect.name}"]
    if rules is not None:
        lines += ["The report rules mean this JSON Schema:", _pretty(compiler.schema)]
    places: list[tuple[str, dict[str, Any], Place]] = []
    scan_schema(
        compiler.schema,
        compiler.references.root,
        lambda schema, location, place: places.append((location, schema, place)),
        compiler.options.max_steps,
    )
    ignored: list[str] = []
    lines.append("What each place accepts:")
    if isinstance(compiler.schema, bool):
        lines.append(f"  #  {'any value' if compiler.schema else 'nothing'}")
    for location, schema, place in places:
        node = compiler.find(schema, location, place)
        lines.append(f"  {location}  {_accepts(compiler, node)}{_keywords(node)}")
        known = set(node.keywords())
        for keyword in schema:
            if keyword not in known and keyword not in _STRUCTURAL:
                ignored += [f"  {location}  `{keyword}`"]
    ignored += [f"  {location}  `{keyword}`: {reason}" for location, keyword, reason in compiler.annotations]
    if ignored:
        lines += ["Annotations, not enforced:", *ignored]
    options = compiler.options
    lines += [
        "Text policy:",
        f"  whitespace {options.whitespace}, property order {options.property_order},"
        f" escapes {options.escapes}, numbers {options.numbers}, formats {options.formats}",
        f"Cost: {len(places)} sub-schemas, {compiler.algebra.formulas.size()} formula nodes",
    ]
    return "\n".join(lines)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=float)


def _accepts(compiler: Compiler, node: SubschemaNode) -> str:
    """Return the kinds of value that a place can take, in words."""
    emptiness = compiler.machine.emptiness
    goal = compiler.algebra.formulas.variable(node)
    kinds = [
        words for group, words in _KIND_WORDS if any(emptiness.is_kind_nonempty(goal, kind) for kind in group)
    ]
    if not kinds:
        return "nothing: this place can never hold"
    if len(kinds) == len(_KIND_WORDS):
        return "any kind of value"
    return " or ".join(kinds)


def _keywords(node: SubschemaNode) -> str:
    shown = []
    for keyword in node.keywords():
        value = node.schema[keyword]
        if keyword == "type":
            continue
        if isinstance(value, dict):
            text = ", ".join(list(value)[:6]) + (", ..." if len(value) > 6 else "")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            text = f"{len(value)} branches"
        else:
            text = json.dumps(value, ensure_ascii=False, default=str)
            text = text if len(text) <= 60 else text[:57] + "..."
        vacuous = _vacuous(node, keyword)
        shown.append(f"{keyword} {text}{' (vacuous: it excludes nothing)' if vacuous else ''}")
    return ("; " + "; ".join(shown)) if shown else ""


def _vacuous(node: SubschemaNode, keyword: str) -> bool:
    """Return whether a keyword says nothing about any value that the place's `type` admits."""
    kinds = [
        kind for kind in range(7) if node.combine(["type"] if "type" in node.schema else [], kind) != FALSE
    ]
    return all(node.combine([keyword], kind) == 1 for kind in kinds)
