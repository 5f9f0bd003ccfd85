"""The words of a mask, writing tokens to them, and keeping what was written.

Most masks are one that many have in common, such as that of all tokens within a free string, and a few
tokens more. Such a mask is kept as that: it takes a fraction of the memory, and is written faster than a
whole mask that is no longer in the caches of the processor.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.walks_cy import WalkTrie
    from cython.cimports.cpython.bytearray import PyByteArray_FromStringAndSize
    from cython.cimports.libc.string import memcpy, memset
else:
    from constrain.matching.walks_cy import WalkTrie

import numpy as np

__all__ = ["MOST_LOGGED", "KeptMask", "MaskWords", "united"]

#: A mask that differs from what it begins with by more tokens is kept as a whole.
MOST_LOGGED = 768
_MOST_LOGGED = cython.declare(cython.int, MOST_LOGGED)


@cython.cclass
class KeptMask:
    """A mask: the words that it begins with, all 0 if there are none, and the tokens written after that.

    Attributes:
        words: uint32[n_words], packed; `None` for none.
        log: int32, packed: a token that was added, or -1 minus one that was removed.
    """

    def __init__(self, words: bytes | None, log: bytes) -> None:
        self.words = words
        self.log = log


@cython.cclass
class MaskWords:
    """The words of the mask that is being filled, and what is written to them.

    Attributes:
        n_words: the number of 32-bit words of a mask.
        filter: by the tag of a token, whether it is written; `None` for all.
    """

    @cython.cfunc
    def _begin_words(self, n_words: cython.Py_ssize_t) -> cython.int:
        """Initialize. A builder is made for each constraint: its bases are called without being looked up."""
        self.n_words = n_words
        self._array: Any = None
        #: What the mask that is being filled began with, and how many tokens were written since, -1 if that
        #: is not known.
        self._first: Any = None
        self._n_logged = -1
        if not cython.compiled:
            self.words: Any = [0] * n_words
        else:
            # Not cleared: a mask is cleared or written over before it is added to.
            self._memory = PyByteArray_FromStringAndSize(cython.NULL, 4 * n_words)
            self.words = cython.cast(cython.p_uint, cython.cast(cython.p_char, self._memory))
            self._log_memory = PyByteArray_FromStringAndSize(cython.NULL, 4 * _MOST_LOGGED)
            self._log = cython.cast(cython.p_int, cython.cast(cython.p_char, self._log_memory))
        self.filter: Any = None
        return 0

    @property
    def words_array(self) -> Any:
        """The mask that was filled last: uint32[n_words]."""
        if self._array is None:
            memory = self._memory if cython.compiled else bytearray(4 * self.n_words)
            self._array = np.frombuffer(memory, dtype=np.uint32)
        return self._array

    @cython.ccall
    def clear(self) -> cython.int:
        """Make the mask empty."""
        self._clear()
        if not cython.compiled:
            self.words_array[:] = 0
        return 0

    @cython.ccall
    def allow(self, tokens: Any) -> cython.int:
        """Add tokens of the vocabulary to the mask that was filled last."""
        one: cython.uint = 1
        token: cython.int
        for token in tokens:
            self.words[token >> 5] |= one << (token & 31)
        if not cython.compiled:
            self.words_array[:] = self.words
        return 0

    def reread(self) -> None:
        """Take over what was written to `words_array`."""
        if not cython.compiled:
            self.words = self.words_array.tolist()

    @cython.cfunc
    def _clear(self) -> cython.int:
        if cython.compiled:
            memset(self.words, 0, self.n_words * 4)
            self._first = None
            self._n_logged = 0
        else:
            self.words = [0] * self.n_words
        return 0

    @cython.cfunc
    def _copy(self, mask: bytes) -> cython.int:
        if cython.compiled:
            memcpy(self.words, cython.cast(cython.p_uchar, mask), self.n_words * 4)
            self._first = mask
            self._n_logged = 0
        else:
            self.words = np.frombuffer(mask, dtype=np.uint32).tolist()
        return 0

    @cython.cfunc
    def _intersect(self, mask: bytes) -> cython.int:
        """Remove the tokens that are not in a packed mask."""
        k: cython.Py_ssize_t
        if cython.compiled:
            others: cython.p_uint = cython.cast(cython.p_uint, cython.cast(cython.p_char, mask))
            for k in range(self.n_words):
                self.words[k] &= others[k]
            self._n_logged = -1
        else:
            both = zip(self.words, np.frombuffer(mask, dtype=np.uint32).tolist(), strict=True)
            self.words = [word & other for word, other in both]
        return 0

    @cython.cfunc
    def _keep(self) -> KeptMask:
        """Return the mask that was filled, to be kept."""
        if cython.compiled and self._n_logged >= 0:
            return KeptMask(self._first, cython.cast(cython.p_char, self._log)[: 4 * self._n_logged])
        return KeptMask(self._packed(), b"")

    @cython.cfunc
    def _copy_kept(self, mask: KeptMask) -> cython.int:
        """Make a mask that was kept the one that was filled."""
        if cython.compiled:
            self._write_to(mask, self.words)
            self._n_logged = -1
        else:
            assert mask.words is not None
            self._copy(mask.words)
        return 0

    @cython.cfunc
    def _write_to(self, mask: KeptMask, target: cython.p_uint) -> cython.int:
        """Write a mask that was kept to uint32[n_words] anywhere; compiled only."""
        one: cython.uint = 1
        token: cython.int
        k: cython.Py_ssize_t
        log: cython.p_int
        if mask.words is None:
            memset(target, 0, self.n_words * 4)
        else:
            memcpy(target, cython.cast(cython.p_char, mask.words), self.n_words * 4)
        log = cython.cast(cython.p_int, cython.cast(cython.p_char, mask.log))
        for k in range(len(mask.log) // 4):
            token = log[k]
            if token >= 0:
                target[token >> 5] |= one << (token & 31)
            else:
                token = -1 - token
                target[token >> 5] ^= target[token >> 5] & one << (token & 31)
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def _note(self, token: cython.int) -> cython.int:
        """Remember that a token was written, or -1 minus one that was removed."""
        if self._n_logged < _MOST_LOGGED:
            self._log[self._n_logged] = token
            self._n_logged += 1
        else:
            self._n_logged = -1
        return 0

    @cython.cfunc
    def _packed(self) -> bytes:
        """Return the mask that is being filled."""
        if cython.compiled:
            return cython.cast(cython.p_char, self.words)[: self.n_words * 4]
        self.words_array[:] = self.words
        return self.words_array.tobytes()

    @cython.cfunc
    def _emit(self, walk: WalkTrie, entry: cython.int) -> cython.int:
        """Set the bits of the tokens of an entry that pass the filter."""
        one: cython.uint = 1
        k: cython.int
        token: cython.int
        flags: bytearray = self.filter
        for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
            if flags is None or flags[walk.c_tags[k]]:
                token = walk.c_ids[k]
                self.words[token >> 5] |= one << (token & 31)
                if self._n_logged >= 0:
                    self._note(token)
        return 0

    @cython.cfunc
    def _erase(self, walk: WalkTrie, entry: cython.int) -> cython.int:
        """Clear the bits of the tokens of an entry that pass the filter."""
        one: cython.uint = 1
        k: cython.int
        token: cython.int
        flags: bytearray = self.filter
        for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
            if flags is None or flags[walk.c_tags[k]]:
                token = walk.c_ids[k]
                self.words[token >> 5] ^= self.words[token >> 5] & one << (token & 31)
                if self._n_logged >= 0:
                    self._note(-1 - token)
        return 0

    @cython.cfunc
    def _emit_node(self, walk: WalkTrie, node: cython.int) -> cython.int:
        entry: cython.int = walk.trie.c_token[node]
        while entry >= 0:
            self._emit(walk, entry)
            entry = walk.trie.c_next_same[entry]
        return 0


def united(mask: bytes, other: bytes) -> bytes:
    """Return the tokens of either of two packed masks, packed."""
    words = np.frombuffer(mask, dtype=np.uint32) | np.frombuffer(other, dtype=np.uint32)
    result: bytes = words.tobytes()
    return result
