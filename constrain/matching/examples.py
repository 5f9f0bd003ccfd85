"""Random members of a constraint's documents, compact and readable."""

from __future__ import annotations

import random

from constrain.matching import modes
from constrain.matching.completion import completion
from constrain.matching.machine import Machine
from constrain.matching.position_cy import Policy, Position

__all__ = ["example", "least"]

#: Beyond this many bytes an example is finished as soon as it can be.
_ENOUGH = 600
_BLANKS = b" \t\n\r"
_VOWELS = b"aeiou"
_INSIDE = (modes.IN_STRING, modes.IN_KEY, modes.IN_NUMBER)


def example(machine: Machine, policy: Policy, rng: random.Random) -> str:
    """Return a random document: a walk over live bytes, then a completion."""
    here = Position(policy)
    here.begin(machine.root)
    there = Position(policy)
    text = bytearray()
    start = 0
    while len(text) < _ENOUGH:
        choices = [byte for byte in range(256) if byte not in _BLANKS and here.step(byte, there)]
        weights = _weights(here, choices, text, start)
        if here.accepting() and (not choices or rng.random() < 0.5):
            break
        if not any(weights):
            break
        byte = rng.choices(choices, weights)[0]
        was_inside = here.mode in _INSIDE
        here.step(byte, here)
        text.append(byte)
        if here.mode in _INSIDE and not was_inside:
            # A quotation mark is no part of what it opens; a first digit is.
            start = len(text) - (here.mode == modes.IN_NUMBER)
    return (bytes(text) + completion(machine, here)).decode()


def least(machine: Machine, policy: Policy) -> str:
    """Return a short document: what steering to the end writes from the start."""
    here = Position(policy)
    here.begin(machine.root)
    return completion(machine, here).decode()


def _weights(here: Position, choices: list[int], text: bytearray, start: int) -> list[float]:
    """Return how likely each live byte is, so that examples look like what people write.

    Args:
        here: where the walk is.
        choices: the live bytes.
        text: what was written.
        start: where the string or number that is being written began in it.
    """
    if here.mode in (modes.IN_STRING, modes.IN_KEY):
        has_blanks = here.mode == modes.IN_STRING
        return [_text_weight(byte, text[start:], has_blanks) for byte in choices]
    if here.mode == modes.IN_NUMBER:
        can_end = here.accepting() or any(byte not in b"0123456789.eE+-" for byte in choices)
        return [_number_weight(byte, text[start:], can_end) for byte in choices]
    return [_weight(here, byte, text) for byte in choices]


def _weight(here: Position, byte: int, text: bytearray) -> float:
    """The weight of a byte between values."""
    mode = here.mode
    if mode == modes.AFTER_VALUE:
        return 1.0 if byte == 0x2C else 0.5 + len(text) / 200
    if byte in b"}]":
        return 0.2 + len(text) / 100
    if byte in b"{[":
        return 2.0 if here.frame.depth < 4 else 0.05
    if byte in b"-0":
        return 0.05
    return 2.0 if byte in b'"' else 1.0 if byte in b"tfn" else 0.3


def _text_weight(byte: int, written: bytearray, has_blanks: bool) -> float:
    """Syllables in lower case: vowels and consonants take turns, words have some length."""
    last = written[-1] if written else 0x22
    if byte == 0x22:
        if not written:
            return 0.3
        return 1.0 if not _is_letter(last) else 3.0 * max(0, len(written) - 3) + 0.02
    if 0x61 <= byte <= 0x7A:
        return 2.0 if (byte in _VOWELS) != (last in _VOWELS) else 0.05
    if byte == 0x20:
        return (
            6.0
            if has_blanks and len(written) > 4 and _is_letter(last) and 0x20 not in written[-4:]
            else 0.0005
        )
    if 0x30 <= byte <= 0x39:
        return 0.5 if 0x30 <= last <= 0x39 else 0.01
    if 0x41 <= byte <= 0x5A:
        return 0.3 if not written or last == 0x20 else 0.005
    return 0.01 if byte in b"_-" else 0.0005


def _number_weight(byte: int, written: bytearray, can_end: bool) -> float:
    """A few digits, two of them behind the point, no exponent unless nothing else goes on."""
    if 0x30 <= byte <= 0x39:
        point = written.find(b".")
        few = point < 0 or len(written) - point <= 2
        return 0.6 / max(1, len(written) - 2) if few and can_end else 0.0005 if can_end else 1.0
    if byte in b".":
        return 0.3 if can_end else 0.001
    if byte in b"eE+-":
        return 0.0005 if can_end or b"." not in written else 0.3
    return 6.0


def _is_letter(byte: int) -> bool:
    return chr(byte).isascii() and chr(byte).isalpha()
