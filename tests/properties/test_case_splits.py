"""The ways to decide formulas with many implicants, forced upon small ones, give the same exact masks."""

from __future__ import annotations

import pytest

pytest.importorskip("jsonschema_rs")
pytest.importorskip("regress")

from constrain.matching import cover, members, object_plans
from tests.properties.test_mask_oracle import check


@pytest.fixture
def only_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a member decides is looked at class by class of its values."""
    monkeypatch.setattr(members, "FEW_PATHS", 0)
    monkeypatch.setattr(members, "FEW_GOALS", 0)


@pytest.fixture
def only_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formulas are covered by splitting on keys as far as that goes."""
    monkeypatch.setattr(members, "FEW_PATHS", 0)
    monkeypatch.setattr(members, "MAX_CLASSES", 1)
    monkeypatch.setattr(cover, "FEW_PATHS", 0)
    monkeypatch.setattr(object_plans, "FEW_PATHS", 0)


@pytest.mark.usefixtures("only_classes")
@pytest.mark.parametrize("block", range(3))
def test_masks_are_exact_by_classes_of_values(block: int) -> None:
    for number in range(50_000 + 10 * block, 50_010 + 10 * block):
        check(number)


@pytest.mark.usefixtures("only_splits")
@pytest.mark.parametrize("block", range(3))
def test_masks_are_exact_by_case_splits(block: int) -> None:
    for number in range(60_000 + 10 * block, 60_010 + 10 * block):
        check(number)
