"""A mask may be taken from another length of the same state only if the bounds are far from both."""

from __future__ import annotations

import json

import numpy as np
import pytest

import constrain
from tests.support.real_engine import vocabulary

TOKENS = [None, b'"', b"a", b"aa", b"aaaa", b"b", b"bbb", b"a" * 9, "é".encode(), "éé".encode(), b"b" * 5]


@pytest.mark.parametrize(
    "schema",
    [
        # The text needs 20 characters more when the first of them comes.
        {"pattern": "^a*b{20}$", "maxLength": 60},
        {"pattern": "^a*b{20}$", "maxLength": 60, "minLength": 30},
        {"pattern": "^(a{30}|b{3})a*$", "maxLength": 60},
        # Counts of single characters are counted beside the automaton.
        {"pattern": "^[ab]{3,40}$"},
        {"pattern": "^a[ab]{3,40}b{5}$"},
        {"pattern": "^bb[aé]{0,40}(bbb|aaa)$", "minLength": 9, "maxLength": 30},
        {"pattern": "^[ab]{0,9}$", "minLength": 9},
        {"pattern": "^.{30,40}$", "maxLength": 38},
    ],
    ids=json.dumps,
)
def test_masks_near_the_bounds_are_those_of_a_new_constraint(schema: dict[str, object]) -> None:
    tokens = vocabulary(TOKENS)
    schema = {"type": "string", **schema}
    worn = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)

    def mask(matcher: constrain.Matcher) -> list[int]:
        row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)
        matcher.fill_bitmask(row)
        bits = np.unpackbits(row.view(np.uint8), bitorder="little")
        return [int(token) for token in np.flatnonzero(bits)]

    for favourite in (b"a", b"aa", b"aaaa", b"b", "é".encode()):
        fresh = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
        ours, theirs = worn.matcher(tokens), fresh.matcher(tokens)
        for step in range(80):
            allowed = mask(ours)
            assert allowed == mask(theirs)
            # Each token that stepping takes is in the mask, and no other.
            stepped = [token for token in range(tokens.size) if theirs.fork().advance(token)]
            assert allowed == stepped
            if ours.finished or not allowed:
                break
            wanted = TOKENS.index(favourite) if step else TOKENS.index(b'"')
            token = wanted if wanted in allowed else allowed[step % len(allowed)]
            assert ours.advance(token)
            assert theirs.advance(token)
