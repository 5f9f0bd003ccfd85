"""Masks depend on the meaning of a schema and on nothing else: its order, the build, the tokenizer."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jsonschema_rs")
pytest.importorskip("regress")

import constrain
from tests.support.mask_oracle import Matcher, Refused, Unsatisfiable
from tests.support.random_schemas import random_schema, small_vocabulary
from tests.support.real_engine import real_engine
from tests.support.walk_digest import walk

ROOT = Path(__file__).resolve().parents[2]
_UNORDERED = ("anyOf", "oneOf", "allOf", "enum", "required", "type")


def reordered(schema: Any, rng: random.Random, key: str = "") -> Any:
    """The same schema with members, and alternatives where order means nothing, in another order."""
    if key in ("const", "enum_value"):
        return _reordered_value(schema, rng)
    if isinstance(schema, dict):
        names = list(schema)
        rng.shuffle(names)
        return {name: reordered(schema[name], rng, name) for name in names}
    if isinstance(schema, list):
        items = [reordered(item, rng, "enum_value" if key == "enum" else "") for item in schema]
        if key in _UNORDERED:
            rng.shuffle(items)
        return items
    return schema


def _reordered_value(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        rng.shuffle(names)
        return {name: _reordered_value(value[name], rng) for name in names}
    return [_reordered_value(item, rng) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("block", range(8))
def test_a_reordered_schema_gives_the_same_masks(block: int) -> None:
    for number in range(5000 + block * 10, 5010 + block * 10):
        rng = random.Random(number)
        schema = random_schema(rng)
        tokens = small_vocabulary(rng)
        any_text = bool(number % 2)
        other = reordered(schema, rng)
        first, second = (walk(form, tokens, any_text, number) for form in (schema, other))
        assert first == second, json.dumps([schema, other])


def _digests(*arguments: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_uncompiled_build_gives_the_same_masks() -> None:
    if not constrain.COMPILED:
        pytest.skip("this is the uncompiled build")
    count = "30"
    compiled = _digests("tests.support.walk_digest", count)
    uncompiled = _digests("tests.support.uncompiled", "tests.support.walk_digest", count)
    assert compiled[0] == {"compiled": True}
    assert uncompiled[0] == {"compiled": False}
    for number, (left, right) in enumerate(zip(compiled[1:], uncompiled[1:], strict=True)):
        assert left == right, f"schema number {number}"


def _allowed(matcher: Matcher, size: int) -> set[int]:
    row = np.zeros((1, (size + 31) // 32), dtype=np.int32)
    matcher.fill_bitmask(row)
    return set(np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little")).tolist())


@pytest.mark.parametrize("block", range(6))
def test_a_token_is_allowed_where_its_bytes_are(block: int) -> None:
    """The masks of a vocabulary of long tokens follow from the walk byte by byte."""
    single: list[bytes | None] = [bytes([byte]) for byte in range(256)] + [None]
    for number in range(7000 + block * 8, 7008 + block * 8):
        rng = random.Random(number)
        schema = random_schema(rng)
        tokens = small_vocabulary(rng, 60)
        try:
            long = real_engine(schema, tokens, bool(number % 2))
            short = real_engine(schema, single, bool(number % 2))
        except (Unsatisfiable, Refused):
            continue
        text = b""
        for _ in range(10):
            allowed = _allowed(long, len(tokens))
            for index, token in enumerate(tokens):
                if token is None:
                    expected = short.accepting
                else:
                    expected = short.fork().advance_tokens(list(token)) == len(token)
                assert (index in allowed) == expected, (json.dumps(schema), text, token)
            choice = rng.choice(sorted(allowed))
            token = tokens[choice]
            if token is None:
                break
            assert long.advance(choice)
            assert short.advance_tokens(list(token)) == len(token)
            text += token
