"""JSON values as JSON Schema compares them: numbers by value, strings decoded, objects without order.

The values of an array whose items have to differ, and the arrays and objects of `enum` and
`const`, are held as these: immutable, hashed once, equal exactly if JSON Schema 2020-12 (Core
4.2.2) calls them equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from constrain.automata.number_atoms import MAX_EXPONENT, decimal_text, digits_of, exact
from constrain.matching.atoms import ARRAY, FALSE_LITERAL, NULL, NUMBER, OBJECT, STRING, TRUE_LITERAL

__all__ = [
    "LITERAL_VALUES",
    "Value",
    "array_value",
    "fraction_value",
    "json_value",
    "number_value",
    "object_value",
    "string_value",
]


class Value:
    """One JSON value.

    Attributes:
        kind: one of `atoms.KINDS`.
        content: `None` for literals; (coefficient, exponent) without trailing zeros for numbers;
            decoded UTF-8 for strings; a tuple of values; key -> value.
    """

    __slots__ = ("_hash", "_number", "content", "kind")

    def __init__(self, kind: int, content: Any, code: object) -> None:
        self.kind = kind
        self.content = content
        self._hash = hash((kind, code))
        self._number: Fraction | None = None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Value):
            return NotImplemented
        # Without recursion: constants may be nested deep.
        pending = [(self, other)]
        while pending:
            left, right = pending.pop()
            if left is right:
                continue
            if left._hash != right._hash or left.kind != right.kind:
                return False
            if left.kind == ARRAY:
                if len(left.content) != len(right.content):
                    return False
                pending.extend(zip(left.content, right.content, strict=True))
            elif left.kind == OBJECT:
                if left.content.keys() != right.content.keys():
                    return False
                pending.extend((member, right.content[key]) for key, member in left.content.items())
            elif left.content != right.content:
                return False
        return True

    def __repr__(self) -> str:
        return f"Value({self.kind}, {self.content!r})"

    @property
    def items(self) -> tuple[Value, ...]:
        """The items of an array."""
        items: tuple[Value, ...] = self.content
        return items

    @property
    def members(self) -> dict[bytes, Value]:
        """The properties of an object."""
        members: dict[bytes, Value] = self.content
        return members

    def number(self) -> Fraction:
        """Return the value of a number.

        Raises:
            LimitExceeded: it is beyond what constants may be.
        """
        if self._number is None:
            coefficient, exponent = self.content
            if abs(exponent) > 2 * MAX_EXPONENT or coefficient.bit_length() > 4 * MAX_EXPONENT:
                # Far beyond the bound either way; `exact` says so.
                exponent, coefficient = 2 * MAX_EXPONENT, 1
            digits = tuple(map(int, decimal_text(abs(coefficient))))
            self._number = exact(Decimal((int(coefficient < 0), digits, exponent)))
        return self._number


LITERAL_VALUES = {kind: Value(kind, None, None) for kind in (NULL, FALSE_LITERAL, TRUE_LITERAL)}


def number_value(text: bytes) -> Value:
    """Return the value of a JSON number; `10 ** e` is never built."""
    significand, _, power = text.lower().partition(b"e")
    whole, _, fraction = significand.partition(b".")
    digits = (whole + fraction).lstrip(b"-").lstrip(b"0")
    stripped = digits.rstrip(b"0")
    if not stripped:
        return Value(NUMBER, (0, 0), (0, 0))
    # Decimal reads any number of digits; int() refuses more than 4,300.
    coefficient = int(Decimal(stripped.decode()))
    exponent = int(Decimal(power.decode() or 0)) - len(fraction) + len(digits) - len(stripped)
    content = (-coefficient if text.startswith(b"-") else coefficient, exponent)
    return Value(NUMBER, content, content)


def string_value(text: bytes) -> Value:
    """Return the value of a string, given its decoded UTF-8."""
    return Value(STRING, text, text)


def array_value(items: Sequence[Value]) -> Value:
    """Return the array of these items."""
    content = tuple(items)
    return Value(ARRAY, content, content)


def object_value(members: Mapping[bytes, Value]) -> Value:
    """Return the object with these properties."""
    return Value(OBJECT, dict(members), frozenset(members.items()))


def json_value(value: Any) -> Value | None:
    """Return a parsed JSON value; `None` if it holds an unpaired surrogate, which no document does.

    Floats mean what their shortest spelling says. Deeply nested values are taken without recursion.
    """
    results: list[Value | None] = []
    # What is to do: (value, None), or (container, True) once its members are results.
    work: list[tuple[Any, bool]] = [(value, False)]
    while work:
        here, ready = work.pop()
        if isinstance(here, list | tuple):
            if not ready:
                work.append((here, True))
                work.extend((item, False) for item in reversed(here))
                continue
            items = results[len(results) - len(here) :] if here else []
            del results[len(results) - len(here) :]
            known = [item for item in items if item is not None]
            results.append(array_value(known) if len(known) == len(items) else None)
        elif isinstance(here, dict):
            if not ready:
                work.append((here, True))
                work.extend((item, False) for item in reversed(here.values()))
                continue
            items = results[len(results) - len(here) :] if here else []
            del results[len(results) - len(here) :]
            members = {_utf8(key): item for key, item in zip(here, items, strict=True)}
            complete = {key: item for key, item in members.items() if key is not None and item is not None}
            results.append(object_value(complete) if len(complete) == len(here) else None)
        elif here is None or isinstance(here, bool):
            results.append(LITERAL_VALUES[NULL if here is None else TRUE_LITERAL if here else FALSE_LITERAL])
        elif isinstance(here, str):
            text = _utf8(here)
            results.append(None if text is None else string_value(text))
        else:
            results.append(fraction_value(exact(here)))
    return results[0]


def fraction_value(number: Fraction) -> Value:
    """Return the value of a number with a finite decimal expansion."""
    if not number:
        return number_value(b"0")
    digits = digits_of(abs(number))
    content = (digits.coefficient if number > 0 else -digits.coefficient, digits.low)
    return Value(NUMBER, content, content)


def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None
