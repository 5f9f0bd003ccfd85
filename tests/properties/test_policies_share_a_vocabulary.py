"""What constraints over one vocabulary share of masks is told apart by their text policies."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np

import constrain

TOKENS = [
    *(bytes([byte]) for byte in range(256)),
    *(
        b'":',
        b'": ',
        b'":\n\n\n',
        b'":  \t',
        b'":1e400',
        b'":9e9',
        b'":0.',
        b'":-0',
        b'":1.0',
        b'":"',
        b'":["',
    ),
    *(b'":[ ]', b'":{ }', b'":{}', b'":true', b'":null', b'": null', b'":[1e400', b'":"\\u00e9', b'":"",'),
    *(b'":"","', b'":"" ,"', b'","', b'" ', b", ", b",\n", b'}"', b"  ", b"\n\n\n", b"e400", b"00000"),
]
TYPES: list[Any] = [
    *("string", "integer", "number", "boolean", "object", "array"),
    ["null", "number"],
    ["string", "array"],
]
OPTIONS = [
    constrain.Options(whitespace=whitespace, numbers=numbers, escapes=escapes, property_order=order)
    for whitespace, numbers, escapes, order in itertools.product(
        ("bounded", "any", "compact"), ("bounded", "any"), ("minimal", "any"), ("any", "schema")
    )
]
SCHEMAS = [
    {"type": "object", "properties": {"a": {"type": kind}}, **more}
    for kind in TYPES
    for more in ({}, {"additionalProperties": False}, {"additionalProperties": {"type": kind}})
]


def test_masks_are_what_the_tokens_do_under_each_policy() -> None:
    vocabulary = constrain.Vocabulary.from_token_bytes([*TOKENS, None], eos_ids=[len(TOKENS)])
    row = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
    rng = random.Random(3)
    # Neighbours differ in schema or policy, so that each finds what another one has left.
    for schema, options in rng.sample(list(itertools.product(SCHEMAS, OPTIONS)), 250):
        matcher = constrain.compile(schema, options=options).matcher(vocabulary)
        for byte in b'{"a':
            assert matcher.advance(byte)
        for _ in range(3):
            matcher.fill_bitmask(row)
            bits = np.unpackbits(row.view(np.uint8), bitorder="little")[: vocabulary.size]
            stepped = [matcher.fork().advance(token) for token in range(vocabulary.size)]
            assert bits.tolist() == stepped, (schema, options)
            allowed = [token for token in np.flatnonzero(bits).tolist() if token >= 256]
            if not allowed or not matcher.advance(rng.choice(allowed)):
                break
