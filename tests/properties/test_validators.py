"""The validators that judge the engine are themselves exact; where they still differ is listed."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jsonschema_rs")
pytest.importorskip("regress")

from tests.support.validators import NotADocument, Undecided, Validators, read

DISAGREEMENTS = json.loads((Path(__file__).parents[1] / "data" / "validator_disagreements.json").read_text())

CASES: list[tuple[Any, list[str], list[str]]] = [
    (
        {"type": "integer"},
        ["1.0", "1e1", "1.5e1", "-0", "1e400", "1e99999"],
        ["15e-1", "1e-99999", "true", '"1"'],
    ),
    ({"multipleOf": 0.01}, ["19.99", "300e-2", "1e300", "1e99999", "0e-99999"], ["0.001", "1e-99999"]),
    ({"multipleOf": 3}, ["300e-2", "-6", '"a"'], ["3e-1", "1e30"]),
    ({"const": 17}, ["17", "170e-1", "1.7e1"], ["99", "17.000000000000000000001", '"17"']),
    ({"enum": [1, "a", [1.0]]}, ["1.0", "[1]", "[1.00]"], ["true", "[true]", "[]"]),
    ({"uniqueItems": True}, ["[1,true]", "[0,false]"], ["[1,1.0]", '[{"a":1},{"a":1.0}]']),
    ({"maximum": 0.1}, ["0.1", "-1e99999"], ["0.10000000000000000000001"]),
    ({"pattern": "^a$"}, ['"a"'], ['"a\\n"']),
    ({"maxLength": 1}, ['"\\ud83d\\ude00"', '"é"'], ['"ab"']),
    ({"additionalProperties": False, "patternProperties": {"^\\w$": True}}, ['{"a":1}'], ['{"é":1}']),
    ({"format": "date"}, ['"2024-02-29"'], ['"2023-02-31"']),
]


@pytest.mark.parametrize(("schema", "valid", "invalid"), CASES, ids=lambda part: json.dumps(part)[:40])
def test_both_validators_are_exact(schema: Any, valid: list[str], invalid: list[str]) -> None:
    validators = Validators(schema)
    assert [text for text in valid if not validators.valid(text)] == []
    assert [text for text in invalid if validators.valid(text)] == []


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"\\u0061":2}', '"\\ud800"', "NaN", "01", "[1,]", '"\n"', "\ufeff1", "1 2", "", '{"\\udc00":1}'],
)
def test_no_document(text: str) -> None:
    with pytest.raises(NotADocument):
        read(text)
    assert not Validators(True).valid(text)


def _are_pinned(*packages: str) -> bool:
    pins = (Path(__file__).parents[2] / "constraints.txt").read_text(encoding="utf-8").split()
    return all(f"{name}=={importlib.metadata.version(name)}" in pins for name in packages)


@pytest.mark.parametrize("case", DISAGREEMENTS, ids=lambda case: json.dumps(case["schema"]))
def test_a_listed_disagreement_still_stands(case: dict[str, Any]) -> None:
    validators = Validators(case["schema"])
    verdicts = validators.verdicts(read(case["text"]))
    # Of the pinned versions the list has to hold; others may have been mended.
    if len(set(verdicts)) == 1 and not _are_pinned("jsonschema", "jsonschema-rs"):
        pytest.skip("these versions of the validators agree")
    assert verdicts == (case["jsonschema"], case["jsonschema_rs"]), case["reason"]
    with pytest.raises(Undecided):
        validators.valid(case["text"])
