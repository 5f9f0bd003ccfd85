"""The budget of time: a decision that takes too long ends in an error, never in a wider mask."""

from __future__ import annotations

from time import perf_counter
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

from constrain.errors import LimitExceeded

__all__ = ["Deadline"]


@cython.cclass
class Deadline:
    """A context for one decision; decisions within it share its time.

    Args:
        seconds: how long a decision may take.
    """

    _seconds: cython.double
    _depth: cython.int
    _end: cython.double

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._depth = 0
        self._end = 0.0

    def __enter__(self) -> None:
        if self._depth == 0:
            self._end = perf_counter() + self._seconds
        self._depth += 1

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._depth -= 1

    def check(self) -> None:
        """Do nothing while there is time.

        Raises:
            LimitExceeded: the time of the current decision is up.
        """
        if self._depth and perf_counter() > self._end:
            raise LimitExceeded(
                f"a decision took longer than {self._seconds:g} s",
                limit=self._seconds,
                remedy="raise Options.max_seconds or simplify the overlapping alternatives of the schema",
            )
