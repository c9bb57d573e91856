"""Printing a life step by step, and the verdict at its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class NotSeen(Exception):
    """A step did not show what it must show; the message says what was expected and what was seen."""


class Steps:
    """Prints each step with what was seen. A step that fails ends the demo."""

    def __init__(self) -> None:
        self._count = 0
        self._started = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step; what is raised inside is printed as not seen."""
        self._count += 1
        print(f"\n[{self._count:2}] {title}", flush=True)
        try:
            yield
        except Exception as error:
            print(f"     ✗ NOT SEEN: {error}", flush=True)
            raise
        print("     ✓ seen", flush=True)

    def show(self, text: object) -> None:
        """Something that was seen."""
        print(f"     {text}", flush=True)

    def expect(self, expected: object, seen: object, what: str) -> None:
        """Raises NotSeen unless both are equal."""
        if expected != seen:
            raise NotSeen(f"{what}: expected {expected!r}, saw {seen!r}")

    def finish(self) -> None:
        """The last line."""
        print(f"\nAll {self._count} steps were seen, in {time.monotonic() - self._started:.0f} s.", flush=True)
        sys.stdout.flush()
