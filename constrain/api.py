"""`compile` and its explicit forms: which frontend reads a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constrain.constraint import Constraint, parse_json
from constrain.errors import KnowledgeError, SchemaError, UnsupportedError
from constrain.options import Options

if TYPE_CHECKING:
    from constrain.knowledge import Graph

__all__ = ["compile", "compile_json_schema", "compile_rules", "compile_xml_schema"]


def compile(
    source: object,
    *,
    knowledge: Graph | None = None,
    options: Options | None = None,
    registry: Mapping[str, object] | None = None,
) -> Constraint:
    """Compile a source into a constraint; its kind is recognised by its content.

    Args:
        source: a JSON Schema or report rules, as a dict, a boolean, JSON text or a `Path` to such a
            file; or a pydantic model class. A `str` is text and never opened as a file.
        knowledge: a graph whose entities the source refers to.
        options: the text policy and budgets.
        registry: the documents that a JSON Schema may refer to, by absolute URI: a mapping whose values
            are schemas, or a `referencing.Registry`, of which only what it holds counts. The meta-schemas
            of the drafts are always known; nothing is fetched.

    Raises:
        SchemaError: the source is malformed.
        UnsupportedError: part of it cannot be enforced exactly.
        UnsatisfiableError: no document satisfies it.
        KnowledgeError: the graph lacks what the source asks of it, or nothing asks for it.
        LimitExceeded: a budget was met.

    Example:
        >>> import constrain
        >>> constrain.compile({"type": "integer", "minimum": 3}).accepts("4")
        True
    """
    value = _read(source)
    from constrain.frontends.rules import is_rules

    if is_rules(value):
        if registry is not None:
            raise SchemaError("report rules refer to no documents", remedy="compile without `registry`")
        return compile_rules(value, knowledge=knowledge, options=options)
    if knowledge is not None:
        raise KnowledgeError(
            "the schema names no entity, so the graph would be ignored",
            remedy="compile without `knowledge`, or name entities in report rules",
        )
    return compile_json_schema(value, options=options, registry=registry)


def compile_json_schema(
    source: object, *, options: Options | None = None, registry: Mapping[str, object] | None = None
) -> Constraint:
    """Compile a JSON Schema: a dict, a boolean, JSON text or a `Path`. See `compile`."""
    from constrain.frontends.json_schema.compiler import Compiler

    return Constraint(_read(source), options or Options(), Compiler, registry=registry)


def compile_rules(
    source: object, *, knowledge: Graph | None = None, options: Options | None = None
) -> Constraint:
    """Compile report rules: a dict, JSON text or a `Path`. See `compile`."""
    from constrain.frontends.json_schema.compiler import Compiler
    from constrain.frontends.rules import rules_to_json_schema

    rules = _read(source)
    if not isinstance(rules, Mapping):
        raise SchemaError("report rules are an object", location="#")
    return Constraint(rules_to_json_schema(rules, knowledge), options or Options(), Compiler, rules=rules)


def compile_xml_schema(source: object, *, options: Options | None = None) -> Constraint:
    """Compile an XML Schema.

    Raises:
        UnsupportedError: always: XML Schema is not enforced yet.
    """
    raise UnsupportedError("XML Schema is not enforced yet", remedy="use JSON Schema or report rules")


def _read(source: object) -> Any:
    """Return a source as a JSON value."""
    if isinstance(source, Path):
        try:
            data = source.read_bytes()
        except OSError as error:
            raise SchemaError(f"cannot read {source}: {error.strerror}") from None
        return _parse(data)
    if isinstance(source, str | bytes):
        return _parse(source)
    if isinstance(source, dict | bool):
        return source
    model_schema = getattr(source, "model_json_schema", None)
    if isinstance(source, type) and callable(model_schema):
        return model_schema()
    raise SchemaError(
        f"a {type(source).__name__} is not a source of constraints",
        remedy="pass a dict, a boolean, JSON text, a Path or a pydantic model class",
    )


def _parse(text: str | bytes) -> Any:
    start = text.lstrip()[:1]
    if start in ("<", b"<"):
        compile_xml_schema(text)
    return parse_json(text)
