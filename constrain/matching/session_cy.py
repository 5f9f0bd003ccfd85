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
    from cython.cimports.constrain.matching.position_cy import Policy
else:
    from constrain.lock_cy import EngineLock
    from constrain.matching.masks_cy import MaskBuilder
    from constrain.matching.position_cy import Policy

import numpy as np

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
        self._plain: Any = None
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

    def plain_words(self) -> Any:
        """Return the tokens of whole characters that need no escape: uint32 words."""
        if self._plain is None:
            words = np.zeros((self.size + 31) // 32, dtype=np.uint32)
            for token in range(self.size):
                text = self.vocabulary.token_bytes(token)
                if text and _is_plain(text):
                    words[token >> 5] |= np.uint32(1 << (token & 31))
            self._plain = words
        return self._plain


def _is_plain(text: bytes) -> bool:
    if min(text) < 0x20 or 0x22 in text or 0x5C in text:
        return False
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
