"""Types and functions -> what `compile` needs: a JSON Schema and a reader of documents."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter

from constrain.errors import SchemaError, UnsupportedError
from constrain.frontends.python_types.calls import name_of
from constrain.frontends.python_types.readers import TypeReader
from constrain.frontends.python_types.refusals import Validators
from constrain.frontends.python_types.signatures import CallReader, arguments_type, call_type
from constrain.frontends.python_types.type_schemas import TypeSchema

__all__ = ["TypeSource", "function_source", "tool_call_source", "type_source"]


@dataclass(frozen=True, slots=True)
class TypeSource:
    """What a Python type means.

    Attributes:
        name: of the type or function.
        schema: the JSON Schema of its documents, draft 2020-12.
        read: returns the instance that a document means.
    """

    name: str
    schema: dict[str, Any]
    read: Callable[[str], Any]


def type_source(annotation: Any, validators: Validators = "refuse") -> TypeSource:
    """Return what a class or another annotation means.

    Raises:
        UnsupportedError: a part of it is nothing in JSON or checked by Python code; with its path.
        SchemaError: pydantic cannot make sense of it.
    """
    name = _name(annotation)
    adapter, schema, exact = _schema(annotation, name, validators)
    return TypeSource(name, schema, TypeReader(annotation, exact, adapter))


def function_source(function: Callable[..., Any], validators: Validators = "refuse") -> TypeSource:
    """Return what the arguments of a function mean; see `type_source`."""
    name = name_of(function)
    _, schema, exact = _schema(arguments_type(function), name, validators)
    return TypeSource(name, schema, CallReader((function,), False, exact))


def tool_call_source(
    functions: Sequence[Callable[..., Any]], validators: Validators = "refuse"
) -> TypeSource:
    """Return what a call of one of the functions means; see `type_source`."""
    name = "call"
    _, schema, exact = _schema(call_type(functions), name, validators)
    return TypeSource(name, schema, CallReader(tuple(functions), True, exact))


def _schema(
    annotation: Any, name: str, validators: Validators
) -> tuple[TypeAdapter[Any], dict[str, Any], bool]:
    adapter = _adapter(annotation, name)
    generator = TypeSchema(name, validators)
    try:
        schema = generator.generate(adapter.core_schema, mode="validation")
    except PydanticUserError as error:
        raise _refusal(error, name) from error
    schema["$schema"] = TypeSchema.schema_dialect
    return adapter, schema, generator.has_decimals


def _adapter(annotation: Any, name: str) -> TypeAdapter[Any]:
    try:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation.model_rebuild()
        return TypeAdapter(annotation)
    except PydanticSchemaGenerationError as error:
        path, part = _culprit(annotation, name)
        raise UnsupportedError(
            f"{_name(part)} is a type that pydantic has no schema for",
            location=path,
            remedy="use a type of JSON values, or give the class `__get_pydantic_core_schema__`",
        ) from error
    except (PydanticUserError, NameError, TypeError, ValueError, RuntimeError) as error:
        raise _refusal(error, name) from error


def _refusal(error: Exception, name: str) -> SchemaError:
    # pydantic ends its messages with a link on a line of its own.
    reason = str(error).split("\n")[0].rstrip(".")
    return SchemaError(f"pydantic cannot read the type: {reason}", location=name)


def _culprit(annotation: Any, path: str, seen: tuple[Any, ...] = ()) -> tuple[str, Any]:
    """Return the path and the type of the innermost part that pydantic has no schema for."""
    if any(annotation is known for known in seen):
        return path, annotation
    for name, part in _parts(annotation):
        try:
            TypeAdapter(part)
        except PydanticSchemaGenerationError:
            return _culprit(part, f"{path}.{name}" if name else path, (*seen, annotation))
        except Exception:  # what else is wrong with a part is not looked for here
            continue
    return path, annotation


def _parts(annotation: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(annotation, type) and (
        dataclasses.is_dataclass(annotation) or hasattr(annotation, "__annotations__")
    ):
        try:
            yield from typing.get_type_hints(annotation, include_extras=True).items()
        except (NameError, TypeError):
            return
    for part in typing.get_args(annotation):
        if isinstance(part, type) or typing.get_origin(part) is not None:
            yield "", part


def _name(annotation: Any) -> str:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__qualname__
    return str(annotation).removeprefix("typing.")
