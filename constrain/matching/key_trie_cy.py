"""The named keys of an object as a byte trie.

Nodes are numbered depth first with children in byte order, so a subtree is a contiguous range of
nodes and the keys below a node are a contiguous range of the sorted keys. The children of a node
are found by hopping from one to the next: the first is `node + 1`, the next `end[child]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.libc.stdlib import free, malloc

__all__ = ["KeyTrie"]


@cython.cclass
class KeyTrie:
    """The trie of some keys; immutable.

    Attributes:
        names: the keys, sorted by their bytes; a key is written as its index.
    """

    def __cinit__(self, names: Iterable[bytes]) -> None:
        if cython.compiled:
            self.c_byte = cython.NULL
            self.c_end = cython.NULL
            self.c_low = cython.NULL
            self.c_high = cython.NULL
            self.c_terminal = cython.NULL

    def __init__(self, names: Iterable[bytes]) -> None:
        self.names: list[bytes] = sorted(names)
        length: cython.Py_ssize_t = 1
        longest: cython.Py_ssize_t = 0
        for name in self.names:
            length += len(name)
            if len(name) > longest:
                longest = len(name)
        if cython.compiled:
            self.c_byte = cython.cast(cython.p_uchar, malloc(length))
            self.c_end = cython.cast(cython.p_int, malloc(length * 4))
            self.c_low = cython.cast(cython.p_int, malloc(length * 4))
            self.c_high = cython.cast(cython.p_int, malloc(length * 4))
            self.c_terminal = cython.cast(cython.p_int, malloc(length * 4))
            if (
                self.c_byte == cython.NULL
                or self.c_end == cython.NULL
                or self.c_low == cython.NULL
                or self.c_high == cython.NULL
                or self.c_terminal == cython.NULL
            ):
                raise MemoryError
        else:
            self.c_byte = [0] * length
            self.c_end = [0] * length
            self.c_low = [0] * length
            self.c_high = [0] * length
            self.c_terminal = [0] * length
        path: list[int] = [0] * (longest + 1)
        self._fill(path)

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.c_byte)
            free(self.c_end)
            free(self.c_low)
            free(self.c_high)
            free(self.c_terminal)

    @cython.cfunc
    def _fill(self, path: Any) -> cython.int:
        n: cython.int = 1
        node: cython.int
        index: cython.int
        shared: cython.Py_ssize_t
        d: cython.Py_ssize_t
        size: cython.Py_ssize_t
        before: bytes = b""
        name: bytes
        self.c_byte[0] = 0
        self.c_low[0] = 0
        self.c_terminal[0] = -1
        for index in range(len(self.names)):
            name = self.names[index]
            size = len(name)
            shared = 0
            while shared < size and shared < len(before) and name[shared] == before[shared]:
                shared += 1
            for d in range(shared + 1, len(before) + 1):
                node = path[d]
                self.c_end[node] = n
                self.c_high[node] = index
            for d in range(shared, size):
                self.c_byte[n] = name[d]
                self.c_low[n] = index
                self.c_terminal[n] = -1
                path[d + 1] = n
                n += 1
            node = path[size]
            self.c_terminal[node] = index
            before = name
        for d in range(len(before) + 1):
            node = path[d]
            self.c_end[node] = n
            self.c_high[node] = len(self.names)
        self.n_nodes = n
        return 0

    @cython.ccall
    @cython.exceptval(check=False)
    def child(self, node: cython.int, byte: cython.int) -> cython.int:
        """Return the child of a node by a byte, or -1."""
        here: cython.int = node + 1
        end: cython.int = self.c_end[node]
        while here < end:
            if self.c_byte[here] == byte:
                return here
            here = self.c_end[here]
        return -1

    def children(self, node: int) -> list[tuple[int, int]]:
        """Return (byte, child) for each child of a node, in byte order."""
        found: list[tuple[int, int]] = []
        here: cython.int = node + 1
        end: cython.int = self.c_end[node]
        while here < end:
            found.append((self.c_byte[here], here))
            here = self.c_end[here]
        return found

    def terminal(self, node: int) -> int:
        """Return the key that ends at a node, or -1."""
        place: cython.int = node
        return int(self.c_terminal[place])

    def below(self, node: int) -> range:
        """Return the keys at and below a node."""
        place: cython.int = node
        return range(self.c_low[place], self.c_high[place])

    @cython.ccall
    @cython.exceptval(check=False)
    def is_offered(self, node: cython.int, flags: bytes) -> cython.bint:
        """Return whether one of the offered keys lies at or below a node.

        Args:
            flags: the offered keys as bits, lowest first; at least as many as there are keys.
        """
        index: cython.int = self.c_low[node]
        high: cython.int = self.c_high[node]
        value: cython.int
        while index < high:
            # Compiled, an element of bytes is signed.
            value = flags[index >> 3] & 0xFF
            if value == 0:
                index = (index | 7) + 1
                continue
            if (value >> (index & 7)) & 1:
                return True
            index += 1
        return False
