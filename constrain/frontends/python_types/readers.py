"""A document of a type -> an instance of it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from constrain.errors import SchemaError

__all__ = ["TypeReader"]

# Strings are matched first, so that digits inside of them are left alone.
_STRING_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?')
# Python reads and pydantic takes integers of at most 4300 digits.
_MAX_EXPONENT = 4000


class TypeReader:
    """Reads documents of one type; pickled by the type, which pickles by reference.

    Args:
        annotation: the type.
        exact: whether the type has decimals. pydantic reads the numbers of a JSON text as doubles, and a
            decimal would be rounded to some 16 digits.
        adapter: pydantic's reading of the type, if the caller has made it.
    """

    def __init__(self, annotation: Any, exact: bool, adapter: TypeAdapter[Any] | None = None) -> None:
        self.annotation = annotation
        self._exact = exact
        self._adapter = TypeAdapter(annotation) if adapter is None else adapter

    def __reduce__(self) -> tuple[object, ...]:
        return (TypeReader, (self.annotation, self._exact))

    def __call__(self, text: str) -> Any:
        """Return the instance that a JSON text means.

        Raises:
            SchemaError: pydantic refuses the value, at the path `location`.
        """
        try:
            return self._read_exactly(_with_plain_integers(text)) if self._exact else self._read(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            others = f", and {error.error_count() - 1} more" if error.error_count() > 1 else ""
            path = ".".join(map(str, first["loc"]))
            raise SchemaError(
                f"not an instance of the type: {first['msg']}{others}", location=path or None
            ) from error

    def _read(self, text: str) -> Any:
        try:
            return self._adapter.validate_json(text)
        except ValidationError:
            # JSON Schema counts `1.0` and `1e30` as integers; pydantic takes neither as a strict one, and
            # the latter as none.
            plain = _with_plain_integers(text)
            if plain == text:
                raise
            return self._adapter.validate_json(plain)

    def _read_exactly(self, text: str) -> Any:
        rounded = {number for number in _STRING_OR_NUMBER.findall(text) if _is_rounded(number)}
        if not rounded:
            return self._adapter.validate_json(text)
        try:
            return self._adapter.validate_python(json.loads(text, parse_float=Decimal))
        except ValidationError:
            # A strict class takes a date or a tuple from JSON only. There, decimals are read from strings
            # exactly, and strict floats are not read from strings.
            pass
        try:
            return self._adapter.validate_json(_quote(text, rounded))
        except ValidationError as error:
            kept = {str(found["input"]) for found in error.errors() if found["type"].startswith("float")}
            return self._adapter.validate_json(_quote(text, rounded - kept))


def _with_plain_integers(text: str) -> str:
    """Return a JSON text in which integers have neither point nor exponent."""
    return _STRING_OR_NUMBER.sub(_plain_integer, text)


def _plain_integer(match: re.Match[str]) -> str:
    text = match.group()
    if text.startswith('"') or text.lstrip("-").isdigit():
        return text
    number = Decimal(text)
    if number.adjusted() > _MAX_EXPONENT or number != number.to_integral_value():
        return text
    return str(int(number))


def _is_rounded(token: str) -> bool:
    """Whether a token is a number that a double does not hold to all its digits."""
    if token.startswith('"') or token.lstrip("-").isdigit():
        return False
    return Decimal(token) != Decimal(repr(float(token)))


def _quote(text: str, numbers: set[str]) -> str:
    """Return a JSON text in which these numbers are strings."""
    return _STRING_OR_NUMBER.sub(
        lambda match: f'"{match.group()}"' if match.group() in numbers else match.group(), text
    )
