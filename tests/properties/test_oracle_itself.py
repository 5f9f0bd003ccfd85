"""The mask oracle passes a correct engine and finds every planted defect."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.support.fake_engine import DEFECTS, finite_engine
from tests.support.mask_oracle import OracleFailure, Policy, check_schema
from tests.support.random_schemas import small_vocabulary

LANGUAGES: list[tuple[Any, list[bytes]]] = [
    ({"enum": ["a", "ab", 17, [["a"]], None]}, [b'"a"', b'"ab"', b"17", b'[["a"]]', b"null"]),
    (
        {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"const": "é"}}, "required": ["a"],
         "additionalProperties": False},
        [b'{"a":true}', b'{"a":false}', '{"a":true,"b":"é"}'.encode(), '{"a":false,"b":"é"}'.encode(),
         '{"b":"é","a":true}'.encode(), '{"b":"é","a":false}'.encode()],
    ),
    ({"type": "array", "items": {"enum": [1, 10]}, "maxItems": 2},
     [b"[]", b"[1]", b"[10]", b"[1,1]", b"[1,10]", b"[10,1]", b"[10,10]"]),
    ({"const": 1, "type": "string"}, []),
]  # fmt: skip


def _check_all(defect: str | None) -> int:
    """Checks every language; the policy is the finite language itself."""
    engine = finite_engine(LANGUAGES, defect)
    steps = 0
    for number, (schema, documents) in enumerate(LANGUAGES):
        texts = frozenset(documents)
        policy = Policy(False, texts.__contains__, lambda text, texts=texts: False)
        for seed in range(4):
            tokens = small_vocabulary(random.Random(seed))
            steps += check_schema(engine, schema, policy, tokens, 10 * number + seed, proposals=120)["steps"]
    return steps


def test_a_correct_engine_passes() -> None:
    assert _check_all(None) > 50


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_planted_defect_is_found(defect: str) -> None:
    with pytest.raises(OracleFailure):
        _check_all(defect)
