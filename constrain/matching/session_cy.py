"""A session: what all sequences of one constraint over one vocabulary share."""

from __future__ import annotations

from collections import deque
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.lock_cy import EngineLock
    from cython.cimports.constrain.matching.masks_cy import MaskBuilder
    from cython.cimports.constrain.matching.position_cy import Policy, Position
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
else:
    from constrain.lock_cy import EngineLock
    from constrain.matching.masks_cy import MaskBuilder
    from constrain.matching.position_cy import Policy, Position
    from constrain.vocabulary.token_trie_cy import TokenTrie

__all__ = ["MOST_SEEN", "Session"]

#: So many whole documents are kept of those written lately.
MOST_SEEN = 16


@cython.cclass
class Session:
    """What all matchers of one constraint over one vocabulary share; not thread-safe by itself."""

    def __init__(self, compiled: Any, policy: Policy, vocabulary: Any, lock: EngineLock) -> None:
        #: What owns the machine: it is taken apart when the last owner is gone.
        self.compiled = compiled
        self.machine = compiled.machine
        self.policy = policy
        self.vocabulary = vocabulary
        self.lock = lock
        self.builder = MaskBuilder(vocabulary, policy, compiled.machine.algebra.options.max_mask_bytes)
        self.eos_ids = vocabulary.eos_ids
        self.eos_within = tuple(token for token in vocabulary.eos_ids if token < vocabulary.size)
        #: No token outside these is an end token.
        self.least_eos = vocabulary.eos_ids[0] if vocabulary.eos_ids else -1
        self.greatest_eos = vocabulary.eos_ids[-1] if vocabulary.eos_ids else -2
        self.size = vocabulary.size
        self.trie = vocabulary.trie
        self._encoded: dict[bytes, list[int]] = {}
        #: Whole documents that were written lately.
        self.seen: Any = deque(maxlen=MOST_SEEN)

    def encode(self, text: bytes) -> list[int]:
        """Return the canonical tokens of a text, remembered for a while."""
        tokens = self._encoded.get(text)
        if tokens is None:
            if len(self._encoded) > 4096:
                self._encoded.clear()
            tokens = self.vocabulary.encode(text)
            self._encoded[text] = tokens
        return tokens

    @cython.ccall
    def after(self, here: Position, token: cython.int) -> Position | None:
        """Return the position after a token, or `None` if it is not allowed."""
        trie: TokenTrie = self.trie
        place: cython.int
        end: cython.int = trie.c_offset[token + 1]
        source: Position = here
        position: Position = here.blank()
        if trie.c_offset[token] == end:
            return None
        for place in range(trie.c_offset[token], end):
            if not source.step(trie.c_text[place], position):
                return None
            source = position
        return position
