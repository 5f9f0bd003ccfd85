"""Prefixes of JSON texts: a small pushdown recogniser, and guesses at how a prefix may go on.

The guesses know nothing of any schema. The mask oracle lets the validators judge them: one valid
guess that begins with a refused token proves the refusal wrong.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["START", "Prefix", "endings", "extend"]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A position in a JSON text.

    Attributes:
        mode: what is being read or expected: `value`, `item` (value or `]`), `key`, `first_key`
            (key or `}`), `colon`, `after` (a value), `string`, `number`, `literal`.
        stack: the open brackets, outermost first.
        in_key: whether a string is a key.
        rest: what the lexeme still needs: bytes of a literal, state of a number, escape or character.
    """

    mode: str
    stack: bytes = b""
    in_key: bool = False
    rest: str = ""


START = Prefix("value")

_BLANKS = b" \t\n\r"
_LITERALS = {ord("t"): "rue", ord("f"): "alse", ord("n"): "ull"}
#: Number states: `-` minus, `0` zero, `1` integer digits, `.` point, `f` fraction, `e`, `s` sign, `x` exponent.
_NUMBER: dict[str, dict[str, str]] = {
    "-": {"0": "0", "1": "1"},
    "0": {".": ".", "e": "e"},
    "1": {"0": "1", "1": "1", ".": ".", "e": "e"},
    ".": {"0": "f", "1": "f"},
    "f": {"0": "f", "1": "f", "e": "e"},
    "e": {"+": "s", "0": "x", "1": "x"},
    "s": {"0": "x", "1": "x"},
    "x": {"0": "x", "1": "x"},
}
_NUMBER_ENDS = "01fx"


def extend(prefix: Prefix | None, data: bytes) -> Prefix | None:
    """The position after more bytes, or `None` when no JSON text begins so."""
    for byte in data:
        if prefix is None:
            return None
        prefix = _step(prefix, byte)
    return prefix


def _step(prefix: Prefix, byte: int) -> Prefix | None:
    mode, stack = prefix.mode, prefix.stack
    if mode == "string":
        return _string_step(prefix, byte)
    if mode == "literal":
        if byte != ord(prefix.rest[0]):
            return None
        return Prefix("literal", stack, rest=prefix.rest[1:]) if prefix.rest[1:] else Prefix("after", stack)
    if mode == "number":
        group = _group(byte)
        following = _NUMBER[prefix.rest].get(group) if group else None
        if following is not None and not (group == "+" and prefix.rest != "e"):
            return Prefix("number", stack, rest=following)
        if prefix.rest not in _NUMBER_ENDS:
            return None
        return _step(Prefix("after", stack), byte)
    if byte in _BLANKS:
        return prefix
    if mode in ("value", "item"):
        return _begin_value(prefix, byte)
    if mode in ("key", "first_key"):
        if byte == ord('"'):
            return Prefix("string", stack, True)
        return Prefix("after", stack[:-1]) if mode == "first_key" and byte == ord("}") else None
    if mode == "colon":
        return Prefix("value", stack) if byte == ord(":") else None
    if not stack:
        return None
    if byte == ord(","):
        return Prefix("key" if stack[-1] == ord("{") else "value", stack)
    closing = ord("}") if stack[-1] == ord("{") else ord("]")
    return Prefix("after", stack[:-1]) if byte == closing else None


def _group(byte: int) -> str | None:
    if byte == ord("0"):
        return "0"
    if ord("1") <= byte <= ord("9"):
        return "1"
    return {ord("."): ".", ord("e"): "e", ord("E"): "e", ord("+"): "+", ord("-"): "+"}.get(byte)


def _begin_value(prefix: Prefix, byte: int) -> Prefix | None:
    stack = prefix.stack
    if byte == ord('"'):
        return Prefix("string", stack)
    if byte == ord("{"):
        return Prefix("first_key", stack + b"{")
    if byte == ord("["):
        return Prefix("item", stack + b"[")
    if byte == ord("]") and prefix.mode == "item":
        return Prefix("after", stack[:-1])
    if byte in _LITERALS:
        return Prefix("literal", stack, rest=_LITERALS[byte])
    if byte == ord("-"):
        return Prefix("number", stack, rest="-")
    group = _group(byte)
    return Prefix("number", stack, rest=group) if group in ("0", "1") else None


def _string_step(prefix: Prefix, byte: int) -> Prefix | None:
    def inside(rest: str) -> Prefix:
        return Prefix("string", prefix.stack, prefix.in_key, rest)

    rest = prefix.rest
    if rest == "\\":
        if byte == ord("u"):
            return inside("uuuu")
        return inside("") if byte in b'"\\/bfnrt' else None
    if rest.startswith("u"):
        return inside(rest[1:]) if byte in b"0123456789abcdefABCDEF" else None
    if rest.startswith("c"):
        return inside(rest[1:]) if 0x80 <= byte < 0xC0 else None
    if byte == ord("\\"):
        return inside("\\")
    if byte == ord('"'):
        return Prefix("colon" if prefix.in_key else "after", prefix.stack)
    if byte < 0x20 or 0x80 <= byte < 0xC2 or byte > 0xF4:
        return None
    return inside("c" * (0 if byte < 0x80 else 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3))


def endings(
    prefix: Prefix, rng: random.Random, values: list[bytes], keys: list[bytes], count: int
) -> list[bytes]:
    """Up to `count` byte strings after which the text is complete JSON.

    Args:
        prefix: where to go on.
        values: spelled JSON values to put where a value is missing.
        keys: spelled JSON strings to put where a key is missing.
    """
    result: dict[bytes, None] = {}
    for _ in range(count):
        result[_ending(prefix, rng, values, keys)] = None
    return list(result)


_TAILS = [b"", b"", b"", b"a", b"b", b"ab", b"\xc3\xa9", b"aa"]


def _ending(prefix: Prefix, rng: random.Random, values: list[bytes], keys: list[bytes]) -> bytes:
    stack, mode, parts = prefix.stack, prefix.mode, []

    def member() -> bytes:
        return rng.choice(keys) + b":" + rng.choice(values)

    if mode == "string":
        if prefix.rest == "\\":
            parts.append(rng.choice([b"n", b'"', b"\\", b"u0061", b"u0062"]))
        elif prefix.rest.startswith("u"):
            parts.append(rng.choice([b"0061", b"0062", b"00e9", b"0022"])[-len(prefix.rest) :])
        elif prefix.rest:
            parts.append({1: b"\xa9", 2: b"\x9f\x80", 3: b"\x9f\x98\x80"}[len(prefix.rest)])
        parts.append(rng.choice(_TAILS) + b'"')
        mode = "colon" if prefix.in_key else "after"
    elif mode == "literal":
        parts.append(prefix.rest.encode())
    elif mode == "number":
        need = prefix.rest not in _NUMBER_ENDS
        parts.append(
            rng.choice(
                [b"0", b"1", b"2", b"5", b"7", b"10"] if need else [b"", b"", b"0", b"5", b".5", b"e1"]
            )
        )
    if mode == "colon":
        parts.append(b":")
        mode = "value"
    if mode == "value":
        parts.append(rng.choice(values))
    elif mode == "item":
        inner = rng.choice([b"", rng.choice(values), rng.choice(values) + b"," + rng.choice(values)])
        parts.append(inner)
    elif mode == "key":
        parts.append(member())
    elif mode == "first_key":
        parts.append(rng.choice([b"", member(), member() + b"," + member()]))
    for depth, bracket in enumerate(reversed(stack)):
        if rng.random() < (0.4 if depth == 0 and mode == "after" else 0.1):
            parts.append(b"," + (member() if bracket == ord("{") else rng.choice(values)))
        parts.append(b"}" if bracket == ord("{") else b"]")
    return b"".join(parts)
