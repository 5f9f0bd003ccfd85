"""Where a text reads so many characters of some classes, whichever they are, tokens are added by their length.

The masks are those that single tokens give; the vocabulary has enough tokens below its nodes.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

import constrain
from constrain.matching.character_classes_cy import run_length
from tests.support.real_engine import vocabulary

LETTERS = ["a", "b", "c", "x", "0", "7", "-", "é", "€"]
PIECES = sorted(
    {"".join(word) for n in (1, 2, 3) for word in itertools.product(LETTERS, repeat=n)}
    | {"".join(word) for n in (4, 5, 6) for word in itertools.product("ab0", repeat=n)}
)
TOKENS = vocabulary(
    [*(piece.encode() for piece in PIECES), b"\xc3", b"\xa9", b"a\xc3", b'"', b'a"', b'0",', None]
)

PATTERNS = [
    "^[a-z]{3}[0-9]{2}$",
    "^[a-c]{2,4}x$",
    "^[a-c0-9]{8}-[a-c0-9]{4}$",
    "^[abc]{5}([0-9]|-){2,}$",
    "^(?:a|b|0)(?:a|b|7)[abx]$",
    "^[aé]{4}$",
    "^\\w{1,3}(?:-\\w{1,3}){0,2}$",
    "^[ab]{2}(?:a{3}|b{2}|[0x]+)$",
    "^.{3}$",
    "^[^0]{4}[^a]*$",
    "^(?:[ab]{2}|0{4})7?$",
]


@pytest.mark.parametrize("bounds", [{}, {"minLength": 4}, {"maxLength": 5}], ids=str)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_masks_are_those_of_single_tokens(pattern: str, bounds: dict[str, Any]) -> None:
    rng = random.Random(pattern)
    schema = {"type": "string", "pattern": pattern, **bounds}
    try:
        constraint = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
    except constrain.UnsatisfiableError:
        return
    row = np.zeros((1, (TOKENS.size + 31) // 32), dtype=np.int32)
    for _ in range(3):
        matcher = constraint.matcher(TOKENS)
        assert matcher.advance(TOKENS.encode(b'"')[0])
        while not matcher.finished and matcher.n_tokens < 8:
            matcher.fill_bitmask(row)
            bits = np.unpackbits(row.view(np.uint8), bitorder="little")[: TOKENS.size]
            single = [matcher.fork().advance(token) for token in range(TOKENS.size)]
            assert bits.tolist() == single, (schema, matcher.n_tokens)
            matcher.advance(rng.choice(np.flatnonzero(bits).tolist()))


def test_a_run_is_told_from_what_depends_on_its_characters() -> None:
    from constrain.automata.languages_cy import Languages
    from constrain.automata.lazy_dfa_cy import LazyDfa
    from constrain.frontends.json_schema.patterns import pattern_language
    from constrain.matching.character_classes_cy import _CLASSES

    def run(pattern: str, characters: str, most: int = 20) -> int:
        languages = Languages()
        automaton = LazyDfa(languages, pattern_language(languages, pattern, location="#"))
        signature = 0
        for character in characters:
            signature |= _CLASSES[ord(character)]
        return int(run_length(automaton, automaton.start, signature, most))

    assert run("^[a-c]{5}$", "abc") == 5
    assert run("^[a-c]{5}$", "abc", 3) == 3
    assert run("^[a-c]{5}-", "abc") == 5
    # What may follow the run, or is not in all of it, decides.
    assert run("^[a-c]{5}", "abc") == 20
    assert run("^[a-c]{5}a$", "abc") == -1
    assert run("^[a-c]{2}[ab]$", "abc") == -1
    assert run("^(?:ax|b)$", "ab") == -1
    assert run("^[a-c]{5}$", "abx") == -1
    assert run("^x$", "abc") == 0
