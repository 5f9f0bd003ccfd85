"""The official test suite, all drafts from 4: right answers only grow, everything else only shrinks."""

from __future__ import annotations

import json

import pytest

import constrain
from tests.conformance.outcomes import suite_archive
from tests.conformance.suite import CLASSES, DRAFTS, RATCHET, WRONG, judge_group, run, summary


@pytest.mark.parametrize("optional", [False, True], ids=["required", "optional"])
def test_the_suite_is_answered_as_well_as_before(optional: bool) -> None:
    if suite_archive() is None:
        pytest.skip("the official test suite is not here; set CONSTRAIN_DATA to its folder")
    outcomes = run(DRAFTS, optional=optional)
    reached = json.loads(RATCHET.read_text())
    counts = summary(outcomes)
    wrong = "\n".join(f"{each.kind} {each.name} | {each.reason}" for each in outcomes if each.kind in WRONG)
    assert set(counts) == {part for part in reached if part.endswith("/required") != optional}
    for part, found in counts.items():
        assert found["right"] >= reached[part]["right"], (part, found, reached[part], wrong)
        for kind in CLASSES[1:]:
            assert found[kind] <= reached[part][kind], (part, kind, found, reached[part], wrong)


class _Always:
    """A constraint that gives one answer."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def accepts(self, data: str) -> bool:
        return self.answer


_GROUP = {
    "description": "integers",
    "schema": {"type": "integer"},
    "tests": [
        {"description": "yes", "data": 1, "valid": True},
        {"description": "no", "data": "a", "valid": False},
    ],
}


@pytest.mark.parametrize(
    ("answer", "kinds"), [(True, ["right", "wrong_acceptance"]), (False, ["wrong_refusal", "right"])]
)
def test_a_wrong_answer_is_noticed(answer: bool, kinds: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constrain, "compile_json_schema", lambda *_, **__: _Always(answer))
    outcomes = judge_group("draft7/type.json: integers", json.dumps(_GROUP))
    assert [outcome.kind for outcome in outcomes] == kinds


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        (False, ["wrong_refusal", "right"]),
        ({"type": 3}, ["malformed", "malformed"]),
        ({"$schema": "https://example.org/none"}, ["refused", "refused"]),
    ],
)
def test_what_cannot_be_compiled_has_a_class(schema: object, kinds: list[str]) -> None:
    outcomes = judge_group("draft7/type.json: integers", json.dumps({**_GROUP, "schema": schema}))
    assert [outcome.kind for outcome in outcomes] == kinds
