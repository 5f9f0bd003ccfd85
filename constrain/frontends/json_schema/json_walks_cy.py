"""Walks over whole JSON values, whatever they mean; without recursion."""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

__all__ = ["holds_key"]


@cython.ccall
def holds_key(value: Any, keys: Any) -> cython.bint:
    """Return whether an object in a JSON value, itself not counted, has one of some keys.

    Args:
        keys: a frozenset.
    """
    wanted: frozenset[str] = keys
    stack: list[Any] = [value]
    is_first: cython.bint = True
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            if not is_first and not wanted.isdisjoint(here):
                return True
            for part in here.values():
                if isinstance(part, dict | list):
                    stack.append(part)
        else:
            for part in here:
                if isinstance(part, dict | list):
                    stack.append(part)
        is_first = False
    return False
