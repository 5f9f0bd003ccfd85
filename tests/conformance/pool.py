"""A pool of two processes that survives crashes, hangs and memory: each is an outcome, not an accident."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.outcomes import Outcome, judge

__all__ = ["judge_all"]

_CONTEXT = multiprocessing.get_context("spawn")
_MEMORY = 4 << 30


def _serve(channel: Any, judge: Callable[[str, str], Any]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    while True:
        case = channel.recv()
        if case is None:
            return
        try:
            outcome = judge(*case)
        except Exception as error:  # an untyped error is what the class `crash` is for
            outcome = Outcome(case[0], "crash", f"{type(error).__name__}: {error}"[:300])
        channel.send(outcome)


@dataclass
class _Worker:
    judge: Callable[[str, str], Any]
    process: Any = None
    channel: Any = None
    case: tuple[str, str] | None = None
    since: float = field(default=0.0)

    def start(self) -> None:
        self.channel, other = _CONTEXT.Pipe()
        self.process = _CONTEXT.Process(target=_serve, args=(other, self.judge), daemon=True)
        self.process.start()
        other.close()

    def give(self, case: tuple[str, str]) -> None:
        if self.process is None or not self.process.is_alive():
            self.start()
        self.case, self.since = case, time.monotonic()
        self.channel.send(case)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
        self.process = self.case = None


def judge_all(
    cases: Iterable[tuple[str, str]],
    seconds: float = 30.0,
    workers: int = 2,
    judge: Callable[[str, str], Any] = judge,
) -> Iterator[Any]:
    """What `judge` says of every case, in the order in which they end; of an accident, the outcome `crash`.

    Args:
        seconds: the time limit of one schema with its instances; beyond it the outcome is a crash.
    """
    waiting = iter(cases)
    pool = [_Worker(judge) for _ in range(workers)]
    try:
        while True:
            for worker in pool:
                if worker.case is None and (case := next(waiting, None)) is not None:
                    worker.give(case)
            busy = [worker for worker in pool if worker.case is not None]
            if not busy:
                return
            multiprocessing.connection.wait([worker.channel for worker in busy], timeout=0.5)
            for worker in busy:
                outcome = _collect(worker, seconds)
                if outcome is not None:
                    worker.case = None
                    yield outcome
    finally:
        for worker in pool:
            worker.stop()


def _collect(worker: _Worker, seconds: float) -> Any:
    assert worker.case is not None
    name = worker.case[0]
    try:
        if worker.channel.poll():
            return worker.channel.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        code = worker.process.exitcode
        worker.stop()
        return Outcome(name, "crash", f"the process ended with {code}")
    if time.monotonic() - worker.since > seconds:
        worker.stop()
        return Outcome(name, "crash", f"no answer within {seconds:.0f} s")
    return None
