"""A key that was begun within a character, and whose shortest end was written before, had no completion."""

from __future__ import annotations

import json
from typing import Any

import pytest

import constrain


@pytest.mark.parametrize(
    "schema", [{}, {"propertyNames": {"not": {"const": "a"}}}, {"patternProperties": {"^b": {}}}]
)
@pytest.mark.parametrize("written", [["ª"], ["ª", "ª0"], ["ª", "«", "b"]])
def test_a_key_is_completed_to_a_new_one(schema: Any, written: list[str]) -> None:
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[256])
    text = json.dumps(dict.fromkeys(written, 1), ensure_ascii=False).encode()[:-1] + b',"\xc2'
    constraint = constrain.compile_json_schema({"type": "object", **schema})
    matcher = constraint.matcher(vocabulary, prefix=text)
    whole = (text + matcher.completion()).decode()
    assert len(json.loads(whole)) == len(written) + 1
    assert constraint.accepts(whole)
