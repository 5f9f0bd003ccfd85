"""The keys that are offered are those that have an entry, frame by frame."""

from __future__ import annotations

import random

import numpy as np
import pytest

import constrain
from constrain.matching.frames_cy import Frame
from constrain.matching.objects import ObjectShape, Offer
from tests.support.random_schemas import random_schema, small_vocabulary
from tests.support.real_engine import vocabulary

PARTS = [
    {"required": ["a"]},
    {"required": ["b", "c"]},
    {"properties": {"b": {"type": "number"}}},
    {"not": {"required": ["c"]}},
    {"dependentRequired": {"a": ["b"]}},
    {"maxProperties": 2},
    {"patternProperties": {"^[ab]$": {"type": "string"}}},
    {"propertyNames": {"maxLength": 1}},
    {"additionalProperties": False, "properties": {"a": {}, "b": {"type": "string"}, "c": False}},
]


def _schema(rng: random.Random) -> object:
    if rng.random() < 0.3:
        return random_schema(rng)
    keyword = rng.choice(["anyOf", "oneOf", "allOf"])
    return {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {}, "c": {"enum": [1, "a"]}, "aa": {"minLength": 1}},
        "additionalProperties": rng.choice([True, False, {"type": "null"}]),
        keyword: rng.sample(PARTS, rng.randint(2, 4)),
    }


#: What the questions of this run asked about: (frames, keys said to may always follow).
COUNTS = [0, 0]


@pytest.mark.parametrize("seed", range(120))
def test_offered_keys_are_those_with_an_entry(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_of = ObjectShape.offer

    def checked(self: ObjectShape, frame: Frame) -> Offer:
        offer = offer_of(self, frame)
        if self.simple:
            return offer
        # Nothing is remembered of other frames.
        fresh = ObjectShape(self.machine, self.keys, self.formula, self.tracked)
        names = sum(
            1 << name
            for name in range(len(self.keys.names))
            if not frame.blocked >> name & 1 and fresh.named_entry(frame, name) is not None
        )
        assert offer[0] == names
        COUNTS[0] += 1
        COUNTS[1] += (self._always_offered & ~frame.blocked).bit_count()
        return offer

    monkeypatch.setattr(ObjectShape, "offer", checked)
    rng = random.Random(seed)
    tokens = vocabulary(
        [*small_vocabulary(rng), b'{"', b'":', b',"', b'a"', b'b"', b'c"', b'aa"', b'"a"', b"1"]
    )
    try:
        constraint = constrain.compile_json_schema(_schema(rng), options=constrain.ANY_TEXT)
    except constrain.ConstrainError:
        return
    row = np.zeros((1, (tokens.size + 31) // 32), dtype=np.int32)
    for _ in range(4):
        matcher = constraint.matcher(tokens)
        for _ in range(25):
            matcher.fill_bitmask(row)
            bits = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little"))
            if matcher.finished or not len(bits):
                break
            assert matcher.advance(int(rng.choice(bits.tolist())))


def test_the_questions_were_asked() -> None:
    if COUNTS[0] == 0:
        pytest.skip("runs after the walks of this module")
    assert COUNTS[0] > 100
    assert COUNTS[1] > 100
