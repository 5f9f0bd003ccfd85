"""Which objects count as Python types or functions."""

from __future__ import annotations

import functools
import inspect
import types
import typing

__all__ = ["is_function", "is_type"]


def is_type(source: object) -> bool:
    """True for a class and for whatever else an annotation can be, except `None` and text."""
    if isinstance(source, type | types.UnionType | typing.NewType) or typing.get_origin(source) is not None:
        return True
    # `type X = ...` is an instance of `typing.TypeAliasType` from 3.12 on, and of the backport before.
    return source is typing.Any or type(source).__name__ == "TypeAliasType"


def is_function(source: object) -> bool:
    """True for functions and methods.

    Other callable objects are none: a tokenizer that is passed by mistake is callable too.
    """
    return inspect.isroutine(source) or isinstance(source, functools.partial)
