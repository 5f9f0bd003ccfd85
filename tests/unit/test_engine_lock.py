"""The lock of the engine: one thread at a time, again by the thread that has it, and nobody is forgotten."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from constrain.lock_cy import EngineLock


def test_one_thread_at_a_time() -> None:
    lock = EngineLock()
    inside = 0
    most = 0
    done = []

    def work() -> None:
        nonlocal inside, most
        for turn in range(300):
            with lock:
                inside += 1
                most = max(most, inside)
                if turn % 50 == 0:
                    time.sleep(0.0002)
                total = sum(range(50))
                assert total == 1225
                inside -= 1
        done.append(True)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    finally:
        sys.setswitchinterval(interval)
    assert len(done) == 8
    assert most == 1


def test_the_thread_that_has_it_may_take_it_again() -> None:
    lock = EngineLock()
    with lock, lock:
        other = threading.Thread(target=lock.enter)
        other.start()
        other.join(timeout=0.05)
        assert other.is_alive()
    # Left as often as it was taken: the other thread has it now, for good.
    other.join(timeout=10)
    assert not other.is_alive()


def test_an_error_leaves_it_open() -> None:
    lock = EngineLock()
    with pytest.raises(KeyError), lock:
        raise KeyError
    done = []
    other = threading.Thread(target=lambda: (lock.enter(), done.append(1), lock.leave()))
    other.start()
    other.join(timeout=10)
    assert done == [1]
