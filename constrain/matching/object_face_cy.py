"""What the shape of an open object answers at once, because its goal is a conjunction of positive atoms.

Such a shape never changes, and what may follow depends on a few bits of the frame.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

__all__ = ["FEW_WORDS", "ObjectFace"]

#: A class of so many keys at most is listed, and none with more runs out while no more were written.
FEW_WORDS = 4096
_FEW_WORDS = cython.declare(cython.Py_ssize_t, FEW_WORDS)


@cython.cclass
class ObjectFace:
    """The part of an object shape that compiled code asks.

    Attributes:
        simple: the goal is a conjunction of positive atoms, counts apart, and nothing is tracked.
        in_any_order: whether a key that was written blocks no other.
        needed: the named keys that have to be there, as bits, if it is simple.
        low, high: bounds on the number of properties, if it is simple; `high` is -1 if there is none.
        offered: the named keys that may follow where they were not written, as bits.
        rest: whether free keys may follow, their automaton, and whether they never run out, as far as
            few were written; `None` if it is not known yet.
        named: named key -> its entry, of those that were asked for, if it is simple.
        free: the entry of keys that are not named, if there is one class of them and it was asked for.
    """

    def __init__(self) -> None:
        self.simple = False
        self.in_any_order = False
        self.needed: Any = 0
        self.low = 0
        self.high = -1
        self.offered: Any = 0
        self.rest: Any = None
        self.named: dict[int, Any] = {}
        self.free: Any = None
        # What a frame with these blocked keys was answered last.
        self._blocked: Any = None
        self._offer: Any = None

    def forget(self) -> None:
        """Cut the links to entries."""
        self.named = {}
        self.free = None

    @cython.ccall
    def closes_at_once(self, present: Any, count: cython.Py_ssize_t) -> cython.int:
        """Return whether an object with these named keys may end: 1 or 0, -1 where it takes more to tell."""
        if not self.simple:
            return -1
        if count < self.low or (self.high >= 0 and count > self.high):
            return 0
        return self.needed == 0 or self.needed & ~present == 0

    @cython.ccall
    def offer_at_once(self, blocked: Any, count: cython.Py_ssize_t) -> Any:
        """Return which keys may follow, see `objects.Offer`; `None` where it takes more to tell.

        Args:
            blocked: the named keys that cannot be written any more, as bits.
        """
        rest: tuple[Any, ...] = self.rest
        if not self.simple or self.high >= 0 or rest is None or count > _FEW_WORDS:
            return None
        if blocked is not self._blocked:
            self._blocked = blocked
            self._offer = (self.offered & ~blocked, rest[0], rest[1], rest[2])
        return self._offer

    @cython.ccall
    def continues_after(self, blocked: Any, count: cython.Py_ssize_t, name: cython.int) -> cython.int:
        """Return whether further keys may follow a key: 1 or 0, or -1 where it takes more to tell.

        Args:
            name: the key if it is a named one, else -1.
        """
        rest: tuple[Any, ...] = self.rest
        if not self.simple or self.high >= 0 or rest is None or count > _FEW_WORDS:
            return -1
        if rest[0]:
            return 1
        left = self.offered & ~blocked
        if name >= 0:
            left = left & ~(1 << name)
        return left != 0
