"""The words of a mask, and writing tokens to them."""

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

__all__ = ["MaskWords"]


@cython.cclass
class MaskWords:
    """The words of the mask that is being filled, and what is written to them.

    Attributes:
        n_words: the number of 32-bit words of a mask.
        filter: by the tag of a token, whether it is written; `None` for all.
    """

    def __init__(self, n_words: int) -> None:
        self.n_words = n_words
        self._array: Any = None
        if not cython.compiled:
            self.words: Any = [0] * n_words
        else:
            # Not cleared: a mask is cleared or written over before it is added to.
            self._memory = PyByteArray_FromStringAndSize(cython.NULL, 4 * n_words)
            self.words = cython.cast(cython.p_uint, cython.cast(cython.p_char, self._memory))
        self.filter: Any = None

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
        else:
            self.words = [0] * self.n_words
        return 0

    @cython.cfunc
    def _copy(self, mask: bytes) -> cython.int:
        if cython.compiled:
            memcpy(self.words, cython.cast(cython.p_uchar, mask), self.n_words * 4)
        else:
            self.words = np.frombuffer(mask, dtype=np.uint32).tolist()
        return 0

    @cython.cfunc
    def _add(self, mask: bytes) -> cython.int:
        k: cython.Py_ssize_t
        if cython.compiled:
            more: cython.p_uint = cython.cast(cython.p_uint, cython.cast(cython.p_uchar, mask))
            for k in range(self.n_words):
                self.words[k] |= more[k]
        else:
            for k, word in enumerate(np.frombuffer(mask, dtype=np.uint32).tolist()):
                self.words[k] |= word
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
        return 0

    @cython.cfunc
    def _emit_node(self, walk: WalkTrie, node: cython.int) -> cython.int:
        entry: cython.int = walk.trie.c_token[node]
        while entry >= 0:
            self._emit(walk, entry)
            entry = walk.trie.c_next_same[entry]
        return 0
