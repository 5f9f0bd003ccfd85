"""A lock that costs next to nothing while nobody waits for it.

Every token takes it twice. The interpreter's own locks are objects that are called; here, what is
compiled changes hands between two calls of the interpreter, where no other thread runs.
"""

from __future__ import annotations

from threading import Lock, RLock
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.cpython.pythread import PyThread_get_thread_ident

__all__ = ["EngineLock"]


@cython.cclass
class EngineLock:
    """A reentrant lock; a context manager."""

    def __init__(self) -> None:
        self._owner = 0
        self._depth = 0
        self._n_waiting = 0
        #: Compiled: closed, but for a moment after the lock was left while somebody waited.
        self._gate: Any = Lock() if cython.compiled else RLock()
        if cython.compiled:
            self._gate.acquire()

    @cython.ccall
    def enter(self) -> cython.int:
        """Take the lock; wait for it if another thread has it."""
        if not cython.compiled:
            self._gate.acquire()
            return 0
        thread: cython.long = PyThread_get_thread_ident()
        if self._depth > 0 and self._owner != thread:
            self._wait()
        self._owner = thread
        self._depth += 1
        return 0

    @cython.ccall
    def leave(self) -> cython.int:
        """Give the lock back."""
        if not cython.compiled:
            self._gate.release()
            return 0
        self._depth -= 1
        if self._depth == 0 and self._n_waiting > 0 and self._gate.locked():
            self._gate.release()
        return 0

    @cython.cfunc
    def _wait(self) -> cython.int:
        self._n_waiting += 1
        try:
            # Another thread may have been faster when the gate was opened; it opens it again.
            while self._depth > 0:
                self._gate.acquire()
        finally:
            self._n_waiting -= 1
        return 0

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.leave()
