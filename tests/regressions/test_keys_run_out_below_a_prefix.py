"""A key that is as long as keys may be, and was written, was a dead end: nothing could follow its last letter."""

from __future__ import annotations

from typing import Any

import pytest

import constrain

#: (schema, beginning, a byte that no document goes on with, one that some does), under `ANY_TEXT`.
CASES: list[tuple[Any, bytes, bytes, bytes]] = [
    ({"propertyNames": {"pattern": "^..$"}}, b'{"ab":1,"a', b"b", b"c"),
    ({"propertyNames": {"pattern": "^..$"}}, b'{"ab":1,"a\\u006', b"2", b"3"),
    ({"propertyNames": {"maxLength": 1}}, b'{"a":1,"', b"a", b"b"),
    ({"propertyNames": {"maxLength": 1}}, '{"é":1,"'.encode() + b"\xc3", b"\xa9", b"\xa8"),
    ({"propertyNames": {"pattern": "^x[ab]$"}}, b'{"xa":1,"xb":1', b",", b"}"),
    ({"propertyNames": {"pattern": "^(x[ab]|y.*)$"}}, b'{"xa":1,"xb":1,"', b"x", b"y"),
    ({"patternProperties": {"^a.?$": False}, "propertyNames": {"maxLength": 2}}, b'{"bc":1,"b', b"c", b"d"),
    ({"properties": {"ab": True}, "propertyNames": {"pattern": "^a.$"}}, b'{"ac":1,"a', b"c", b"b"),
]


@pytest.mark.parametrize(("schema", "beginning", "dead", "live"), CASES)
def test_a_key_that_cannot_become_a_new_one_is_dead(
    schema: Any, beginning: bytes, dead: bytes, live: bytes
) -> None:
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[256])
    constraint = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
    matcher = constraint.matcher(vocabulary, prefix=beginning)
    assert not matcher.fork().advance(dead[0])
    assert matcher.advance(live[0])
    assert matcher.advance_tokens(plan := matcher.plan()) == len(plan)
    assert matcher.accepting
