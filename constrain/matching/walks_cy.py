"""What token tries share across positions: walk tries and their subs.

A *walk trie* is a trie of byte strings, each of which stands for some tokens of the vocabulary.
A *sub* summarises the part of it below one node for a position that is inside a string which
any text may continue: the tokens that stay inside, and a walk trie of the *remainders* of those
that leave it, the bytes after the closing quotation mark. Subs depend on the vocabulary and
the policy of escapes alone; a dense mask is a copy plus a walk of the remainders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.position_cy import Position
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
else:
    from constrain.matching.position_cy import Position
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

from constrain.matching.position_cy import END

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Sub", "WalkTrie", "build_sub", "whole_trie"]


@cython.cclass
class WalkTrie:
    """Byte strings, each of which stands for tokens.

    Entry i stands for the tokens `ids[start[i]:start[i + 1]]`. Each of these has a tag in `tags`:
    a caller may ask for the tokens with certain tags only.

    Attributes:
        trie: the strings; its "tokens" are the entries.
        subs: per (node, kind), the `Sub` below it.
    """

    def __init__(self, trie: TokenTrie, start: Any, ids: Any, tags: Any) -> None:
        self.trie = trie
        self.start = np.ascontiguousarray(start, dtype=np.int32)
        self.ids = np.ascontiguousarray(ids, dtype=np.int32)
        self.tags = np.ascontiguousarray(tags, dtype=np.int32)
        self.subs: dict[object, Sub] = {}
        if cython.compiled:
            self.c_start = cython.cast(cython.p_int, cython.cast(cython.size_t, self.start.ctypes.data))
            self.c_ids = cython.cast(cython.p_int, cython.cast(cython.size_t, self.ids.ctypes.data))
            self.c_tags = cython.cast(cython.p_int, cython.cast(cython.size_t, self.tags.ctypes.data))
        else:
            self.c_start = self.start.tolist()
            self.c_ids = self.ids.tolist()
            self.c_tags = self.tags.tolist()


@cython.cclass
class Sub:
    """What lies below one node for a position inside a free string.

    Attributes:
        inside: the tokens that stay inside; with their tags.
        closing: the tokens that end with the closing quotation mark; with their tags.
        closers: the remainders of the tokens that go on after it, or `None`.
        irregular: for keys, the strings whose fate depends on the key itself, from the node on:
            those with an escape before the closing mark, or with a comma after it.
        words: packed `inside` of the whole vocabulary, for the root; uint32, or `None`.
    """

    def __init__(self, inside: Any, closing: Any, closers: Any, irregular: Any) -> None:
        self.inside = inside
        self.closing = closing
        self.closers = closers
        self.irregular = irregular
        self.words: Any = None


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
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in ordered]))).astype(np.int32)
    trie = TokenTrie(b"".join(ordered), offsets, np.arange(len(ordered), dtype=np.int32))
    order = [index for text in ordered for index in groups[text]]
    start = np.concatenate(([0], np.cumsum([len(groups[text]) for text in ordered])))
    return WalkTrie(trie, start, [ids[index] for index in order], [tags[index] for index in order])


def build_sub(walk: WalkTrie, root: cython.int, opened: Position, for_key: bool) -> Sub:
    """Return the sub of a walk trie below a node.

    Args:
        walk: the trie; root: the node.
        opened: the position after the opening quotation mark of a document that is any string.
        for_key: whether the string will be a key.
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
    closing: list[int] = []
    closing_tags: list[int] = []
    remainders: list[bytes] = []
    remainder_ids: list[int] = []
    remainder_tags: list[int] = []
    irregular: list[bytes] = []
    irregular_ids: list[int] = []
    irregular_tags: list[int] = []
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
            remainder = whole[closed_at:]
            odd = for_key and (b"\\" in whole[base:closed_at] or b"," in remainder)
            for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
                token = walk.c_ids[k]
                tag = walk.c_tags[k]
                if odd:
                    irregular.append(whole[base:])
                    irregular_ids.append(token)
                    irregular_tags.append(tag)
                elif remainder:
                    # Only what can follow a value or a key in JSON.
                    if remainder[0] in b" \t\n\r,:]}":
                        remainders.append(remainder)
                        remainder_ids.append(token)
                        remainder_tags.append(tag)
                else:
                    closing.append(token)
                    closing_tags.append(tag)
        node = trie.c_subtree_end[node]
    return Sub(
        _group(inside, inside_tags),
        _group(closing, closing_tags),
        group_trie(remainders, remainder_ids, remainder_tags) if remainders else None,
        group_trie(irregular, irregular_ids, irregular_tags) if irregular else None,
    )


def _group(ids: list[int], tags: list[int]) -> WalkTrie:
    """Return tokens and their tags as the single entry of a walk trie without strings."""
    trie = TokenTrie(b"", np.zeros(2, dtype=np.int32))
    return WalkTrie(trie, [0, len(ids)], ids, tags)
