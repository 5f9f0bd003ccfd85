"""Token ids that no vocabulary has are refused like tokens that are not allowed."""

from __future__ import annotations

import pytest

import constrain
from tests.support.real_engine import vocabulary


@pytest.mark.parametrize("token", [-1, -(2**31) - 1, 3, 2**31 - 1, 2**31, 2**32 - 1, 2**40])
def test_an_id_outside_the_vocabulary_is_refused(token: int) -> None:
    matcher = constrain.compile_json_schema({"type": "boolean"}).matcher(
        vocabulary([b"true", b"false", None])
    )
    assert not matcher.advance(token)
    assert matcher.stats["refused"] == 1
    assert matcher.n_tokens == 0
    assert matcher.advance(0)
