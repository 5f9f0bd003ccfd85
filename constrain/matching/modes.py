"""The small integers that hot code compares; `modes.pxd` gives them to compiled modules as C constants."""

from __future__ import annotations

__all__ = [
    "AFTER_VALUE",
    "ARRAY",
    "BACKSLASH",
    "COLON",
    "COUNTED_LANE",
    "END",
    "FALSE_LITERAL",
    "FIRST_ITEM",
    "FIRST_KEY",
    "HEX",
    "IN_KEY",
    "IN_LITERAL",
    "IN_NUMBER",
    "IN_STRING",
    "KEY_LANE",
    "LOW_BACKSLASH",
    "LOW_HEX",
    "LOW_U",
    "NEXT_KEY",
    "NO_ESCAPE",
    "NO_LANE",
    "NULL",
    "NUMBER",
    "NUMBER_LANE",
    "OBJECT",
    "STRING",
    "STRING_LANE",
    "TRUE_LITERAL",
    "VALUE",
]

# Kinds of values.
NULL = 0
FALSE_LITERAL = 1
TRUE_LITERAL = 2
NUMBER = 3
STRING = 4
ARRAY = 5
OBJECT = 6

# The modes of a position. VALUE: a value is due. FIRST_ITEM: after `[`. FIRST_KEY: after `{`.
# NEXT_KEY: after `,` in an object. COLON: after a key. AFTER_VALUE: in a container.
VALUE = 0
FIRST_ITEM = 1
FIRST_KEY = 2
NEXT_KEY = 3
IN_KEY = 4
COLON = 5
AFTER_VALUE = 6
IN_STRING = 7
IN_NUMBER = 8
IN_LITERAL = 9
END = 10

# Escape states. BACKSLASH: after `\`. HEX + k: after `\u` and k digits. LOW_BACKSLASH, LOW_U: a
# high surrogate was read, its low half is due. LOW_HEX + k: k digits of the low half were read.
NO_ESCAPE = 0
BACKSLASH = 1
HEX = 2
LOW_BACKSLASH = 6
LOW_U = 7
LOW_HEX = 8

# What a run of bytes within one token is read as (`walks_cy`). COUNTED_LANE: a string of bounded length.
NO_LANE = 0
STRING_LANE = 1
KEY_LANE = 2
NUMBER_LANE = 3
COUNTED_LANE = 4
