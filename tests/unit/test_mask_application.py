"""Packed masks on logits: every bit lands on its token, in every type and width."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from constrain.errors import ConstrainError  # noqa: E402
from constrain.models import mask_application  # noqa: E402
from constrain.models.mask_application import apply_bitmask_  # noqa: E402

#: Also as by torch alone, which is what other devices and builds get.
WAYS = ["kernel", "torch"]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def packed(allowed: list[set[int]], words: int) -> torch.Tensor:
    rows = [
        [sum(1 << bit for bit in range(32) if 32 * word + bit in row) for word in range(words)]
        for row in allowed
    ]
    return torch.from_numpy(np.array(rows, dtype=np.uint32).view(np.int32))


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "torch":
        monkeypatch.setattr(mask_application, "_kernel", lambda device: None)
    return str(request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
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


@pytest.mark.parametrize("words", [0, 0xFFFFFFFF, 1, 0x80000000])
def test_words_that_are_full_or_empty(words: int) -> None:
    mask = torch.from_numpy(np.array([[words, 0xFFFFFFFF, 0, words]], dtype=np.uint32).view(np.int32))
    logits = torch.ones(1, 130, dtype=torch.bfloat16)
    apply_bitmask_(logits, mask)
    expected = [bool(words >> i & 1) for i in range(32)]
    assert logits[0].isfinite().tolist() == expected + [True] * 32 + [False] * 32 + expected + [False] * 2


def test_columns_that_lie_apart_and_broadcast_masks() -> None:
    logits = torch.zeros(40, 3).T
    assert logits.stride(1) != 1
    apply_bitmask_(logits, packed([{0}, {1}, {39}], 2))
    assert logits.isfinite().nonzero().tolist() == [[0, 0], [1, 1], [2, 39]]
    rows = torch.zeros(3, 40)
    apply_bitmask_(rows, packed([{5}], 2).expand(3, 2))
    assert rows.isfinite().nonzero().tolist() == [[0, 5], [1, 5], [2, 5]]


_TRITON = """
import torch
from constrain.models.mask_kernel_triton import mask_rows_on_gpu
for dtype in (torch.float32, torch.float16):
    for width, words in ((64, 2), (70, 2), (5000, 157), (50, 2), (31, 4)):
        for rows in (1, 3):
            logits = torch.randn(rows, width + 5)[:, :width].to(dtype)
            storage = torch.zeros(rows, width + 5, dtype=dtype)
            storage[:, :width] = logits
            view = storage[:, :width]
            mask = torch.randint(-2**31, 2**31 - 1, (rows if width % 2 else 1, words), dtype=torch.int32)
            mask_rows_on_gpu(view, mask)
            for row in range(rows):
                packed = mask[row % mask.shape[0]].tolist()
                for token in range(width):
                    allowed = token < 32 * words and packed[token // 32] >> (token % 32) & 1
                    assert view[row, token] == (logits[row, token] if allowed else -torch.inf)
            assert not storage[:, width:].any()
print("right")
"""


def test_the_triton_kernel_in_its_interpreter() -> None:
    pytest.importorskip("triton")
    done = subprocess.run(
        [sys.executable, "-c", _TRITON],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "TRITON_INTERPRET": "1"},
    )
    assert done.stdout.strip() == "right", done.stderr[-2000:]


_TRITON_COMPILED = """
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from constrain.models.mask_kernel_triton import _mask_block
for type in ("*fp64", "*fp32", "*fp16", "*bf16"):
    names = ["logits", "bitmask", "stride", "mask_stride", "width", "n_words", "block"]
    types = [type, "*i32", "i64", "i64", "i32", "i32", "constexpr"]
    source = ASTSource(_mask_block, dict(zip(names, types)), constexprs={"block": 4096})
    assert "st.global" in compile(source, target=GPUTarget("cuda", 90, 32)).asm["ptx"]
print("right")
"""


def test_the_triton_kernel_compiles_without_a_gpu() -> None:
    triton = pytest.importorskip("triton")
    # Before 3.3 constants were no part of the signature; the other tests hold for those versions too.
    if tuple(int(part) for part in triton.__version__.split(".")[:2]) < (3, 3):
        pytest.skip("this Triton asks for another signature")
    done = subprocess.run(
        [sys.executable, "-c", _TRITON_COMPILED], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout.strip() == "right", done.stderr[-2000:]


def test_a_kernel_that_fails_is_replaced_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setattr(torch, "zeros", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no compiler")))
    with pytest.warns(UserWarning, match="no compiler"):
        assert mask_application._kernel_of_triton() is None


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
