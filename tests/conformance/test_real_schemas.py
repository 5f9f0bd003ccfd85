"""A fixed sample of real schemas: wrong answers and crashes stay at zero, refusals only shrink."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("jsonschema_rs")
pytest.importorskip("regress")

import constrain
from tests.conformance.outcomes import data_folder, judge, sample
from tests.conformance.pool import judge_all
from tests.conformance.run import RATCHET, SAMPLE, WRONG, summary

#: Fewer of these is better; the ratchet holds the numbers reached.
SHRINKING = ("refused", "malformed", "limit", "disputed")


def test_real_schemas_are_right_or_refused() -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip("the development data is not here; set CONSTRAIN_DATA to its folder")
    outcomes = list(judge_all(sample(folder, SAMPLE)))
    counts = summary(outcomes)
    wrong = [outcome for outcome in outcomes if outcome.kind in WRONG]
    assert not wrong, "\n".join(f"{outcome.kind} {outcome.name}: {outcome.reason}" for outcome in wrong)
    reached = json.loads(RATCHET.read_text())
    assert counts["right"] >= reached["right"], (counts, reached)
    for kind in SHRINKING:
        assert counts[kind] <= reached[kind], (kind, counts, reached)


class _Always:
    """A constraint that gives one answer."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def accepts(self, data: str) -> bool:
        return self.answer


@pytest.mark.parametrize(("answer", "kind"), [(True, "wrong_acceptance"), (False, "wrong_refusal")])
def test_a_wrong_answer_is_noticed(answer: bool, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = {
        "schema": {"type": "integer"},
        "tests": [{"data": 1, "valid": True}, {"data": "a", "valid": False}],
    }
    monkeypatch.setattr(constrain, "compile_json_schema", lambda *_, **__: _Always(answer))
    assert judge("case", json.dumps(case)).kind == kind


def test_a_wrong_label_is_disputed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"schema": {"type": "integer"}, "tests": [{"data": "a", "valid": True}]}
    monkeypatch.setattr(constrain, "compile_json_schema", lambda *_, **__: _Always(False))
    assert judge("case", json.dumps(case)).kind == "disputed"
