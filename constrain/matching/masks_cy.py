"""Token masks: which tokens of a vocabulary keep a position alive.

The token trie is walked depth first with one scratch position per depth; a byte that does not
go on cuts off its subtree, which is a contiguous range of nodes. Tokens inside a string are the
bulk of every vocabulary, so they are kept apart: the tokens without a quotation mark cannot
leave a string, their mask depends on the string's automaton alone and is cached; only the
tokens with one are walked from the position at hand.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.position_cy import Position
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
    from cython.cimports.libc.string import memcpy, memset
else:
    from constrain.matching.position_cy import Position
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

from constrain.matching.position_cy import IN_KEY, IN_STRING, Policy

if TYPE_CHECKING:
    from constrain.vocabulary import Vocabulary

__all__ = ["MaskBuilder", "MaskCache", "VocabularyMasks"]

#: What the masks of all constraints over one vocabulary share.
_SHARED: WeakKeyDictionary[Vocabulary, VocabularyMasks] = WeakKeyDictionary()


class VocabularyMasks:
    """What depends on the vocabulary alone.

    Attributes:
        without, having: the tokens without a quotation mark, and those with one, as tries.
        cache: masks inside strings that any text may continue.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.cache = MaskCache(16 * 1024 * 1024)
        text = vocabulary.trie.text.tobytes()[:-1]
        offset = vocabulary.trie.offset.astype(np.int64)
        quotes = np.concatenate(([0], np.cumsum(np.frombuffer(text + b"\0", dtype=np.uint8) == 0x22)))
        held = quotes[offset[1:]] > quotes[offset[:-1]]
        self.without = _subset(vocabulary.trie, text, offset, ~held)
        self.having = _subset(vocabulary.trie, text, offset, held)


def _shared(vocabulary: Vocabulary) -> VocabularyMasks:
    shared = _SHARED.get(vocabulary)
    if shared is None:
        shared = VocabularyMasks(vocabulary)
        _SHARED[vocabulary] = shared
    return shared


def _subset(trie: TokenTrie, text: bytes, offset: Any, wanted: Any) -> TokenTrie:
    lengths = np.where(wanted, np.diff(offset), 0)
    flags = np.repeat(wanted, np.diff(offset))
    chosen = np.frombuffer(text, dtype=np.uint8)[flags].tobytes()
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    ids = trie.sorted_ids[wanted[trie.sorted_ids]]
    return TokenTrie(chosen, starts, ids)


class MaskCache:
    """Packed masks by key, the least recently used dropped above a budget of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self._masks: OrderedDict[object, bytes] = OrderedDict()

    def get(self, key: object) -> bytes | None:
        """Return the mask of a key, if it is kept."""
        mask = self._masks.get(key)
        if mask is not None:
            self._masks.move_to_end(key)
        return mask

    def put(self, key: object, mask: bytes) -> None:
        """Keep a mask."""
        self._masks[key] = mask
        self.size += len(mask)
        while self.size > self.max_bytes and len(self._masks) > 1:
            _, dropped = self._masks.popitem(last=False)
            self.size -= len(dropped)


@cython.cclass
class MaskBuilder:
    """Fills masks for the positions of one constraint and one vocabulary.

    Attributes:
        n_words: the number of 32-bit words of a mask.
    """

    def __init__(self, vocabulary: Any, policy: Policy, max_bytes: int) -> None:
        self.trie = vocabulary.trie
        shared = _shared(vocabulary)
        self.without_quote = shared.without
        self.with_quote = shared.having
        self.shared_cache = shared.cache
        self.policy = policy
        self.n_words = (vocabulary.size + 31) // 32
        self.cache = MaskCache(max_bytes)
        self.scratch = [Position(policy) for _ in range(self.trie.max_depth + 1)]
        self.words_array = np.zeros(self.n_words, dtype=np.uint32)
        if cython.compiled:
            self.words = cython.cast(
                cython.p_uint, cython.cast(cython.size_t, self.words_array.ctypes.data)
            )
        self.max_characters = self.trie.max_depth
        self._universal: dict[object, bool] = {}

    def fill(self, position: Position) -> object:
        """Return the mask of a position: uint32[n_words], valid until the next call."""
        self._clear()
        if position.mode == IN_STRING and position.escape == 0:
            self._fill_string(position)
        elif position.mode == IN_KEY and position.escape == 0 and self._is_free(position):
            self._copy_inside(position, ("key", self.policy.minimal), True)
            self._walk(self.with_quote, position)
        else:
            self._walk(self.trie, position)
        return self.words_array

    def clear(self) -> None:
        """Make the mask empty."""
        self._clear()

    @cython.cfunc
    def _clear(self) -> cython.int:
        if cython.compiled:
            memset(self.words, 0, self.n_words * 4)
        else:
            self.words_array[:] = 0
            self.words = [0] * self.n_words
        return 0

    @cython.cfunc
    def _is_free(self, position: Position) -> cython.bint:
        """Return whether the key can still become any text, at a character boundary."""
        offer: tuple = position.frame.offer()
        if not offer[3] or position.state < 0:
            return False
        return position.automaton.step(position.state, 0x61) >= 0

    @cython.cfunc
    def _fill_string(self, position: Position) -> cython.int:
        low: cython.Py_ssize_t = position.goal.text_low
        high: cython.Py_ssize_t = position.goal.text_high
        key: object = (position.automaton, position.state)
        universal = self._universal.get(key)
        if universal is None:
            universal = position.automaton.is_universal(position.state)
            self._universal[key] = universal
        if universal:
            left: cython.Py_ssize_t = -1 if high < 0 else high - position.length
            if left > self.max_characters:
                left = -1
            # A mask of the vocabulary alone: all strings of all constraints share it.
            self._copy_inside(position, ("string", self.policy.minimal, left), True)
        elif low == 0 and high < 0:
            self._copy_inside(position, key, False)
        else:
            self._walk(self.without_quote, position)
        self._walk(self.with_quote, position)
        return 0

    @cython.cfunc
    def _copy_inside(self, position: Position, key: object, shared: cython.bint) -> cython.int:
        """Write the mask of the tokens without quotation mark, from a cache if it is there."""
        cache = self.shared_cache if shared else self.cache
        mask = cache.get(key)
        if mask is None:
            self._walk(self.without_quote, position)
            if not cython.compiled:
                self.words_array[:] = self.words
            cache.put(key, self.words_array.tobytes())
            return 0
        if cython.compiled:
            memcpy(self.words, cython.cast(cython.p_uchar, cython.cast(bytes, mask)), self.n_words * 4)
        else:
            self.words = np.frombuffer(mask, dtype=np.uint32).tolist()
        return 0

    @cython.cfunc
    def _walk(self, trie: TokenTrie, position: Position) -> cython.int:
        """Set the bits of all tokens of a trie whose bytes keep `position` alive."""
        node: cython.int = 1
        n_nodes: cython.int = trie.n_nodes
        depth: cython.int
        token: cython.int
        one: cython.uint = 1
        source: Position
        target: Position
        scratch: list = self.scratch
        first: Position = scratch[0]
        first.assign(position)
        while node < n_nodes:
            depth = trie.c_depth[node]
            source = scratch[depth - 1]
            target = scratch[depth]
            if source.step(trie.c_byte[node], target):
                token = trie.c_token[node]
                while token >= 0:
                    self.words[token >> 5] |= one << (token & 31)
                    token = trie.c_next_same[token]
                node += 1
            else:
                node = trie.c_subtree_end[node]
        if not cython.compiled:
            self.words_array[:] = self.words
        return 0
