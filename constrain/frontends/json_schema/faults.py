"""All that makes a schema unusable, not only the first: what compilation would refuse, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from constrain.errors import ConstrainError
from constrain.frontends.json_schema.compiler import Compiler
from constrain.frontends.json_schema.dialects import Dialect
from constrain.frontends.json_schema.keyword_sets import places, raw_subschemas
from constrain.frontends.json_schema.references import REFERENCES, lone_place
from constrain.frontends.json_schema.scan_cy import pointer, scan_schema

if TYPE_CHECKING:
    from constrain.options import Options

__all__ = ["faults"]

#: More than a person reads; a schema with so many faults is not a schema.
_MAX_FAULTS = 1000


def faults(
    schema: Any, options: Options, registry: Mapping[str, object] | None = None
) -> list[ConstrainError]:
    """Return an error for every keyword that is malformed or cannot be enforced, in the order of the text.

    A schema without faults may still be unsatisfiable, or refused for how its parts go together; `compile`
    decides that.
    """
    try:
        compiler = Compiler(schema, options, registry)
    except ConstrainError as error:
        return [error]
    dialect = compiler.dialect
    if not isinstance(schema, dict | bool):
        return _scan(schema, "#", dialect)
    found: list[ConstrainError] = []
    checked: dict[str, ConstrainError | None] = {}
    for location, part in places(schema, dialect, options.max_steps):
        found += _keyword_faults(part, location, dialect)
        found += _lazy_faults(compiler, part, location, dialect, checked)
        if len(found) >= _MAX_FAULTS:
            break
    return found[:_MAX_FAULTS]


def _scan(schema: Any, location: str, dialect: Dialect) -> list[ConstrainError]:
    """What the scan has to say about one schema without sub-schemas."""
    try:
        scan_schema(schema, lone_place(schema, dialect), lambda *found: None, frozenset(), 1_000_000)
    except ConstrainError as error:
        error.location = location + (error.location or "#").removeprefix("#")
        return [error]
    return []


def _keyword_faults(schema: dict[str, Any], location: str, dialect: Dialect) -> list[ConstrainError]:
    """The keywords with a value of the wrong form, and those that are refused."""
    found = []
    names = ["$ref"] if dialect.ref_overrides and "$ref" in schema else list(schema)
    below = {path for path, _ in raw_subschemas(schema, dialect)}
    for name in names:
        value = schema[name]
        if (name,) in below:
            value = True
        elif any(path[0] == name for path in below):
            value = _hollow(value)
        found += _scan({name: value}, location, dialect)
    return found


def _hollow(value: Any) -> Any:
    """A keyword's value with its sub-schemas replaced by `true`: they are places of their own."""
    if isinstance(value, dict):
        return {name: True if isinstance(part, dict) else part for name, part in value.items()}
    if isinstance(value, list):
        return [True if isinstance(part, dict) else part for part in value]
    return value


def _lazy_faults(
    compiler: Compiler,
    schema: dict[str, Any],
    location: str,
    dialect: Dialect,
    checked: dict[str, ConstrainError | None],
) -> list[ConstrainError]:
    """References that lead nowhere, and patterns and formats that have no language."""
    found: list[ConstrainError] = []
    is_reference = dialect.ref_overrides and "$ref" in schema
    for reference in REFERENCES:
        if isinstance(schema.get(reference), str) and reference in dialect.assertions:
            try:
                compiler.referenced(compiler.find(schema, location), reference)
            except ConstrainError as error:
                found.append(error)
    if is_reference:
        return found
    patterns: list[tuple[Any, str, str | None]] = [(schema.get("pattern"), location, "pattern")]
    named = schema.get("patternProperties")
    if isinstance(named, dict):
        patterns += [(text, pointer(location, "patternProperties", text), None) for text in named]
    for text, place, keyword in patterns:
        if isinstance(text, str):
            try:
                compiler.pattern(text, place)
            except ConstrainError as error:
                error.keyword = keyword
                found.append(error)
    name = schema.get("format")
    if isinstance(name, str):
        if name not in checked:
            checked[name] = _format_fault(name, compiler.options, dialect)
        fault = checked[name]
        if fault is not None:
            again = type(fault)(fault.reason, location=location, keyword="format", remedy=fault.remedy)
            found.append(again)
    return found


def _format_fault(name: str, options: Options, dialect: Dialect) -> ConstrainError | None:
    try:
        # Of a dialect with a meta-schema of its own, the draft that it restricts.
        Compiler({"$schema": dialect.uri, "type": "string", "format": name}, options).compile()
    except ConstrainError as error:
        return error
    return None
