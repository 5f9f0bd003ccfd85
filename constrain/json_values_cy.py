"""Whole JSON values, whatever they mean: objects without repeated keys, and what they hold."""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

from constrain.errors import SchemaError

__all__ = ["holds_key", "members", "whole_value"]


def members(items: Any) -> dict[str, Any]:
    """Return the object with these members, as a JSON decoder meets them.

    Args:
        items: list of (key, value).

    Raises:
        SchemaError: a key is repeated.
    """
    result: dict[str, Any] = dict(items)
    if len(result) != len(items):
        seen: set[str] = set()
        for key, _ in items:
            if key in seen:
                raise SchemaError(f"the key {key!r} is repeated in one object")
            seen.add(key)
    return result


def whole_value(text: Any, decoder: Any) -> Any:
    """Return the value that a JSON text is, as `decoder.decode` does, with less on the way there.

    Args:
        text: a string.
        decoder: a `json.JSONDecoder`.
    """
    start: cython.Py_ssize_t = _past_blanks(text, 0)
    try:
        value, end = decoder.scan_once(text, start)
    except StopIteration:
        return decoder.decode(text)
    # What is wrong, if anything, the decoder knows best.
    return value if _past_blanks(text, end) == len(text) else decoder.decode(text)


@cython.cfunc
def _past_blanks(text: Any, start: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return the place of the first character from `start` on that is no blank of JSON."""
    size: cython.Py_ssize_t = len(text)
    while start < size and text[start] in " \t\n\r":
        start += 1
    return start


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
