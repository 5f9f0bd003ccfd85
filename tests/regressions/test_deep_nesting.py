"""A document nested 100,000 deep neither crashes the process nor slows it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import constrain

ROOT = Path(__file__).resolve().parents[2]

#: Runs in its own process: a crash is a return code, not the end of the test run.
PROGRAM = """
import json, statistics, sys, time
import numpy as np
from tests.support.real_engine import compile_schema, vocabulary

schema, opening, closing, middle, depth = json.loads(sys.argv[1])
constraint = compile_schema(schema)
tokens = [bytes([b]) for b in range(256)] + [opening.encode(), closing.encode(), None]
matcher = constraint.matcher(vocabulary(tokens))
row = np.zeros((1, (len(tokens) + 31) // 32), dtype=np.int32)

def cost():
    times = []
    for _ in range(300):
        start = time.perf_counter()
        assert matcher.advance(256)
        matcher.fill_bitmask(row)
        times.append(time.perf_counter() - start)
    return statistics.median(times)

def descend(to):
    global level
    while level < to:
        assert matcher.advance(256)
        level += 1

level = 0
descend(1000)
shallow = cost(); level += 300
descend(depth)
deep = cost(); level += 300
fork = matcher.fork()
plan = fork.plan()
assert len(plan) >= level
assert fork.advance_tokens(plan) == len(plan) and fork.accepting
matcher.rollback(level - 10)
fork.rollback(5)
text = opening * depth + middle + closing * depth
assert constraint.accepts(text)
assert not constraint.accepts(text[:-1])
del matcher, fork
print(json.dumps([shallow, deep]))
"""

CASES: dict[str, list[object]] = {
    "array": [{"type": "array", "items": {"$ref": "#"}}, "[", "]", "[]"],
    "object": [{"type": "object", "additionalProperties": {"$ref": "#"}}, '{"a":', "}", "{}"],
    "anything": [True, '[{"a":', "}]", "1"],
    "alternatives": [
        {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "null"}]}, "[", "]", "null"
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_depth_costs_nothing(name: str) -> None:
    argument = json.dumps([*CASES[name], 100_000])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, argument],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    shallow, deep = json.loads(done.stdout)
    assert deep <= 3 * shallow + 2e-6, (
        f"{shallow * 1e6:.1f} us at depth 1,000, {deep * 1e6:.1f} us at 100,000"
    )


@pytest.mark.parametrize("depth", [300, 900])
def test_deep_constants_are_compared_without_recursion(depth: int) -> None:
    value = "[" * depth + "]" * depth
    other = "[" * (depth - 1) + "1" + "]" * (depth - 1)
    constraint = constrain.compile_json_schema(
        f'{{"properties": {{"a": {{"const": {value}}}, "b": {{"items": {{}}, "uniqueItems": true}}}}}}'
    )
    assert constraint.accepts(f'{{"a":{value}}}')
    assert not constraint.accepts(f'{{"a":{other}}}')
    assert constraint.accepts(f'{{"b":[{value},{other}]}}')
    assert not constraint.accepts(f'{{"b":[{value},{value}]}}')
