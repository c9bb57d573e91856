"""Loading, deciding and saving again where somebody else changed the same record in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chalicelib.domain.errors import SaveConflict

T = TypeVar("T")

ATTEMPTS = 6


def until_saved(attempt: Callable[[], T]) -> T:
    """Calls `attempt`, which loads, decides and saves, until its save meets no conflict. Six times at most."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except SaveConflict:
            continue
    return attempt()
