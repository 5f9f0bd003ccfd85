"""The budget of time: a decision that takes too long ends in an error, never in a wider mask."""

from __future__ import annotations

from time import perf_counter
from types import TracebackType

from constrain.errors import LimitExceeded

__all__ = ["Deadline"]


class Deadline:
    """A context for one decision; decisions within it share its time.

    Args:
        seconds: how long a decision may take.
    """

    __slots__ = ("_depth", "_end", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._depth = 0
        self._end = 0.0

    def __enter__(self) -> None:
        if self._depth == 0:
            self._end = perf_counter() + self._seconds
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
