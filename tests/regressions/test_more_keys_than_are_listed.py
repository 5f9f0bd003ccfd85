"""A class of keys with more than 4096 members was taken for endless: a bound above their number never ended."""

from __future__ import annotations

import json

import pytest

import constrain


def test_all_keys_of_a_large_class_can_be_asked_for_and_no_more() -> None:
    schema = {"propertyNames": {"pattern": "^[a-q]{3}$"}, "minProperties": 17**3, "type": "object"}
    constraint = constrain.compile_json_schema(schema)
    assert len(json.loads(constraint.example())) == 17**3
    schema["minProperties"] = 17**3 + 1
    with pytest.raises(constrain.UnsatisfiableError):
        constrain.compile_json_schema(schema)


def test_nothing_follows_the_last_key_of_a_large_class() -> None:
    schema = {"propertyNames": {"pattern": "^[a-q]{3}$"}, "type": "object"}
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[256])
    letters = "abcdefghijklmnopq"
    keys = [a + b + c for a in letters for b in letters for c in letters]
    for written, more in ((keys[:-1], True), (keys, False)):
        text = json.dumps(dict.fromkeys(written, 1)).encode()[:-1]
        matcher = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT).matcher(
            vocabulary, prefix=text
        )
        assert matcher.fork().advance(b","[0]) is more
        assert matcher.advance(b"}"[0])
