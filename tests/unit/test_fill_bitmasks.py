"""The masks of a batch are those of its matchers, in whatever array they are written to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import constrain

SCHEMAS: list[Any] = [{"type": "integer"}, {"enum": ["a", "b"]}, {}]


@pytest.fixture(scope="module")
def vocabulary() -> constrain.Vocabulary:
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), b"12", None]
    return constrain.Vocabulary.from_token_bytes(tokens, eos_ids=[257])


def matchers(vocabulary: constrain.Vocabulary) -> list[constrain.Matcher]:
    return [constrain.compile_json_schema(schema).matcher(vocabulary) for schema in SCHEMAS]


@pytest.mark.parametrize("dtype", [np.int32, np.uint32])
@pytest.mark.parametrize("width", [3, 9, 12])
@pytest.mark.parametrize("rows", [None, [2, 0, 1]])
def test_each_row_is_that_of_its_matcher(
    vocabulary: constrain.Vocabulary, dtype: Any, width: int, rows: list[int] | None
) -> None:
    batch = matchers(vocabulary)
    bitmask = np.full((4, width), 7, dtype=dtype)
    applied = constrain.fill_bitmasks(batch, bitmask, rows)
    for place, matcher in enumerate(batch):
        own = np.zeros((1, width), dtype=dtype)
        assert matcher.fill_bitmask(own) == applied[place] is True
        assert (bitmask[place if rows is None else rows[place]] == own[0]).all()
    assert (bitmask[3] == 7).all()


def test_an_array_with_gaps_is_written_too(vocabulary: constrain.Vocabulary) -> None:
    batch = matchers(vocabulary)
    wide = np.zeros((3, 18), dtype=np.int32)
    plain = np.zeros((3, 9), dtype=np.int32)
    constrain.fill_bitmasks(batch, wide[:, ::2])
    constrain.fill_bitmasks(batch, plain)
    assert (wide[:, ::2] == plain).all()
    assert not wide[:, 1::2].any()


@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 1], [0, 1, 9], [0, 1, -9]])
def test_rows_that_do_not_fit_are_refused(vocabulary: constrain.Vocabulary, rows: list[int]) -> None:
    with pytest.raises(constrain.ConstrainError):
        constrain.fill_bitmasks(matchers(vocabulary), np.zeros((3, 9), dtype=np.int32), rows)


def test_an_array_of_another_type_is_refused(vocabulary: constrain.Vocabulary) -> None:
    with pytest.raises(constrain.ConstrainError):
        constrain.fill_bitmasks(matchers(vocabulary), np.zeros((3, 9), dtype=np.float32))
