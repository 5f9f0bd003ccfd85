"""Packed masks of the states of automata, the least recently used dropped."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.lock_cy import EngineLock
else:
    from constrain.lock_cy import EngineLock

__all__ = ["MaskCache"]


@cython.cclass
class MaskCache:
    """Packed masks by key, the least recently used dropped above a budget of bytes; for any thread.

    Attributes:
        max_bytes: the budget; the mask that was kept last stays in any case.
        size: bytes of all masks.
    """

    def __init__(self, max_bytes: cython.Py_ssize_t) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        #: In the order of their last use.
        self._masks: dict[object, bytes] = {}
        self._lock = EngineLock()

    @cython.ccall
    def get(self, key: object) -> bytes | None:
        """Return the mask of a key, if it is kept."""
        self._lock.enter()
        try:
            mask = self._masks.pop(key, None)
            if mask is not None:
                self._masks[key] = mask
        finally:
            self._lock.leave()
        return mask

    @cython.ccall
    def put(self, key: object, mask: bytes) -> cython.int:
        """Keep a mask."""
        self._lock.enter()
        try:
            older = self._masks.pop(key, None)
            if older is not None:
                self.size -= len(older)
            self.size += len(mask)
            self._masks[key] = mask
            while self.size > self.max_bytes and len(self._masks) > 1:
                self.size -= len(self._masks.pop(next(iter(self._masks))))
        finally:
            self._lock.leave()
        return 0
