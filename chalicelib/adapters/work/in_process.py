"""The WorkQueue port on one machine: a queue in the memory of this process, whose front takes the messages (local/work.py).

It dies with the process, which harms nothing: jobs are in the store, and those that have not ended are taken up again.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from functools import cache

from chalicelib.domain.job import JobPart


class InProcessQueue:
    """Any number of threads may put and take. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, JobPart]] = []  # a heap: due at, in what order put
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, part: JobPart, delay_seconds: int = 0) -> bool:
        """Always True."""
        with self._changed:
            heapq.heappush(self._waiting, (self._clock() + delay_seconds, next(self._numbers), part))
            self._changed.notify()
        return True

    def take(self) -> JobPart | None:
        """Waits for a message that is due, and hands it to one taker alone; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                due_in = self._waiting[0][0] - self._clock() if self._waiting else None
                if due_in is not None and due_in <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(due_in)
        return None

    def close(self) -> None:
        """Nobody takes any more; who waits is woken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


@cache
def queue_of_process() -> InProcessQueue:
    """The one between this process's functions and its front."""
    return InProcessQueue()
