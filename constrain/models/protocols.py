"""What the decoding side asks of the engine: the seam that every module of `models` relies on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["CompiledConstraint", "TokenMatcher", "TokenVocabulary"]


class TokenVocabulary(Protocol):
    """Token ids and the bytes that each of them stands for; `constrain.Vocabulary` is one."""

    @property
    def size(self) -> int: ...

    @property
    def eos_ids(self) -> Sequence[int]: ...

    def token_bytes(self, token_id: int, /) -> bytes | None: ...


class TokenMatcher(Protocol):
    """The state of one sequence; `constrain.Matcher` is one."""

    def fill_bitmask(self, bitmask: npt.NDArray[np.int32], row: int = 0) -> bool: ...

    def advance(self, token_id: int) -> bool: ...

    @property
    def finished(self) -> bool: ...

    def fork(self) -> Self: ...

    def plan(self) -> list[int]: ...


@runtime_checkable
class CompiledConstraint(Protocol):
    """An immutable set of documents; `constrain.Constraint` is one."""

    # `Any`: parameters are contravariant, and the engine's constraints take no other vocabulary
    # than `constrain.Vocabulary`.
    def matcher(self, vocabulary: Any, *, max_tokens: int | None = None) -> TokenMatcher: ...

    def accepts(self, data: bytes | str) -> bool: ...

    def parse(self, text: str) -> object: ...
