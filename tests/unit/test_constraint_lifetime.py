"""What a constraint was compiled to is freed when the last who uses it is gone, not by the collector."""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import constrain
from constrain.automata.languages_cy import Languages
from constrain.automata.table_cy import COMPILED
from constrain.matching.frames_cy import Frame
from tests.support.real_engine import vocabulary

TOKENS = [None, b'{"a":', b"[", b"]", b"}", b"1", b",", b'"', b"a", b'"b":']
SCHEMAS: list[dict[str, Any]] = [
    {"properties": {"a": {"type": "array", "items": {"$ref": "#"}}, "b": {"type": "string"}}},
    {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "patternProperties": {"^a": {"type": "number"}}},
]


def _with_a_small_stack(work: Callable[[], None]) -> None:
    """Call something where recursion of some ten thousand levels is a crash."""
    size = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_frames_are_freed_with_the_constraint(schema: dict[str, Any]) -> None:
    tokens = vocabulary(TOKENS)
    # What is kept per vocabulary is made once.
    constrain.compile_json_schema(True).matcher(tokens)
    gc.collect()
    gc.disable()
    try:
        before = {id(each) for each in gc.get_objects() if type(each) is Frame}
        constraint = constrain.compile_json_schema(schema)
        matcher = constraint.matcher(tokens)
        row = np.zeros((1, 1), dtype=np.int32)
        for token in [1, 2, 3, 4] if "properties" in schema else [1, 5]:
            matcher.fill_bitmask(row)
            assert matcher.advance(token)
        del constraint
        # A matcher goes on without its constraint.
        matcher.fork().fill_bitmask(row)
        del matcher
        left = [each for each in gc.get_objects() if type(each) is Frame and id(each) not in before]
        assert not left
    finally:
        gc.enable()


@pytest.mark.skipif(not COMPILED, reason="the interpreter takes its own objects apart")
def test_languages_are_freed_with_their_arena() -> None:
    def work() -> None:
        arena = Languages()
        # The derivatives of a repetition lead back to it, and a variable means what it is in: circles.
        words = [arena.repeat(arena.literal(b"%d" % number), 0, number) for number in range(30)]
        variable = arena.variable(True)
        loop = arena.union(arena.empty, arena.concat(arena.union(*words[1:3]), arena.literal(b"9"), variable))
        arena.define(variable, loop)
        pending = [arena.repeat(arena.union(*words), 0, None), loop]
        seen = set(pending)
        while pending:
            language = pending.pop()
            for byte in range(0x30, 0x3A):
                following = arena.derivative(language, byte)
                if following not in seen:
                    seen.add(following)
                    pending.append(following)
        assert len(seen) > 20
        # A long chain does not recurse when it goes.
        assert arena.is_empty(arena.intersection(arena.literal(b"a" * 20_000), arena.literal(b"ab")))
        chain = arena.literal(b"ab" * 20_000)
        with_c = arena.concat(arena.any_text, arena.literal(b"c"), arena.any_text)
        assert arena.is_empty(arena.intersection(arena.concat(chain, arena.repeat(chain, 0, 2)), with_c))

    gc.collect()
    gc.disable()
    try:
        # The interpreter keeps some memory for what comes next.
        work()
        before = sys.getallocatedblocks()
        for _ in range(5):
            work()
        # An arena has thousands of objects.
        assert sys.getallocatedblocks() - before < 500
    finally:
        gc.enable()


@pytest.mark.skipif(not COMPILED, reason="the interpreter takes its own objects apart")
def test_a_long_text_is_freed_without_recursion() -> None:
    def work() -> None:
        # Whatever goes first, the arena or who holds the text.
        held = Languages().literal(b"ab" * 200_000)
        del held
        constraint = constrain.compile_json_schema({"const": "ab" * 100_000})
        assert not constraint.accepts('"ab"')
        found.append(True)

    found: list[bool] = []
    _with_a_small_stack(work)
    assert found


class _Holder:
    """Something that refers to itself and to an arena."""

    def __init__(self) -> None:
        self.arena: Any = None
        self.itself = self


@pytest.mark.parametrize("holder_first", [True, False])
@pytest.mark.skipif(not COMPILED, reason="the interpreter takes its own objects apart")
def test_languages_are_freed_whatever_the_collector_takes_apart_first(holder_first: bool) -> None:
    def work() -> None:
        holder = _Holder() if holder_first else None
        arena = Languages()
        body = arena.concat(arena.repeat(arena.literal(b"a"), 0, 7), arena.literal(b"b"))
        language = arena.repeat(body, 0, None)
        for byte in b"aabab":
            language = arena.derivative(language, byte)
        holder = holder or _Holder()
        holder.arena = arena

    for _ in range(3):
        work()
        gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(20):
        work()
        gc.collect()
    # An arena that is not taken apart leaves its circles: a dozen objects and more.
    assert sys.getallocatedblocks() - before < 100


@pytest.mark.skipif(not COMPILED, reason="takes minutes")
def test_a_long_document_is_freed_without_recursion() -> None:
    tokens = vocabulary(TOKENS)
    constraint = constrain.compile_json_schema({"type": "string"})
    count = 200_000
    found = []

    def work() -> None:
        matcher = constraint.matcher(tokens)
        assert matcher.advance(7)
        assert matcher.advance_tokens([8] * count) == count
        twin = matcher.fork()
        matcher.rollback(count // 2)
        del matcher
        assert twin.n_tokens == count + 1
        twin.rollback(5)
        assert twin.advance(8)
        del twin
        found.append(True)

    _with_a_small_stack(work)
    assert found
