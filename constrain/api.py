"""`compile` and its explicit forms: which frontend reads a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from constrain.constraint import Constraint, parse_json
from constrain.errors import KnowledgeError, SchemaError, UnsupportedError
from constrain.frontends.python_types.recognition import is_function, is_type
from constrain.options import Options

if TYPE_CHECKING:
    from constrain.frontends.json_schema.compiler import Compiler
    from constrain.frontends.python_types.sources import TypeSource
    from constrain.knowledge import Graph

__all__ = [
    "compile",
    "compile_json_schema",
    "compile_python_type",
    "compile_rules",
    "compile_tool_call",
    "compile_xml_schema",
]


#: What a source is read from; a union is made anew whenever it is written down.
_TEXTS = (str, bytes, Path)


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
            file; or a Python type or function, see `compile_python_type`. A `str` is text and never
            opened as a file.
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
    is_python = is_type(source) or is_function(source)
    value = None if is_python else _read(source)
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
    if is_python:
        return compile_python_type(source, options=options)
    return compile_json_schema(value, options=options, registry=registry)


def compile_json_schema(
    source: object, *, options: Options | None = None, registry: Mapping[str, object] | None = None
) -> Constraint:
    """Compile a JSON Schema: a dict, a boolean, JSON text or a `Path`. See `compile`."""
    is_text = isinstance(source, _TEXTS)
    return Constraint(_read(source), options or Options(), _compiler(), registry=registry, is_own=is_text)


@cache
def _compiler() -> type[Compiler]:
    """Return what compiles JSON Schemas; it is loaded when the first one is there."""
    from constrain.frontends.json_schema.compiler import Compiler

    return Compiler


def compile_python_type(
    source: object,
    *,
    options: Options | None = None,
    validators: Literal["refuse", "after"] = "refuse",
) -> Constraint:
    """Compile a Python type, or a function whose arguments are wanted.

    `Constraint.parse` and `Result.value` are instances of the type, or calls of the function: objects with
    `function` and `arguments` that call it when they are called.

    Args:
        source: a pydantic model, dataclass, `TypedDict`, `Enum`, any other annotation that pydantic reads,
            or a function.
        options: the text policy and budgets.
        validators: what to do about conditions that only Python code can check, such as a
            `field_validator` or a bound on a date. `"refuse"` them now, or check them `"after"`
            generation: the instance is made then, and may be refused.

    Raises:
        UnsupportedError: a part of the type is nothing in JSON, needs Python code to be checked, or
            cannot be enforced exactly; with its path. Or the extra `types` is not installed.
        SchemaError: pydantic cannot make sense of the type.
        UnsatisfiableError, LimitExceeded: as for `compile`.

    Example:
        >>> import constrain
        >>> from typing import Literal
        >>> def weather(city: str, unit: Literal["c", "f"] = "c"): ...
        >>> constrain.compile_python_type(weather).parse('{"city": "Ulm"}').arguments
        {'city': 'Ulm'}
    """
    sources = _python_types()
    if is_function(source):
        return _of_type(sources.function_source(source, validators), options)
    return _of_type(sources.type_source(source, validators), options)


def compile_tool_call(
    functions: Sequence[Callable[..., object]],
    *,
    options: Options | None = None,
    validators: Literal["refuse", "after"] = "refuse",
) -> Constraint:
    """Compile a call of one of several functions: `{"name": ..., "arguments": {...}}`.

    `Constraint.parse` and `Result.value` are calls, see `compile_python_type`, which also has the other
    arguments and errors.

    Example:
        >>> import constrain
        >>> def add(a: int, b: int) -> int:
        ...     return a + b
        >>> call = constrain.compile_tool_call([add]).parse('{"name": "add", "arguments": {"a": 1, "b": 2}}')
        >>> call()
        3
    """
    for function in functions:
        if not is_function(function):
            raise SchemaError(
                f"{function!r} is not a function", remedy="compile a union of types with `constrain.compile`"
            )
    return _of_type(_python_types().tool_call_source(functions, validators), options)


def _python_types() -> Any:
    from constrain.frontends.python_types.extra import require_pydantic

    require_pydantic()
    from constrain.frontends.python_types import sources

    return sources


def _of_type(source: TypeSource, options: Options | None) -> Constraint:
    return Constraint(
        source.schema, options or Options(), _compiler(), python_type=source.name, read=source.read
    )


def compile_rules(
    source: object, *, knowledge: Graph | None = None, options: Options | None = None
) -> Constraint:
    """Compile report rules: a dict, JSON text or a `Path`. See `compile`."""
    from constrain.frontends.rules import rules_to_json_schema

    rules = _read(source)
    if not isinstance(rules, Mapping):
        raise SchemaError("report rules are an object", location="#")
    return Constraint(rules_to_json_schema(rules, knowledge), options or Options(), _compiler(), rules=rules)


def compile_xml_schema(source: object, *, options: Options | None = None) -> Constraint:
    """Compile an XML Schema.

    Raises:
        UnsupportedError: always: XML Schema is not enforced yet.
    """
    raise UnsupportedError("XML Schema is not enforced yet", remedy="use JSON Schema or report rules")


def _read(source: object) -> Any:
    """Return a source as a JSON value."""
    if isinstance(source, _TEXTS):
        return _parse(_bytes_of(source) if isinstance(source, Path) else source)
    if isinstance(source, dict | bool):
        return source
    raise SchemaError(
        f"a {type(source).__name__} is not a source of constraints",
        remedy="pass a dict, a boolean, JSON text, a Path, a Python type or a function",
    )


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SchemaError(f"cannot read {path}: {error.strerror}") from None


def _parse(text: str | bytes) -> Any:
    start = text.lstrip()[:1]
    if start in ("<", b"<"):
        compile_xml_schema(text)
    return parse_json(text)
