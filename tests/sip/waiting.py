"""Waiting for something to become true, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

GENEROUS_SECONDS = 30.0  # nothing that works takes so long; a machine that does other work may


def wait_until(condition: Callable[[], T], *, seconds: float = GENEROUS_SECONDS, describe: Callable[[], str] = str) -> T:
    """The condition's first true value. Raises AssertionError, with what `describe` says, where there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not true within {seconds} s; last value {value!r} {describe()}")
        time.sleep(0.02)
