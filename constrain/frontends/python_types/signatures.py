"""Functions as types: the signature of a function is a typed dictionary of its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, NotRequired, Union

import typing_extensions
from pydantic import Field

from constrain.errors import SchemaError, UnsupportedError
from constrain.frontends.python_types.calls import Call, name_of, underlying
from constrain.frontends.python_types.readers import TypeReader

__all__ = ["CallReader", "arguments_type", "call_type"]

# pydantic takes no other `TypedDict` before Python 3.12. Type checkers take no computed one at all.
_typed_dict: Any = typing_extensions.TypedDict


def arguments_type(function: Callable[..., Any]) -> Any:
    """Return the type of the arguments of a function: a typed dictionary.

    A parameter with a default may be left out, one without annotation takes any value. The docstring
    becomes the description.

    Raises:
        UnsupportedError: the function has positional-only or variadic parameters, or no signature.
        SchemaError: an annotation names something that does not exist.
    """
    name = name_of(function)
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, SyntaxError, AttributeError) as error:
        raise SchemaError(f"an annotation cannot be resolved: {error}", location=name) from None
    except (TypeError, ValueError) as error:
        raise UnsupportedError(f"the function has no signature: {error}", location=name) from None
    fields: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise UnsupportedError(
                f"arguments are passed by name, and this parameter is {parameter.kind.description}",
                location=f"{name}.{parameter.name}",
                remedy="wrap the function in one with named parameters",
            )
        annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
        fields[parameter.name] = (
            annotation if parameter.default is parameter.empty else NotRequired[annotation]
        )
    return _dictionary(name, fields, function)


def call_type(functions: Sequence[Callable[..., Any]]) -> Any:
    """Return the type of a call of one of the functions: `{"name": ..., "arguments": {...}}`.

    Raises:
        SchemaError: there is no function, or two have the same name.
        UnsupportedError: as for `arguments_type`.
    """
    names = [name_of(function) for function in functions]
    if not functions:
        raise SchemaError("there is no function to call")
    for index, name in enumerate(names):
        if name in names[:index]:
            raise SchemaError("two functions have the same name", location=name)
    calls = [
        _dictionary(f"{name}_call", {"name": Literal[name], "arguments": arguments_type(function)}, function)
        for name, function in zip(names, functions, strict=True)
    ]
    if len(calls) == 1:
        return calls[0]
    union: Any = Union[tuple(calls)]  # noqa: UP007, there is no `|` of a sequence
    return Annotated[union, Field(discriminator="name")]


class CallReader:
    """Reads documents of calls; pickled by the functions, which pickle by reference.

    Args:
        functions: those that may be called.
        named: whether a document names the function, or is the arguments of the only one.
        exact: as for `TypeReader`.
    """

    def __init__(self, functions: tuple[Callable[..., Any], ...], named: bool, exact: bool) -> None:
        self.functions = functions
        self._named = named
        self._exact = exact
        self._read = TypeReader(call_type(functions) if named else arguments_type(functions[0]), exact)

    def __reduce__(self) -> tuple[object, ...]:
        return (CallReader, (self.functions, self._named, self._exact))

    def __call__(self, text: str) -> Call:
        """Return the call that a JSON text means.

        Raises:
            SchemaError: pydantic refuses an argument, at the path `location`.
        """
        value = self._read(text)
        if not self._named:
            return Call(self.functions[0], value)
        function = next(known for known in self.functions if name_of(known) == value["name"])
        return Call(function, value["arguments"])


def _dictionary(name: str, fields: dict[str, Any], function: Callable[..., Any]) -> Any:
    made = _typed_dict(name, fields)
    # Where pydantic looks up names inside of nested annotations, and what it takes as the description.
    made.__module__ = getattr(underlying(function), "__module__", __name__)
    made.__doc__ = inspect.getdoc(underlying(function))
    return made
