"""A call: what a document of a function's arguments means."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Call", "name_of", "underlying"]


@dataclass(frozen=True, slots=True)
class Call:
    """A function and the arguments that a document gives it; calling it calls the function.

    Attributes:
        function: the function that was compiled.
        arguments: the arguments that were written, as instances of the annotated types. What was left
            out takes the function's own default.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the function."""
        return name_of(self.function)

    def __call__(self) -> Any:
        return self.function(**self.arguments)


def name_of(function: Callable[..., Any]) -> str:
    """Return the name that a document calls a function by."""
    return str(underlying(function).__name__)


def underlying(function: Callable[..., Any]) -> Any:
    """Return the function of a `functools.partial`, which has no name and no docstring of its own."""
    return underlying(function.func) if isinstance(function, functools.partial) else function
