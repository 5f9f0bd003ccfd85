"""Random walks over a fixed sample of real schemas meet no dead end and finish valid documents."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

pytest.importorskip("jsonschema_rs")
pytest.importorskip("regress")

from tests.conformance.outcomes import data_folder, sample
from tests.conformance.pool import judge_all
from tests.conformance.walking import walk_schema
from tests.conformance.walks import BROKEN

#: Walked where the collection of real schemas is not there: one for each mechanism.
CORPUS: dict[str, Any] = {
    "counts": {"type": "array", "contains": {"const": 1}, "minContains": 2, "maxItems": 3},
    "different": {
        "type": "array",
        "items": {"enum": [1, 2, "a", {"b": 1}]},
        "uniqueItems": True,
        "minItems": 4,
    },
    "left over": {
        "type": "object",
        "oneOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"required": ["b"]}],
        "properties": {"b": True},
        "unevaluatedProperties": False,
    },
    "texts": {"type": "object", "properties": {"d": {"format": "date"}, "p": {"pattern": "^(ab|c)+$"}}},
    "tree": {"$dynamicAnchor": "node", "properties": {"child": {"$dynamicRef": "#node"}}, "maxProperties": 2},
}


def test_walks_over_a_small_corpus() -> None:
    for name, schema in CORPUS.items():
        outcome = walk_schema(name, json.dumps({"schema": schema}))
        assert outcome.kind == "ok", outcome


def test_walks_over_real_schemas() -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip("the development data is not here; set CONSTRAIN_DATA to its folder")
    work = functools.partial(walk_schema, walks=8)
    outcomes = list(judge_all(sample(folder, 40), 60.0, judge=work))
    assert [outcome for outcome in outcomes if outcome.kind in BROKEN] == []
    assert sum(outcome.kind == "ok" for outcome in outcomes) >= 38
