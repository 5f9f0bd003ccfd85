"""An engine for finite languages by brute force, with defects to plant: it tests the oracle itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.mask_oracle import Unsatisfiable

__all__ = ["DEFECTS", "FiniteMatcher", "finite_engine"]

#: What each defect does; every one of them must be found.
DEFECTS = {
    "refuses_document": "one document of the language is missing",
    "accepts_invalid": "one text outside the language is accepted",
    "dead_end": "a token is allowed after which nothing is",
    "early_end": "EOS is allowed after a proper prefix",
    "late_end": "EOS is refused after a document",
    "refuses_cross_token": "tokens that cross the end of a string are refused",
    "wrong_plan": "the plan leads to a text outside the language",
    "forgetful_rollback": "rollback undoes one token too few",
    "advance_beyond_mask": "advance takes what the mask refuses",
    "wrong_verdict": "a satisfiable schema is called unsatisfiable",
    "surplus_bits": "bits beyond the vocabulary are set",
    "unfinished": "EOS does not finish",
}


class FiniteMatcher:
    """A matcher of a finite set of documents; the state is the tokens taken so far."""

    def __init__(self, documents: frozenset[bytes], tokens: list[bytes | None], defect: str | None) -> None:
        self._documents = documents
        self._tokens = tokens
        self._defect = defect
        self._taken: list[int] = []

    @property
    def _prefix(self) -> bytes:
        return b"".join(self._tokens[index] or b"" for index in self._taken)

    @property
    def finished(self) -> bool:
        if self._defect == "unfinished":
            return False
        return any(self._tokens[index] is None for index in self._taken)

    @property
    def accepting(self) -> bool:
        if self._defect == "early_end" and len(self._prefix) == 1:
            return True
        return self._prefix in self._documents and not (self._defect == "late_end" and len(self._prefix) > 2)

    def _allows(self, index: int) -> bool:
        token = self._tokens[index]
        if self.finished or token is None:
            return token is None and self.accepting
        if self._defect == "refuses_cross_token" and b'":' in token[1:]:
            return False
        start = self._prefix + token
        if self._defect == "dead_end" and start.endswith(b"[["):
            return True
        return bool(token) and any(document.startswith(start) for document in self._documents)

    def fill_bitmask(self, bitmask: Any, row: int = 0) -> bool:
        bitmask[row, :] = 0
        words = bitmask[row].view("uint32")
        for index in range(len(self._tokens)):
            if self._allows(index):
                words[index // 32] |= 1 << (index % 32)
        if self._defect == "surplus_bits":
            words[-1] |= 1 << 31
        return True

    def advance(self, token_id: int) -> bool:
        if not self._allows(token_id) and self._defect != "advance_beyond_mask":
            return False
        self._taken.append(token_id)
        return True

    def advance_tokens(self, ids: Sequence[int]) -> int:
        taken = 0
        for index in ids:
            if not self.advance(index):
                break
            taken += 1
        return taken

    def plan(self) -> list[int]:
        prefix = self._prefix
        rests = [document[len(prefix) :] for document in self._documents if document.startswith(prefix)]
        rest = min(rests, key=len, default=b"")
        if self._defect == "wrong_plan":
            rest = rest[:-1]
        return [self._tokens.index(bytes([byte])) for byte in rest]

    def fork(self) -> FiniteMatcher:
        copy = FiniteMatcher(self._documents, self._tokens, self._defect)
        copy._taken = list(self._taken)
        return copy

    def rollback(self, n_tokens: int) -> None:
        if self._defect == "forgetful_rollback":
            n_tokens -= 1
        del self._taken[len(self._taken) - n_tokens :]


class finite_engine:  # noqa: N801 - used like a function that makes matchers
    """An `Engine` whose languages are given: pairs of a schema and all its documents."""

    def __init__(self, languages: list[tuple[Any, list[bytes]]], defect: str | None = None) -> None:
        self._languages = languages
        self._defect = defect

    def __call__(self, schema: Any, tokens: list[bytes | None], any_text: bool) -> FiniteMatcher:
        documents = next(texts for known, texts in self._languages if known is schema)
        if not documents or self._defect == "wrong_verdict":
            raise Unsatisfiable("no documents")
        chosen = set(documents)
        if self._defect == "refuses_document":
            chosen.remove(max(chosen))
        if self._defect == "accepts_invalid":
            chosen.add(b'[["b"]]')
        return FiniteMatcher(frozenset(chosen), tokens, self._defect)
