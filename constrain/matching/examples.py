"""Random members of a constraint's documents, compact and readable."""

from __future__ import annotations

import random

from constrain.matching import position_cy as modes
from constrain.matching.completion import completion
from constrain.matching.machine import Machine
from constrain.matching.position_cy import Policy, Position

__all__ = ["example"]

#: Beyond this many bytes an example is finished as soon as it can be.
_ENOUGH = 600
_BLANKS = b" \t\n\r"


def example(machine: Machine, policy: Policy, rng: random.Random) -> str:
    """Return a random document: a walk over live bytes, then a completion."""
    here = Position(policy)
    here.begin(machine.root)
    there = Position(policy)
    text = bytearray()
    while len(text) < _ENOUGH:
        choices: list[int] = []
        weights: list[float] = []
        for byte in range(256):
            if byte not in _BLANKS and here.step(byte, there):
                choices.append(byte)
                weights.append(_weight(here, byte, len(text)))
        if here.accepting() and (not choices or rng.random() < 0.5):
            break
        if not any(weights):
            break
        byte = rng.choices(choices, weights)[0]
        here.step(byte, here)
        text.append(byte)
    return (bytes(text) + completion(machine, here)).decode()


def _weight(here: Position, byte: int, length: int) -> float:
    """Return how likely a live byte is, so that examples look like what people write."""
    mode = here.mode
    if mode in (modes.IN_STRING, modes.IN_KEY):
        if byte == 0x22:
            return 4.0
        if chr(byte).isascii() and (chr(byte).isalnum() or byte in b" _-"):
            return 1.0 if byte >= 0x61 else 0.2
        return 0.01
    if mode == modes.IN_NUMBER:
        if 0x30 <= byte <= 0x39:
            return 0.6
        return {0x2E: 0.5, 0x65: 0.02, 0x45: 0.02}.get(byte, 6.0)
    if mode == modes.AFTER_VALUE:
        return 1.0 if byte == 0x2C else 0.5 + length / 200
    if byte in b"}]":
        return 0.2 + length / 100
    if byte in b"{[":
        return 2.0 if here.frame.depth < 4 else 0.05
    return 2.0 if byte in b'"' else 1.0 if byte in b"tfn" else 0.3
