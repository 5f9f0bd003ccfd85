"""A persistent set: adding makes a new set and shares all but a short path.

A hash trie with 32 branches (Bagwell 2001), so an open object with n properties costs
O(n log n) in all, and `fork` and `rollback` keep their old sets for nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, TypeAlias

__all__ = ["NameSet"]

_BRANCHES = 32
_BITS = 5
_Node: TypeAlias = "tuple[_Node | None, ...] | list[Hashable]"


class NameSet:
    """An immutable set of hashable values: keys that were written, or items."""

    __slots__ = ("_root", "size")

    def __init__(self) -> None:
        self._root: _Node | None = None
        self.size = 0

    def __len__(self) -> int:
        return self.size

    def __contains__(self, name: Hashable) -> bool:
        node = self._root
        code = hash(name)
        while isinstance(node, tuple):
            node = node[code & (_BRANCHES - 1)]
            code >>= _BITS
        return node is not None and name in node

    def __iter__(self) -> Iterator[Any]:
        stack = [self._root]
        while stack:
            node = stack.pop()
            if isinstance(node, tuple):
                stack.extend(node)
            elif node is not None:
                yield from node

    def add(self, name: Hashable) -> NameSet:
        """Return this set with `name`, which must not be in it."""
        result = NameSet()
        result.size = self.size + 1
        path: list[tuple[tuple[_Node | None, ...], int]] = []
        node = self._root
        code = hash(name)
        depth = 0
        while isinstance(node, tuple):
            branch = code & (_BRANCHES - 1)
            path.append((node, branch))
            node = node[branch]
            code >>= _BITS
            depth += 1
        leaf: list[Hashable] = [name] if node is None else [*node, name]
        new: _Node = leaf
        # Ten levels use up the 50 bits that matter; below them leaves only grow.
        if len(leaf) > 8 and depth < 10:
            leaves: list[list[Hashable] | None] = [None] * _BRANCHES
            for member in leaf:
                branch = (hash(member) >> (_BITS * depth)) & (_BRANCHES - 1)
                leaves[branch] = [*(leaves[branch] or ()), member]
            new = tuple(leaves)
        for parent, branch in reversed(path):
            new = (*parent[:branch], new, *parent[branch + 1 :])
        result._root = new
        return result
