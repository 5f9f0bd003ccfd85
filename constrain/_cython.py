"""A stand-in for the `cython` module, so that `*_cy.py` files also run uncompiled.

Only what those files use is here. A compiled module never imports this one: Cython replaces
`cython` at compile time, and Cython itself need not be installed at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["cython"]


class _Type:
    """A C type: as a call it returns its argument, as a subscript it stays a type."""

    def __call__(self, value: Any = 0) -> Any:
        return value

    def __getitem__(self, item: Any) -> _Type:
        return self


class _Cython:
    compiled = False

    int = uint = short = ushort = char = uchar = long = ulong = longlong = ulonglong = _Type()
    Py_ssize_t = size_t = bint = double = float = p_int = p_uchar = p_uint = p_longlong = p_char = void = (
        p_void
    ) = p_ushort = p_ulonglong = _Type()
    const = pointer = _Type()

    @staticmethod
    def cclass(cls: type) -> type:
        return cls

    ccall = cfunc = inline = nogil = final = no_gc = no_gc_clear = cclass

    @staticmethod
    def _factory(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        return lambda target: target

    boundscheck = wraparound = cdivision = initializedcheck = exceptval = locals = _factory
    returns = freelist = trashcan = profile = nonecheck = overflowcheck = infer_types = _factory
    auto_pickle = total_ordering = _factory

    @staticmethod
    def declare(kind: Any = None, value: Any = None, **kwargs: Any) -> Any:
        return value

    @staticmethod
    def cast(kind: Any, value: Any, **kwargs: Any) -> Any:
        return value


cython = _Cython()
