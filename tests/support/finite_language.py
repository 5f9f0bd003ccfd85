"""A constraint over a fixed set of strings, by brute force: for tests of the decoding side alone.

It has the interface of `constrain.models.protocols` and the budget of a real matcher, and it
shares no code with the engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ListedVocabulary:
    """Token bytes from a list; `None` for special tokens."""

    tokens: tuple[bytes | None, ...]
    eos_ids: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.tokens)

    def token_bytes(self, token_id: int) -> bytes | None:
        return self.tokens[token_id]


@dataclass(frozen=True, eq=False)
class FiniteConstraint:
    """The documents are exactly `texts`."""

    texts: tuple[str, ...]

    def matcher(self, vocabulary: ListedVocabulary, *, max_tokens: int | None = None) -> FiniteMatcher:
        return FiniteMatcher(vocabulary, frozenset(text.encode() for text in self.texts), max_tokens)

    def accepts(self, data: bytes | str) -> bool:
        return (data.decode() if isinstance(data, bytes) else data) in self.texts

    def parse(self, text: str) -> object:
        return json.loads(text)


@dataclass
class FiniteMatcher:
    """Compares the bytes so far with every document; counts its forks and calls."""

    vocabulary: ListedVocabulary
    documents: frozenset[bytes]
    max_tokens: int | None
    prefix: bytes = b""
    taken: int = 0
    finished: bool = False
    statistics: dict[str, int] = field(default_factory=lambda: {"advances": 0})

    def fork(self) -> FiniteMatcher:
        return FiniteMatcher(
            self.vocabulary,
            self.documents,
            self.max_tokens,
            self.prefix,
            self.taken,
            self.finished,
            self.statistics,
        )

    def _shortest(self, prefix: bytes) -> list[int] | None:
        """Return the fewest tokens from `prefix` to the end of some document."""
        plans = (self._spell(text[len(prefix) :]) for text in self.documents if text.startswith(prefix))
        return min((plan for plan in plans if plan is not None), key=len, default=None)

    def _spell(self, rest: bytes) -> list[int] | None:
        best: list[list[int] | None] = [None] * (len(rest) + 1)
        best[len(rest)] = []
        for start in range(len(rest) - 1, -1, -1):
            for token_id, token in enumerate(self.vocabulary.tokens):
                if token and rest.startswith(token, start):
                    tail = best[start + len(token)]
                    found = best[start]
                    if tail is not None and (found is None or len(tail) + 1 < len(found)):
                        best[start] = [token_id, *tail]
        return best[0]

    def plan(self) -> list[int]:
        plan = self._shortest(self.prefix)
        assert plan is not None
        return plan

    def allowed(self) -> set[int]:
        if self.finished:
            return set(self.vocabulary.eos_ids)
        allowed = set(self.vocabulary.eos_ids) if self.prefix in self.documents else set()
        for token_id, token in enumerate(self.vocabulary.tokens):
            if not token:
                continue
            rest = self._shortest(self.prefix + token)
            if rest is not None and (
                self.max_tokens is None or self.taken + 1 + len(rest) + 1 <= self.max_tokens
            ):
                allowed.add(token_id)
        return allowed

    def fill_bitmask(self, bitmask: npt.NDArray[np.int32], row: int = 0) -> bool:
        words = [0] * bitmask.shape[1]
        for token_id in self.allowed():
            words[token_id // 32] |= 1 << token_id % 32
        bitmask[row] = np.array(words, dtype=np.uint32).view(np.int32)
        return True

    def advance(self, token_id: int) -> bool:
        self.statistics["advances"] += 1
        if token_id not in self.allowed():
            return False
        if token_id in self.vocabulary.eos_ids:
            self.finished = True
        else:
            self.prefix += self.vocabulary.tokens[token_id] or b""
            self.taken += 1
        return True


def letters_vocabulary(
    extra: Iterable[str] = (), *, eos_ids: Sequence[int] = (1,), size: int | None = None
) -> ListedVocabulary:
    """Return padding, EOS, every printable ASCII character and `extra` words, as ids in this order."""
    tokens: list[bytes | None] = [None, None]
    tokens += [bytes([code]) for code in range(32, 127)]
    tokens += [word.encode() for word in extra]
    tokens += [None] * ((size or 0) - len(tokens))
    return ListedVocabulary(tuple(tokens), tuple(eos_ids))
