"""Items that have to differ share out a small domain without dead ends, whatever is taken first."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

import constrain

DOMAINS: dict[str, list[Any]] = {
    "numbers": [1, 2.5, -3, 1e3],
    "texts": ["", "a", "ab", 'say "b"'],
    "literals": [None, True, False, 0],
    "objects": [{}, {"a": 1}, {"a": 2}, {"a": 1, "b": []}],
    "arrays": [[], [1], [1, 1], [[1]]],
    "mixed": ["1", 1, [1], {"1": 1}],
}


def _walk(schema: Any, seed: int) -> str:
    """A document by random bytes alone: a dead end fails."""
    from constrain.matching.position_cy import Position

    rng = random.Random(seed)
    options = constrain.Options(whitespace="compact")
    constraint = constrain.compile_json_schema(schema, options=options)
    here, there = Position(constraint._policy), Position(constraint._policy)
    here.begin(constraint._machine.root)
    text = bytearray()
    while not here.accepting():
        live = [byte for byte in range(256) if here.step(byte, there)]
        assert live, f"dead end after {bytes(text)!r}"
        byte = rng.choice(live)
        here.step(byte, here)
        text.append(byte)
    return text.decode()


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_of_exactly_the_least_number_of_items(name: str) -> None:
    domain = DOMAINS[name]
    schema = {"type": "array", "items": {"enum": domain}, "uniqueItems": True, "minItems": len(domain)}
    texts = {json.dumps(value, sort_keys=True) for value in domain}
    for seed in range(12):
        items = json.loads(_walk(schema, seed))
        assert len(items) == len(domain)
        constants = {text for item in items for text in texts if json.loads(text) == item}
        assert len(constants) >= len(domain) - 1  # 1 == True in Python, and in these texts alone


@pytest.mark.parametrize("seed", range(40))
def test_places_with_domains_of_their_own(seed: int) -> None:
    """What is accepted is what brute force says, for random small domains at each place."""
    rng = random.Random(seed)
    values = [1, 2, "a", [1], {"a": 1}]
    places = [rng.sample(values, rng.randint(1, 3)) for _ in range(rng.randint(2, 4))]
    schema = {
        "type": "array",
        "prefixItems": [{"enum": place} for place in places],
        "items": False,
        "uniqueItems": True,
        "minItems": len(places),
    }
    expected = {
        json.dumps(list(chosen))
        for chosen in itertools.product(*places)
        if len({json.dumps(value) for value in chosen}) == len(chosen)
    }
    if not expected:
        with pytest.raises(constrain.UnsatisfiableError):
            constrain.compile_json_schema(schema)
        return
    constraint = constrain.compile_json_schema(schema)
    for chosen in itertools.product(*places):
        text = json.dumps(list(chosen))
        assert constraint.accepts(text) == (text in expected), text
    for walk in range(5):
        value = json.loads(_walk(schema, 100 * seed + walk))
        assert len({json.dumps(item, sort_keys=True) for item in value}) == len(places)


@pytest.mark.parametrize(
    "text", ['{"a":1,"\\u0061":2}', '{"\\u0061":1,"a":2}', '{"x":1,"b":2,"x":3}', '{"x":1,"\\u0078":1}']
)
def test_no_key_twice_however_it_is_spelled(text: str) -> None:
    schema = {"type": "object", "properties": {"a": True, "b": True}}
    assert not constrain.compile_json_schema(schema, options=constrain.ANY_TEXT).accepts(text)
