"""Masks of which the part of the short tokens is shared are those that each token, tried by itself, gives."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import constrain
from constrain.matching.outlines import Outlines
from tests.support.real_engine import vocabulary

#: The bounds of the whole text say it all, no count is far, or it is part of what is not looked into.
WITHOUT_OUTLINES: list[dict[str, Any]] = [
    {"pattern": r"^[ab]{1,15}c$"},
    {"pattern": r"^\w+$", "maxLength": 40},
    {"pattern": r"^[ab]{1,40}$"},
    {"pattern": r"^[ab]{30,40}$"},
    {"pattern": r"^[ab]{1,60}\.$", "maxLength": 50},
    {"pattern": r"^[ab]{1,60}\.$", "minLength": 20},
    {"pattern": r"^[ab]{1,40}$", "not": {"pattern": "bb"}},
    {"format": "hostname", "maxLength": 100},
    {"format": "idn-hostname"},
    {"format": "uri-reference", "maxLength": 50},
]
TEXTS: list[dict[str, Any]] = [
    *WITHOUT_OUTLINES,
    {"pattern": r"a{17}"},
    {"pattern": r"^[ab]{1,40}(?:\.c|c)?$"},
    {"pattern": r"^[ab]{1,60}(?:\.c|c)?$", "maxLength": 50},
    {"pattern": r"^(?:[ab]{1,20}\.){1,25}c$"},
    {"pattern": r"^(?:[ab]{1,18}|[bc]{2,30}@)*$"},
    {"pattern": r"^[aé]{0,30}b?$"},
    {"pattern": r"^(?:ab|b\.){3,40}c?$", "maxLength": 70},
    {"allOf": [{"pattern": r"^[\s\S]{0,40}$"}, {"pattern": r"^(?:ab|b\.|ccc)*$"}]},
    {"allOf": [{"pattern": r"^[\s\S]{0,40}$"}, {"pattern": r"^(?:a{1,20}b|é)*$"}]},
    {"allOf": [{"pattern": r"^[\s\S]{20,40}$"}, {"pattern": r"^(?:ab|b\.)*$"}]},
    {"format": "email"},
    {"format": "email", "maxLength": 40},
    {"format": "email", "maxLength": 318},
    {"format": "idn-email"},
    {"format": "hostname"},
    {"format": "hostname", "maxLength": 253},
    {"format": "idn-email", "maxLength": 60},
]
LONG = (13, 14, 15, 16, 17, 20, 28, 39, 40, 41)
TOKENS = [
    *(bytes([byte]) for byte in b'abc .,@[]"'),
    *(b"ab", b"ba", b"ab.", b"bab.b", b"c@c", b"a.b@", b"@a.b", b"ccc", b"aaaa", b"b.b.b.b."),
    *(b"a" * size for size in LONG),
    *((b"ab" * size)[:size] for size in LONG),
    *((b"b." * size)[:size] for size in LONG),
    *(b"a" * 14 + b"@b", b"a" * 12 + b".b", b"@" + b"a" * 14, b"." + b"b" * 15, b"b" * 18 + b".c"),
    *(b"\\u0061", b"\\u0061" * 3, b"aaaaaaaa\\u0062aa", b'a"', b'", "', b"\xc3\xa9", b"\xc3", b"\xa9a"),
    *(b"-", b"x", b"n", b"xn--", b"a-", b"--", b"-a.b-b.aa-aa-a", b"a" * 13 + b"-", b"b.xn--"),
    b"\xc3\xa9" * 7,
    b"\xc3\xa9" * 9,
    b"a" * 13 + b"\xc3",
]


@pytest.mark.parametrize("text", TEXTS, ids=str)
def test_each_mask_is_what_the_tokens_do(text: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = 0
    of = Outlines.of

    def counting(self: Outlines, state: int, steps: int) -> object:
        nonlocal found
        outline = of(self, state, steps)
        found += outline is not None
        return outline

    monkeypatch.setattr(Outlines, "of", counting)
    tokens = vocabulary([*TOKENS, None])
    constraint = constrain.compile_json_schema(
        {"type": "array", "items": {"type": "string", **text}}, options=constrain.ANY_TEXT
    )
    row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)
    rng = random.Random(str(text))
    single = {i for i, token in enumerate(TOKENS) if len(token) < 3 and token != b'"' and token != b"]"}
    for turn in range(12):
        matcher = constraint.matcher(tokens)
        assert matcher.advance(TOKENS.index(b"["))
        assert matcher.advance(TOKENS.index(b'"'))
        for _ in range(70):
            matcher.fill_bitmask(row)
            allowed = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little")).tolist()
            assert allowed == [token for token in range(tokens.size) if matcher.fork().advance(token)]
            if matcher.finished or not allowed:
                break
            # Byte by byte in most turns, so that counts come to their ends slowly.
            slow = [token for token in allowed if token in single]
            assert matcher.advance(rng.choice(slow if slow and turn % 3 else allowed))
    assert (found == 0) == (text in WITHOUT_OUTLINES)
