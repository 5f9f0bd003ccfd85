"""The token trie: all token bytes of a vocabulary as one tree in flat arrays.

Nodes are numbered depth first with children in byte order, so a subtree is a contiguous range of
nodes, and the tokens below a node are a contiguous range of the tokens in byte order. Node 0 is
the root. Every array is C-contiguous, int32 (`byte` and `text`: uint8), and must not be written.

    per node   byte         the byte on the edge from the parent (0 at the root)
               depth        the number of bytes on the path from the root
               parent       the parent node (-1 at the root)
               subtree_end  one past the last node of the subtree
               token        the smallest id whose bytes end here, or -1
               token_low, token_high
                            `sorted_ids[token_low:token_high]` are the tokens of the subtree;
                            those that end at the node itself come first
               child_start  `child_node[child_start[n]:child_start[n + 1]]` are the children of
                            node n in byte order (n_nodes + 1 entries)
    per token  next_same    the next greater id with equal bytes, or -1
               offset       `text[offset[i]:offset[i + 1]]` are the bytes of token i (size + 1)
    in order   sorted_ids   the ids of the tokens that have bytes, by bytes, then by id

Compiled code reaches the same data as C arrays under the names `c_byte`, `c_depth`, ...; in an
uncompiled run these are lists, so that one source serves both.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

from collections.abc import Mapping

import numpy as np

from constrain.errors import VocabularyError

__all__ = ["ARRAYS", "TokenTrie"]

#: The int32 arrays of a trie; `byte` and `text` are the others.
ARRAYS = (
    "depth", "parent", "subtree_end", "token", "token_low", "token_high",
    "child_start", "child_node", "next_same", "offset", "sorted_ids",
)  # fmt: skip


@cython.cfunc
def _ints(array: np.ndarray) -> cython.p_int:
    """Return the elements of an int32 array as a C array (compiled) or as a list."""
    if cython.compiled:
        return cython.cast(cython.p_int, cython.cast(cython.size_t, array.ctypes.data))
    return array.tolist()


@cython.cfunc
def _bytes(array: np.ndarray) -> cython.p_uchar:
    """Return the elements of a uint8 array as a C array (compiled) or as a list."""
    if cython.compiled:
        return cython.cast(cython.p_uchar, cython.cast(cython.size_t, array.ctypes.data))
    return array.tolist()


@cython.cclass
class TokenTrie:
    """The trie of a vocabulary's token bytes; immutable. The module describes the arrays."""

    def __init__(self, text: bytes, offset: np.ndarray, sorted_ids: np.ndarray | None = None) -> None:
        """Build the trie in time linear in the bytes of the tokens, plus a sort.

        Args:
            text: the bytes of all tokens, one after another.
            offset: int32[size + 1]; token i is `text[offset[i]:offset[i + 1]]`. A token without
                bytes takes no part.
            sorted_ids: the ids of the tokens that have bytes, by bytes, then by id; computed
                when absent.

        Raises:
            VocabularyError: `offset` or `sorted_ids` do not fit the text.
        """
        offset = np.array(offset, dtype=np.int32)
        if len(offset) == 0 or offset[0] != 0 or offset[-1] != len(text) or np.any(np.diff(offset) < 0):
            raise VocabularyError("the token offsets do not fit the token text")
        lengths = np.diff(offset)
        if sorted_ids is None:
            bounds = offset.tolist()
            words = [text[bounds[i] : bounds[i + 1]] for i in range(len(lengths))]
            in_order = sorted(np.flatnonzero(lengths).tolist(), key=words.__getitem__)
            sorted_ids = np.array(in_order, dtype=np.int32)
        else:
            sorted_ids = np.array(sorted_ids, dtype=np.int32)
        used = np.zeros(len(lengths), dtype=bool)
        if len(sorted_ids) and (sorted_ids.min() < 0 or sorted_ids.max() >= len(lengths)):
            raise VocabularyError("the sorted token ids do not fit the vocabulary")
        used[sorted_ids] = True
        if len(sorted_ids) != np.count_nonzero(lengths) or not np.array_equal(used, lengths > 0):
            raise VocabularyError("the sorted token ids do not fit the vocabulary")

        self.size = len(lengths)
        self.n_sorted = len(sorted_ids)
        self.max_depth = int(lengths.max()) if len(lengths) else 0
        self.text = np.frombuffer(text + b"\0", dtype=np.uint8)
        self.offset = offset
        self.sorted_ids = sorted_ids
        self.c_text = _bytes(self.text)
        self.c_offset = _ints(self.offset)
        self.c_sorted_ids = _ints(self.sorted_ids)
        self.n_nodes = self._count_nodes()

        self.byte = np.zeros(self.n_nodes, dtype=np.uint8)
        self.depth = np.zeros(self.n_nodes, dtype=np.int32)
        self.parent = np.full(self.n_nodes, -1, dtype=np.int32)
        self.subtree_end = np.full(self.n_nodes, self.n_nodes, dtype=np.int32)
        self.token = np.full(self.n_nodes, -1, dtype=np.int32)
        self.token_low = np.zeros(self.n_nodes, dtype=np.int32)
        self.token_high = np.full(self.n_nodes, self.n_sorted, dtype=np.int32)
        self.child_start = np.zeros(self.n_nodes + 1, dtype=np.int32)
        self.child_node = np.zeros(max(self.n_nodes - 1, 1), dtype=np.int32)[: self.n_nodes - 1]
        self.next_same = np.full(self.size, -1, dtype=np.int32)
        self._point()
        self._fill()
        self._link_children()
        for name in ("byte", *ARRAYS):
            array = getattr(self, name)
            if not cython.compiled:
                array[:] = getattr(self, "c_" + name)
            array.flags.writeable = False

    def __reduce__(self) -> tuple[object, ...]:
        return (TokenTrie, (self.text.tobytes()[:-1], self.offset, self.sorted_ids))

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray]) -> TokenTrie:
        """Return the trie that has these arrays, which nobody may write any more.

        Args:
            arrays: those of a trie by name, all of them. They are not looked into, only their
                lengths are: compiled code trusts them.

        Raises:
            VocabularyError: the lengths do not fit each other.
        """
        trie: TokenTrie = TokenTrie.__new__(TokenTrie)
        trie.text, trie.byte = arrays["text"], arrays["byte"]
        trie.depth, trie.parent = arrays["depth"], arrays["parent"]
        trie.subtree_end, trie.token = arrays["subtree_end"], arrays["token"]
        trie.token_low, trie.token_high = arrays["token_low"], arrays["token_high"]
        trie.child_start, trie.child_node = arrays["child_start"], arrays["child_node"]
        trie.next_same, trie.offset = arrays["next_same"], arrays["offset"]
        trie.sorted_ids = arrays["sorted_ids"]
        trie.size = len(trie.next_same)
        trie.n_nodes = len(trie.byte)
        trie.n_sorted = len(trie.sorted_ids)
        per_node = (trie.depth, trie.parent, trie.subtree_end, trie.token, trie.token_low, trie.token_high)
        if (
            trie.n_nodes == 0
            or {len(array) for array in per_node} != {trie.n_nodes}
            or (len(trie.child_start), len(trie.child_node)) != (trie.n_nodes + 1, trie.n_nodes - 1)
            or (len(trie.offset), len(trie.text)) != (trie.size + 1, int(trie.offset[-1]) + 1)
        ):
            raise VocabularyError("the arrays of the token trie do not fit each other")
        trie.max_depth = int(trie.depth.max())
        trie.c_text = _bytes(trie.text)
        trie.c_offset = _ints(trie.offset)
        trie.c_sorted_ids = _ints(trie.sorted_ids)
        trie._point()
        return trie

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _point(self) -> cython.int:
        """Make the C names of the arrays of the nodes, and of `next_same`."""
        self.c_byte = _bytes(self.byte)
        self.c_depth = _ints(self.depth)
        self.c_parent = _ints(self.parent)
        self.c_subtree_end = _ints(self.subtree_end)
        self.c_token = _ints(self.token)
        self.c_token_low = _ints(self.token_low)
        self.c_token_high = _ints(self.token_high)
        self.c_child_start = _ints(self.child_start)
        self.c_child_node = _ints(self.child_node)
        self.c_next_same = _ints(self.next_same)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _count_nodes(self) -> cython.int:
        """Return one more than the number of distinct non-empty prefixes; check the order."""
        count: cython.int = 1
        previous: cython.int = 0
        previous_length: cython.int = 0
        k: cython.int
        for k in range(self.n_sorted):
            token: cython.int = self.c_sorted_ids[k]
            start: cython.int = self.c_offset[token]
            length: cython.int = self.c_offset[token + 1] - start
            shared: cython.int = 0
            while (
                shared < length
                and shared < previous_length
                and self.c_text[start + shared] == self.c_text[previous + shared]
            ):
                shared += 1
            if shared < previous_length and (
                shared == length or self.c_text[start + shared] < self.c_text[previous + shared]
            ):
                raise VocabularyError("the sorted token ids are not in byte order")
            count += length - shared
            previous = start
            previous_length = length
        return count

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _fill(self) -> cython.int:
        """Number the nodes depth first, and chain the tokens of equal bytes."""
        path_array = np.zeros(self.max_depth + 1, dtype=np.int32)
        path: cython.p_int = _ints(path_array)
        n: cython.int = 1
        previous_length: cython.int = 0
        previous: cython.int = 0
        last: cython.int = -1
        k: cython.int
        d: cython.int
        for k in range(self.n_sorted):
            token: cython.int = self.c_sorted_ids[k]
            start: cython.int = self.c_offset[token]
            length: cython.int = self.c_offset[token + 1] - start
            shared: cython.int = 0
            while (
                shared < length
                and shared < previous_length
                and self.c_text[start + shared] == self.c_text[previous + shared]
            ):
                shared += 1
            for d in range(shared + 1, previous_length + 1):
                self.c_subtree_end[path[d]] = n
                self.c_token_high[path[d]] = k
            for d in range(shared + 1, length + 1):
                self.c_byte[n] = self.c_text[start + d - 1]
                self.c_depth[n] = d
                self.c_parent[n] = path[d - 1]
                self.c_token_low[n] = k
                self.c_child_start[path[d - 1] + 1] += 1
                path[d] = n
                n += 1
            node: cython.int = path[length]
            if self.c_token[node] < 0:
                self.c_token[node] = token
            else:
                # Equal bytes are neighbours in byte order, so the last token is of this node.
                self.c_next_same[last] = token
            last = token
            previous = start
            previous_length = length
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _link_children(self) -> cython.int:
        """Turn the child counts into offsets, and list the children of every node."""
        node: cython.int
        for node in range(self.n_nodes):
            self.c_child_start[node + 1] += self.c_child_start[node]
        filled_array = np.zeros(self.n_nodes, dtype=np.int32)
        filled: cython.p_int = _ints(filled_array)
        for node in range(1, self.n_nodes):
            parent: cython.int = self.c_parent[node]
            self.c_child_node[self.c_child_start[parent] + filled[parent]] = node
            filled[parent] += 1
        return 0

    @cython.ccall
    @cython.exceptval(check=False)
    def child(self, node: cython.int, byte: cython.int) -> cython.int:
        """Return the child of `node` by `byte`, or -1; by binary search."""
        if node < 0 or node >= self.n_nodes or byte < 0 or byte > 255:
            return -1
        low: cython.int = self.c_child_start[node]
        high: cython.int = self.c_child_start[node + 1]
        if high - low == 256:
            return self.c_child_node[low + byte]
        while low < high:
            middle: cython.int = (low + high) >> 1
            found: cython.int = self.c_child_node[middle]
            value: cython.int = self.c_byte[found]
            if value == byte:
                return found
            if value < byte:
                low = middle + 1
            else:
                high = middle
        return -1

    def token_bytes(self, token_id: int) -> bytes | None:
        """Return the bytes of a token (`0 <= token_id < size`), or `None` if it has none."""
        if not 0 <= token_id < self.size:
            raise IndexError(token_id)
        i: cython.int = token_id
        start: cython.Py_ssize_t = self.c_offset[i]
        end: cython.Py_ssize_t = self.c_offset[i + 1]
        if start == end:
            return None
        data: bytes = bytes(self.c_text[start:end])
        return data

    def token_length(self, token_id: int) -> int:
        """Return the number of bytes of a token (`0 <= token_id < size`)."""
        if not 0 <= token_id < self.size:
            raise IndexError(token_id)
        i: cython.int = token_id
        length: cython.int = self.c_offset[i + 1] - self.c_offset[i]
        return int(length)

    def find(self, data: bytes) -> int:
        """Return the node at the end of the path `data`, or -1."""
        node: cython.int = 0
        i: cython.Py_ssize_t
        byte: cython.int
        # Compiled, iteration over bytes yields signed characters; indexing does not.
        for i in range(len(data)):
            byte = data[i]
            node = self.child(node, byte)
            if node < 0:
                return -1
        return int(node)

    def tokens_below(self, node: int) -> np.ndarray:
        """Return the ids of all tokens whose bytes begin with the path to `node`, in byte order."""
        return self.sorted_ids[self.token_low[node] : self.token_high[node]]

    def prefixes(self, data: bytes, start: int = 0) -> list[int]:
        """Return the smallest ids of the tokens that `data[start:]` begins with, shortest first."""
        found: list[int] = []
        node: cython.int = 0
        i: cython.Py_ssize_t
        position: cython.Py_ssize_t = start
        byte: cython.int
        for i in range(position, len(data)):
            byte = data[i]
            node = self.child(node, byte)
            if node < 0:
                break
            if self.c_token[node] >= 0:
                found.append(self.c_token[node])
        return found

    def longest_prefix(self, data: bytes, start: int = 0) -> int:
        """Return the smallest id of the longest token that `data[start:]` begins with, or -1."""
        best: cython.int = -1
        node: cython.int = 0
        i: cython.Py_ssize_t
        position: cython.Py_ssize_t = start
        byte: cython.int
        for i in range(position, len(data)):
            byte = data[i]
            node = self.child(node, byte)
            if node < 0:
                break
            if self.c_token[node] >= 0:
                best = self.c_token[node]
        return int(best)
