"""The mask inside keys of a small class was kept from an object without keys, and used in one with keys."""

from __future__ import annotations

from typing import Any

import numpy as np

import constrain


def test_a_key_that_was_written_is_not_offered_again_in_a_token() -> None:
    schema: Any = {"type": "array", "items": {"propertyNames": {"maxLength": 2}, "type": "object"}}
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), b"ab", None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[257])
    constraint = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
    bitmask = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
    for text, allowed in ((b'[{"', True), (b'[{"ab":1,"', False), (b'[{"ab":1},{"', True), (b'[{"a', False)):
        matcher = constraint.matcher(vocabulary, prefix=text)
        matcher.fill_bitmask(bitmask)
        bits = np.unpackbits(bitmask[0].view(np.uint8), bitorder="little")
        assert bool(bits[256]) is allowed, text
        assert {token for token in range(257) if matcher.fork().advance(token)} == set(
            np.flatnonzero(bits)
        ) - {257}
