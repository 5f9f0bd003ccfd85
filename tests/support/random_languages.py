"""Random languages beside the set of their short members, which is computed from the definition."""

from __future__ import annotations

import itertools
import random
from typing import Any

__all__ = ["ALPHABET", "LONGEST", "TEXTS", "random_language"]

#: One, two and three bytes in UTF-8.
ALPHABET = ["a", "b", "é", "€"]
LONGEST = 4
TEXTS = ["".join(word) for size in range(LONGEST + 1) for word in itertools.product(ALPHABET, repeat=size)]
_ALL = frozenset(TEXTS)
_CLASSES = [[(97, 98)], [(98, 0xE9)], [(0, 0x10FFFF)], [(0x20, 0x61), (0x20AC, 0x20AC)], [(0xE8, 0x3000)]]


def _concatenations(left: set[str], right: set[str]) -> set[str]:
    return {a + b for a in left for b in right if len(a + b) <= LONGEST}


def _repetitions(item: set[str], low: int, high: int | None) -> set[str]:
    result: set[str] = set()
    current = {""}
    # More copies than this only repeat sets, or are too long.
    for count in range((low + LONGEST + 1 if high is None else high) + 1):
        if count >= low:
            result |= current
        current = _concatenations(current, item)
    return result


def random_language(rng: random.Random, languages: Any, depth: int) -> tuple[Any, set[str]]:
    """Return a language and its members of at most `LONGEST` letters of `ALPHABET`."""
    kind = rng.randrange(12) if depth else rng.randrange(4)
    if kind == 0:
        word = "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(3)))
        return languages.literal(word.encode()), {word}
    if kind == 1:
        words = {
            "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(4))) for _ in range(rng.randrange(1, 5))
        }
        return languages.literals([word.encode() for word in words]), words
    if kind == 2:
        ranges = rng.choice(_CLASSES)
        return languages.characters(ranges), {c for c in ALPHABET if any(a <= ord(c) <= b for a, b in ranges)}
    if kind == 3:
        constants = [(languages.any_text, set(_ALL)), (languages.empty, {""}), (languages.nothing, set())]
        return rng.choice(constants)
    left, left_set = random_language(rng, languages, depth - 1)
    if kind == 4:
        return languages.complement(left), set(_ALL) - left_set
    if kind in (5, 6):
        low = rng.randrange(4)
        high = rng.choice([None, low, low + 1, low + 3])
        return languages.repeat(left, low, high), _repetitions(left_set, low, high)
    right, right_set = random_language(rng, languages, depth - 1)
    if kind in (7, 8):
        return languages.concat(left, right), _concatenations(left_set, right_set)
    if kind == 9:
        return languages.union(left, right), left_set | right_set
    if kind == 10:
        return languages.intersection(left, right), left_set & right_set
    return languages.difference(left, right), left_set - right_set
