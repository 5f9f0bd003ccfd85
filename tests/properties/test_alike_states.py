"""Masks that states with far counts share are those that each token, tried by itself, gives."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import constrain
from constrain.matching.alike_states import AlikeStates
from tests.support.real_engine import vocabulary

#: Nothing to share: the counted part has one length, or the text is an intersection.
WITHOUT_SHARING = [
    {"pattern": r"^(?:ab|c[abc]{20}\.|b )*$", "maxLength": 90},
    {"pattern": r"^(?:a|a b|b a){0,40}$", "not": {"pattern": "b b"}},
]
TEXTS = [
    *WITHOUT_SHARING,
    {"pattern": r"^(?:\S+\s+){0,29}\S+$"},
    {"pattern": r"^(?:\S+\s+){0,29}\S+$", "maxLength": 70},
    {"pattern": r"^$|(^(?:\S+\s+){0,25}\S+$)", "minLength": 9},
    {"pattern": r"^(?:ab|b){3,40}c?$"},
    {"pattern": r"^(?:a b?){0,20}(?:c ?){0,30}$"},
    {"pattern": r"^[ab]{1,20} [bc]{1,20}$"},
    {"pattern": r"^(?:(?:a|b ){1,3}c){0,24}$"},
    {"pattern": r"^(?:(?:a{1,18}|c) ){0,18}$", "maxLength": 160},
    {"pattern": r"^(?:.\.){2,30}.$", "maxLength": 50},
]
TOKENS = [
    *(bytes([byte]) for byte in b'abc .,[]"'),
    *(b"a ", b" a", b"a b", b" a b", b"b a b", b"ab", b"bb", b"c ", b"a.b.", b"aaaa", b"b c a b c "),
    *(
        b"\\n",
        b"a\\n",
        b"\\u0061",
        b"a\\tb\\t",
        b'a"',
        b'", "',
        b'","',
        b'"]',
        b'b", "a',
        b"\xc3\xa9",
        b"\xc3",
    ),
    b" " * 6,
]


def _brute(matcher: Any, size: int) -> list[int]:
    return [token for token in range(size) if matcher.fork().advance(token)]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text["pattern"])
def test_each_mask_is_what_the_tokens_do(text: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shared = 0
    of = AlikeStates.of

    def counting(self: AlikeStates, state: int) -> int:
        nonlocal shared
        found = of(self, state)
        shared += found != state
        return found

    monkeypatch.setattr(AlikeStates, "of", counting)
    tokens = vocabulary([*TOKENS, None])
    constraint = constrain.compile_json_schema(
        {"type": "array", "items": {"type": "string", **text}}, options=constrain.ANY_TEXT
    )
    row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)
    rng = random.Random(text["pattern"])
    quotes = {i for i, token in enumerate(TOKENS) if b'"' in token or token == b"]"}
    for turn in range(8):
        matcher = constraint.matcher(tokens)
        assert matcher.advance(TOKENS.index(b"["))
        assert matcher.advance(TOKENS.index(b'"'))
        for _ in range(90):
            matcher.fill_bitmask(row)
            allowed = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little")).tolist()
            assert allowed == _brute(matcher, tokens.size)
            if matcher.finished or not allowed:
                break
            # Long texts in most turns, so that counts come to their ends.
            inside = [token for token in allowed if token not in quotes]
            assert matcher.advance(rng.choice(inside if inside and turn % 4 else allowed))
    assert (shared == 0) == (text in WITHOUT_SHARING)


def test_masks_near_a_bound_on_the_length_tell_nothing_of_counts() -> None:
    tokens = vocabulary([*TOKENS, b"a a a a a a a ", None])
    constraint = constrain.compile_json_schema(
        {"type": "array", "items": {"type": "string", "pattern": "^(?:[ab] ){0,40}c*$", "maxLength": 84}},
        options=constrain.ANY_TEXT,
    )
    row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)

    def check(written: bytes) -> None:
        matcher = constraint.matcher(tokens)
        assert matcher.advance_tokens([TOKENS.index(bytes([byte])) for byte in written]) == len(written)
        matcher.fill_bitmask(row)
        allowed = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little")).tolist()
        assert allowed == _brute(matcher, tokens.size)

    for count in (39, 38, 37, *range(39)):
        check(b'["' + b"a " * count)
