"""Automata and masks that constraints share give each of them what its own would."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import constrain
from constrain.automata.lazy_dfa_cy import any_text_automaton
from constrain.automata.number_atoms import AtLeast, MultipleOf
from constrain.automata.numbers_cy import number_automaton
from constrain.frontends.json_schema.formats import format_automaton
from constrain.matching.mask_cache_cy import MaskCache

TEXTS = {
    "date-time": b'"2024-02-29T12:30:00.5Z"',
    "uuid": b'"123e4567-e89b-12d3-a456-426614174000"',
    "uri": b'"https://example.com/a?b#c"',
    "email": b'"someone@example.com"',
}


def test_the_same_question_gives_the_same_automaton() -> None:
    atoms = (
        AtLeast(constrain.automata.numbers_cy.exact(3)),
        MultipleOf(constrain.automata.numbers_cy.exact(1)),
    )
    made = [
        number_automaton(atoms, lambda v: v == 3, lambda v: 0, bounded=bounded, max_states=1000)
        for bounded in (False, False, True)
    ]
    assert made[0] is made[1]
    assert made[0] is not made[2]
    other = number_automaton(atoms, lambda v: v == 1, lambda v: 0, bounded=False, max_states=1000)
    assert other is not made[0]
    assert any_text_automaton() is any_text_automaton()
    assert format_automaton("date") is format_automaton("date")
    assert format_automaton("hostname", "4") is not format_automaton("hostname")


def _masks(schema: Any, text: bytes) -> bytes:
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), b"20", b"-0", b"e4", b'",', None]
    vocabulary = constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[260])
    matcher = constrain.compile_json_schema(schema).matcher(vocabulary)
    bitmask = np.zeros((1, 9), dtype=np.int32)
    found = b""
    for byte in text:
        matcher.fill_bitmask(bitmask)
        found += bitmask.tobytes()
        assert matcher.advance(byte)
    return found


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_threads_agree(name: str) -> None:
    schemas: list[Any] = [
        {"type": "string", "format": name},
        {"type": "string", "format": name, "maxLength": 60},
        {"anyOf": [{"format": name}, {"maxLength": 3}], "type": "string", "minLength": 1},
    ]
    expected = [_masks(schema, TEXTS[name]) for schema in schemas]
    results: list[list[bytes]] = []

    def work() -> None:
        results.append([_masks(schema, TEXTS[name]) for schema in schemas])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_masks_are_dropped_above_the_budget() -> None:
    cache = MaskCache(100)
    for number in range(20):
        cache.put(number, bytes(30))
        cache.put(number, bytes(30))
        assert cache.size <= 100
    assert cache.get(19) is not None
    assert cache.get(17) is not None
    cache.put(20, bytes(30))
    assert cache.get(18) is None
    assert cache.get(17) is not None
