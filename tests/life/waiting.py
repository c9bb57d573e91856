"""Waits for what must come; how long it took is never judged."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_SECONDS = 100.0  # only a failure waits this long: more than the 60 seconds of a registration


def wait_until(seen: Callable[[], bool], expected: str, describe: Callable[[], object] = str) -> None:
    """Returns as soon as it is so. Fails with what was expected and what is there instead."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not seen():
        assert time.monotonic() < deadline, f"expected {expected}; instead: {describe()}"
        time.sleep(0.05)
