"""Which texts can come next in some JSON document: the pruning of token remainders.

An over-approximation: nothing is known of the containers outside, and scalars are read by their
characters alone. What it refuses can follow in no JSON text.
"""

from __future__ import annotations

__all__ = [
    "BETWEEN_TOKENS",
    "KEY_REMAINDER",
    "NUMBER_REMAINDER",
    "VALUE_REMAINDER",
    "may_follow",
    "value_end",
]

# Places: after a value; after a key; a value is due; after a comma; after `{`; after `[`; in a
# string that is a value, a key, or one of these; after a backslash there; in a number; in a literal.
_VALUE_END, _KEY_END, _VALUE, _COMMA, _OBJECT, _ARRAY = 1, 2, 4, 8, 16, 32
_IN_VALUE, _IN_KEY, _IN_EITHER = 64, 128, 256
_NUMBER, _LITERAL = 512, 1024

#: Where a text may begin: after a value, after a key, in a number, or anywhere between JSON tokens.
VALUE_REMAINDER = _VALUE_END
KEY_REMAINDER = _KEY_END
NUMBER_REMAINDER = _NUMBER
BETWEEN_TOKENS = _VALUE_END | _KEY_END | _VALUE | _COMMA | _OBJECT | _ARRAY

_BLANKS = frozenset(b" \t\n\r")
_NUMERIC = frozenset(b"0123456789+-.eE")
_LETTERS = frozenset(b"aeflnrstu")


def _begin_value(byte: int) -> int:
    if byte == 0x22:
        return _IN_VALUE
    if byte == 0x7B:
        return _OBJECT
    if byte == 0x5B:
        return _ARRAY
    if byte == 0x2D or 0x30 <= byte <= 0x39:
        return _NUMBER
    return _LITERAL if byte in b"tfn" else 0


def _after_value(byte: int) -> int:
    if byte == 0x2C:
        return _COMMA
    return _VALUE_END if byte in b"]}" else 0


def _step(places: int, byte: int) -> int:
    result = 0
    if byte in _BLANKS:
        result |= places & (_VALUE_END | _KEY_END | _VALUE | _COMMA | _OBJECT | _ARRAY)
        if places & (_NUMBER | _LITERAL):
            result |= _VALUE_END
    else:
        if places & (_VALUE_END | _NUMBER | _LITERAL):
            result |= _after_value(byte)
        if places & _KEY_END and byte == 0x3A:
            result |= _VALUE
        if places & (_VALUE | _ARRAY):
            result |= _begin_value(byte)
        if places & _ARRAY and byte == 0x5D:
            result |= _VALUE_END
        if places & _COMMA:
            result |= _IN_EITHER if byte == 0x22 else _begin_value(byte)
        if places & _OBJECT and byte in b'"}':
            result |= _IN_KEY if byte == 0x22 else _VALUE_END
        if places & _NUMBER and byte in _NUMERIC:
            result |= _NUMBER
        if places & _LITERAL and byte in _LETTERS:
            result |= _LITERAL
    strings = places & (_IN_VALUE | _IN_KEY | _IN_EITHER)
    if strings and byte >= 0x20:
        if byte != 0x22:
            result |= strings
        else:
            result |= _VALUE_END if strings & (_IN_VALUE | _IN_EITHER) else 0
            result |= _KEY_END if strings & (_IN_KEY | _IN_EITHER) else 0
    return result


def may_follow(text: bytes, places: int) -> bool:
    """Return whether some JSON text goes on so.

    Args:
        text: what follows.
        places: where it begins.
    """
    for byte in text:
        places = _step(places, byte)
        if not places:
            return False
        if byte == 0x5C and places & (_IN_VALUE | _IN_KEY | _IN_EITHER):
            # Escapes within a remainder are too rare to be read.
            return True
    return True


def value_end(text: bytes) -> int:
    """Return where a text after a key goes on after the value of the key, blanks apart; -1 if nowhere."""
    depth = 0
    in_string = False
    begun = False
    index = 0
    while index < len(text):
        byte = text[index]
        if in_string:
            if byte == 0x5C:
                index += 1
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = begun = True
        elif byte in b"{[":
            depth += 1
            begun = True
        elif byte in b"]}":
            depth -= 1
        if depth < 0 or (begun and depth == 0 and byte == 0x2C and not in_string):
            return index
        begun = begun or byte not in b": \t\n\r"
        index += 1
    return -1
