"""A persistent set: adding makes a new set and shares all but a short path.

A hash trie with 32 branches (Bagwell 2001), so an open object with n properties costs
O(n log n) in all, and `fork` and `rollback` keep their old sets for nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, TypeAlias

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

__all__ = ["NameSet"]

_BRANCHES = cython.declare(cython.int, 32)
_BITS = cython.declare(cython.int, 5)
_Node: TypeAlias = "tuple[_Node | None, ...] | list[Hashable]"


@cython.cclass
class NameSet:
    """An immutable set of hashable values: keys that were written, or items."""

    def __init__(self) -> None:
        self._root: Any = None
        self.size = 0

    def __len__(self) -> int:
        return self.size

    def __contains__(self, name: Hashable) -> bool:
        return self.has(name)

    @cython.ccall
    def has(self, name: Hashable) -> cython.bint:
        """Return whether a value is in the set."""
        node: Any = self._root
        code: cython.Py_ssize_t = hash(name)
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

    @cython.ccall
    def add(self, name: Hashable) -> NameSet:
        """Return this set with `name`, which must not be in it."""
        result = NameSet()
        result.size = self.size + 1
        path: list[tuple[tuple[_Node | None, ...], int]] = []
        node: Any = self._root
        code: cython.Py_ssize_t = hash(name)
        depth: cython.int = 0
        branch: cython.Py_ssize_t
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
                code = hash(member)
                branch = (code >> (_BITS * depth)) & (_BRANCHES - 1)
                leaves[branch] = [*(leaves[branch] or ()), member]
            new = tuple(leaves)
        for parent, branch in reversed(path):
            new = (*parent[:branch], new, *parent[branch + 1 :])
        result._root = new
        return result
