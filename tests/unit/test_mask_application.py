"""Packed masks on logits: every bit lands on its token, in every type and width."""

from __future__ import annotations

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from constrain.errors import ConstrainError  # noqa: E402
from constrain.models.mask_application import apply_bitmask_  # noqa: E402

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def packed(allowed: list[set[int]], words: int) -> torch.Tensor:
    rows = [
        [sum(1 << bit for bit in range(32) if 32 * word + bit in row) for word in range(words)]
        for row in allowed
    ]
    return torch.from_numpy(np.array(rows, dtype=np.uint32).view(np.int32))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    ("width", "words"), [(64, 2), (70, 2), (70, 3), (50, 2), (1, 1), (31, 4), (1000, 32)]
)
def test_a_logit_stays_exactly_where_its_bit_is_set(
    device: str, dtype: torch.dtype, width: int, words: int
) -> None:
    choice = random.Random(width * words)
    allowed = [{i for i in range(32 * words) if choice.random() < 0.5} for _ in range(3)]
    allowed[1] |= {31}  # the sign bit of a word
    logits = torch.randn(3, width).to(device=device, dtype=dtype)
    before = logits.clone()

    result = apply_bitmask_(logits, packed(allowed, words))

    assert result is logits
    for row, ids in enumerate(allowed):
        for token in range(width):
            expected = before[row, token] if token in ids else float("-inf")
            assert logits[row, token] == expected


def test_one_mask_serves_all_rows() -> None:
    logits = torch.zeros(4, 40)
    apply_bitmask_(logits, packed([{0, 39}], 2))
    assert [row.isfinite().nonzero().flatten().tolist() for row in logits] == [[0, 39]] * 4


def test_forbidden_not_a_number_becomes_minus_infinity() -> None:
    logits = torch.full((1, 32), float("nan"))
    apply_bitmask_(logits, packed([{3}], 1))
    assert logits[0, 3].isnan()
    assert (logits[0, :3] == float("-inf")).all()


def test_a_view_into_larger_logits_is_masked_in_place() -> None:
    logits = torch.zeros(2, 5, 32)
    apply_bitmask_(logits[:, -1], packed([{1}, {2}], 1))
    assert logits[:, -1].isfinite().nonzero().tolist() == [[0, 1], [1, 2]]
    assert logits[:, :-1].isfinite().all()


@pytest.mark.parametrize(
    ("logits", "mask"),
    [
        (torch.zeros(32), torch.zeros(1, 1, dtype=torch.int32)),
        (torch.zeros(3, 32), torch.zeros(2, 1, dtype=torch.int32)),
        (torch.zeros(1, 32), torch.zeros(1, 1, dtype=torch.int64)),
        (torch.zeros(1, 32, dtype=torch.int32), torch.zeros(1, 1, dtype=torch.int32)),
    ],
)
def test_shapes_and_types_that_do_not_fit_are_refused(logits: torch.Tensor, mask: torch.Tensor) -> None:
    with pytest.raises(ConstrainError):
        apply_bitmask_(logits, mask)
