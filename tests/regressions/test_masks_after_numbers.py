"""A token that ends a number and spells a named key was cleared by the walk of the tokens with blanks."""

from __future__ import annotations

import numpy as np
import pytest

import constrain

TOKENS = [
    b',"created"',
    b',"created":',
    b', "created"',
    b'"created"',
    b',"crea',
    b'},"created"',
    b' ,"created',
]


@pytest.mark.parametrize(
    "prefix", [b'{"k":1', b'{"k":-0.5', b'{"k":1e3', b'{"k":"x"', b'{"k":[1', b'{"k":{"a":1']
)
@pytest.mark.parametrize("required", [["created"], []])
def test_the_mask_is_what_advance_takes(prefix: bytes, required: list[str]) -> None:
    schema = {"properties": {"created": {"type": "string"}}, "required": required}
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), *TOKENS, None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[len(tokens) - 1])
    matcher = constrain.compile_json_schema(schema).matcher(vocabulary, prefix=prefix)
    row = np.zeros((1, (len(tokens) + 31) // 32), dtype=np.int32)
    matcher.fill_bitmask(row)
    bits = np.unpackbits(row.view(np.uint8), bitorder="little")
    for index, token in enumerate(tokens[:-1]):
        assert bool(bits[index]) == matcher.fork().advance(index), token
