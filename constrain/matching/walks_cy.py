"""What token tries share across positions: walk tries and their subs.

A *walk trie* is a trie of byte strings, each of which stands for some tokens of the vocabulary.
A *sub* summarises the part of it below one node for a position that is inside a string: the
tokens that stay inside one which any text may continue, and those that leave it, by the text
before the closing quotation mark and the *remainder* after it. Subs depend on the vocabulary and
the policy of escapes alone; a dense mask is a copy plus a walk of the remainders.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.character_classes_cy import ints, longs
    from cython.cimports.constrain.matching.modes import END
    from cython.cimports.constrain.matching.position_cy import Position
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
else:
    from constrain.matching.character_classes_cy import ints, longs
    from constrain.matching.modes import END
    from constrain.matching.position_cy import Position
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

from constrain.matching.character_classes_cy import heights, signatures
from constrain.matching.json_lookahead import KEY_REMAINDER, VALUE_REMAINDER, may_follow, value_end

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Scratch", "Sub", "WalkTrie", "build_subs", "group_trie", "whole_trie"]


@cython.cclass
class WalkTrie:
    """Byte strings, each of which stands for tokens.

    Entry i stands for the tokens `ids[start[i]:start[i + 1]]`. Each of these has a tag in `tags`:
    a caller may ask for the tokens with certain tags only.

    Attributes:
        trie: the strings; its "tokens" are the entries.
        rows: int32[n_nodes, 4], byte and depth (shifted by 8 bits), end of the subtree, and entry of a node;
            made for the first walk.
        subs: per (node, kind), the `Sub` below it.
        signature: per node, the classes of the characters below it, if `sign` was called.
    """

    def __init__(self, trie: TokenTrie, start: Any, ids: Any, tags: Any) -> None:
        self.trie = trie
        self.start = np.ascontiguousarray(start, dtype=np.int32)
        self.ids = np.ascontiguousarray(ids, dtype=np.int32)
        self.tags = np.ascontiguousarray(tags, dtype=np.int32)
        self.subs: dict[object, Sub] = {}
        self.signature_array: Any = None
        self.height_array: Any = None
        self.row_array: Any = None
        if cython.compiled:
            self.c_start = cython.cast(cython.p_int, cython.cast(cython.size_t, self.start.ctypes.data))
            self.c_ids = cython.cast(cython.p_int, cython.cast(cython.size_t, self.ids.ctypes.data))
            self.c_tags = cython.cast(cython.p_int, cython.cast(cython.size_t, self.tags.ctypes.data))
        else:
            self.c_start = self.start.tolist()
            self.c_ids = self.ids.tolist()
            self.c_tags = self.tags.tolist()

    @cython.cfunc
    def _line_up(self) -> cython.int:
        """Make `rows`: what a walk reads of a node lies in one place of memory."""
        trie: TokenTrie = self.trie
        rows = np.empty((trie.n_nodes, 4), dtype=np.int32)
        rows[:, 0] = trie.byte
        rows[:, 0] |= np.asarray(trie.depth) << 8
        rows[:, 1] = trie.subtree_end
        rows[:, 2] = trie.token
        rows[:, 3] = 0
        self.row_array = rows
        if cython.compiled:
            self.rows = cython.cast(cython.p_int, cython.cast(cython.size_t, rows.ctypes.data))
        else:
            self.rows = rows.reshape(-1).tolist()
        return 0

    def sign(self) -> None:
        """Compute the signatures of the nodes."""
        self.signature_array = signatures(self.trie)
        self.signature = longs(self.signature_array)
        self.height_array = heights(self.trie)
        self.height = ints(self.height_array)


@cython.cclass
class Sub:
    """What lies below one node for a position inside a string or key.

    A token that leaves the string is an *inner* text, the closing quotation mark and a *remainder*.
    Which remainders may follow depends on where the string ends, so they are judged once for all
    inner texts that end it alike.

    Attributes:
        inside: the tokens that stay inside if any text may; with their tags.
        words: packed `inside` of the whole vocabulary, for the root; uint32, or `None`.
        inners: the inner texts, escapes decoded; the tokens of an entry are those with that text.
        remainder: per token of `inners`, the index of its remainder; the empty one has index 0.
        has_empty: whether entry 0 of `inners` is the empty text, which has no node.
        n_characters: per entry of `inners`, its number of code points.
        remainders: the remainders that are not empty; their "tokens" are their indices. For keys, those
            that end before the value of the key does: the goal of that value tells their fate.
        further: for keys, the remainders that go on after that value.
        begins_key: whether those go on with a comma and at most a quotation mark, so that it matters
            only whether any key follows.
        n_remainders: how many there are, the empty one counted.
        irregular: the strings that may end another key, or another string, from the node on: for keys
            they are read byte by byte and are not in `inners`.
        leaving: all strings that leave, from the node on.
    """

    def __init__(self, inside: Any, leaving: Any, for_key: bool) -> None:
        self.inside = inside
        self.words: Any = None
        remainders: dict[bytes, int] = {b"": 0}
        regular: list[tuple[bytes, int, int, int]] = []
        irregular: list[tuple[bytes, int, int]] = []
        for whole, closed_at, token, tag in leaving:
            inner = whole[: closed_at - 1]
            rest = whole[closed_at:]
            value_ends = value_end(rest) if for_key else 0
            if value_ends >= 0 and rest.count(b'"', value_ends) > 1:
                irregular.append((whole, token, tag))
                if for_key:
                    continue
            if b"\\" in inner:
                inner = json.loads(b'"%s"' % inner).encode()
            regular.append((inner, token, tag, remainders.setdefault(rest, len(remainders))))
        regular.sort()
        texts = sorted({inner for inner, _, _, _ in regular})
        self.has_empty = bool(texts) and texts[0] == b""
        counts = dict.fromkeys(texts, 0)
        for inner, _, _, _ in regular:
            counts[inner] += 1
        self.inners = WalkTrie(
            _trie_of(texts),
            np.concatenate(([0], np.cumsum(list(counts.values())))) if texts else [0],
            [token for _, token, _, _ in regular],
            [tag for _, _, tag, _ in regular],
        )
        self.remainder_array = np.array([index for _, _, _, index in regular], dtype=np.int32)
        self.remainder = ints(self.remainder_array)
        self.character_array = np.array(
            [sum(byte & 0xC0 != 0x80 for byte in text) for text in texts], dtype=np.int32
        )
        self.n_characters = ints(self.character_array)
        self.n_remainders = len(remainders)
        del remainders[b""]
        leaves = {rest: for_key and value_end(rest) >= 0 for rest in remainders}
        self.remainders = _remainder_trie({rest: i for rest, i in remainders.items() if not leaves[rest]})
        self.further = _remainder_trie({rest: i for rest, i in remainders.items() if leaves[rest]})
        self.begins_key = all(
            set(rest[value_end(rest) :]) <= set(b', \t\r\n"') for rest in remainders if leaves[rest]
        )
        self.irregular = group_trie(*zip(*irregular, strict=True)) if irregular else None
        #: Packed remainders -> the tokens that have one of them: int32, packed.
        self.tokens: dict[bytes, bytes] = {}
        self._leaving_list = leaving
        self._leaving_walk: Any = None

    def leaving(self) -> WalkTrie:
        """Return the strings that leave, from the node on."""
        if self._leaving_walk is None:
            found = self._leaving_list
            self._leaving_walk = group_trie(
                [whole for whole, _, _, _ in found],
                [token for _, _, token, _ in found],
                [tag for _, _, _, tag in found],
            )
        return self._leaving_walk


@cython.cclass
class Scratch:
    """What one level of a walk writes to: per depth, a position or a place in a *lane*.

    A lane is a run of bytes within one string, key or number. Its first position tells all but
    the states that the bytes move.

    Attributes:
        positions: one per depth that was reached so far; those within a lane hold nothing of use.
        n_positions: how many these are.
        lane: per depth, the depth at which the lane began, -1 outside of lanes.
        kind: per depth at which a lane began, what it is.
        state, node, length: per depth in a lane, the state of its automaton, the node of the key
            trie and the number of code points.
        spare: the position at a place in a lane, when it is needed.
        exit: the position after a string or key that ends.
        allowed: packed remainders of a sub that may follow, in `n_allowed` words.
    """

    def __init__(self, policy: Any, max_depth: int) -> None:
        self.policy = policy
        self.positions = [Position(policy) for _ in range(4)]
        self.n_positions = 4
        width: cython.Py_ssize_t = max_depth + 1
        if cython.compiled:
            # A bytearray is made much faster than an array of numpy, and most builders are short-lived.
            self.memory = bytearray(5 * width * cython.sizeof(cython.int))
            memory = cython.cast(cython.p_int, cython.cast(cython.p_char, self.memory))
            self.lane = memory
            self.kind = memory + width
            self.state = memory + 2 * width
            self.node = memory + 3 * width
            self.length = memory + 4 * width
        else:
            self.lane, self.kind, self.state, self.node, self.length = ([0] * width for _ in range(5))
        self.spare = Position(policy)
        self.exit = Position(policy)
        self.n_allowed = 0
        self.reserve(8 * 32)

    @cython.cfunc
    def deepen(self, depth: cython.int) -> cython.int:
        """Make positions up to a depth."""
        while self.n_positions <= depth:
            self.positions.append(Position(self.policy))
            self.n_positions += 1
        return 0

    def reserve(self, n_remainders: int) -> None:
        """Make room for the remainders of a sub."""
        size: cython.int = (n_remainders + 31) // 32
        if self.n_allowed < size:
            self.n_allowed = size
            if cython.compiled:
                self.allowed_memory = bytearray(size * cython.sizeof(cython.uint))
                self.allowed = cython.cast(cython.p_uint, cython.cast(cython.p_char, self.allowed_memory))
            else:
                self.allowed = [0] * size


def _remainder_trie(remainders: dict[bytes, int]) -> Any:
    """Return the walk trie of remainders, whose "tokens" are their indices; `None` if there are none."""
    if not remainders:
        return None
    return group_trie(list(remainders), list(remainders.values()), [0] * len(remainders))


def _trie_of(texts: Sequence[bytes]) -> TokenTrie:
    """Return the trie of sorted texts; text i is its token i."""
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64))).astype(np.int32)
    first = 1 if texts and not texts[0] else 0
    return TokenTrie(b"".join(texts), offsets, np.arange(first, len(texts), dtype=np.int32))


def whole_trie(trie: TokenTrie) -> WalkTrie:
    """Return the walk trie of a vocabulary, each token an entry of its own."""
    size = trie.size
    return WalkTrie(trie, np.arange(size + 1), np.arange(size), np.zeros(size))


def group_trie(texts: Sequence[bytes], ids: Sequence[int], tags: Sequence[int]) -> WalkTrie:
    """Return the walk trie in which text i stands for token `ids[i]` with tag `tags[i]`."""
    groups: dict[bytes, list[int]] = {}
    for index, text in enumerate(texts):
        groups.setdefault(text, []).append(index)
    ordered = sorted(groups)
    trie = _trie_of(ordered)
    order = [index for text in ordered for index in groups[text]]
    start = np.concatenate(([0], np.cumsum([len(groups[text]) for text in ordered])))
    return WalkTrie(trie, start, [ids[index] for index in order], [tags[index] for index in order])


def build_subs(walk: WalkTrie, root: cython.int, opened: Position) -> tuple[Sub, Sub]:
    """Return the subs of a walk trie below a node: for strings that are values, and for keys.

    Args:
        walk: the trie; root: the node.
        opened: the position after the opening quotation mark of a document that is any string.
    """
    trie: TokenTrie = walk.trie
    end: cython.int = trie.c_subtree_end[root]
    base: cython.int = trie.c_depth[root]
    node: cython.int = root + 1
    deepest: cython.int = 0
    k: cython.int
    for k in range(root, end):
        if trie.c_depth[k] > deepest:
            deepest = trie.c_depth[k]
    scratch: list[Position] = [opened.copy() for _ in range(deepest - base + 1)]
    source: Position
    target: Position
    inside: list[int] = []
    inside_tags: list[int] = []
    leaving: list[tuple[bytes, int, int, int]] = []
    text: bytes = trie.text.tobytes()
    bounds: list[int] = trie.offset.tolist()
    while node < end:
        source = scratch[trie.c_depth[node] - base - 1]
        target = scratch[trie.c_depth[node] - base]
        if not source.step(trie.c_byte[node], target):
            node = trie.c_subtree_end[node]
            continue
        if target.mode != END:
            entry = trie.c_token[node]
            while entry >= 0:
                for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
                    inside.append(walk.c_ids[k])
                    inside_tags.append(walk.c_tags[k])
                entry = trie.c_next_same[entry]
            node += 1
            continue
        # The string was closed: all strings below share the place where it was.
        closed_at = trie.c_depth[node]
        for position in range(trie.c_token_low[node], trie.c_token_high[node]):
            entry = trie.c_sorted_ids[position]
            whole = text[bounds[entry] : bounds[entry + 1]]
            for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
                leaving.append((whole[base:], closed_at - base, walk.c_ids[k], walk.c_tags[k]))
        node = trie.c_subtree_end[node]
    tokens = _group(inside, inside_tags)
    for_values = [each for each in leaving if may_follow(each[0][each[1] :], VALUE_REMAINDER)]
    for_keys = [each for each in leaving if may_follow(each[0][each[1] :], KEY_REMAINDER)]
    return Sub(tokens, for_values, False), Sub(tokens, for_keys, True)


def _group(ids: list[int], tags: list[int]) -> WalkTrie:
    """Return tokens and their tags as the single entry of a walk trie without strings."""
    trie = TokenTrie(b"", np.zeros(2, dtype=np.int32))
    return WalkTrie(trie, [0, len(ids)], ids, tags)
