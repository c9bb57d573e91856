"""Answers that overtake each other: what was asked later is newer, whatever order the answers come in."""

from __future__ import annotations

from collections import Counter
from itertools import count


class Newest:
    """Questions about names, such as digest user names. Nothing is kept of a name while none is open."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: Counter[str] = Counter()
        self._answered: dict[str, int] = {}

    def ask(self, name: str) -> int:
        """The number of a new question. Each is ended once."""
        self._open[name] += 1
        return next(self._numbers)

    def end(self, name: str, number: int, *, answered: bool) -> bool:
        """Whether nothing that was asked later has been answered already. `answered`: this question has been."""
        is_newest = number > self._answered.get(name, 0)
        if answered and is_newest:
            self._answered[name] = number
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]
            self._answered.pop(name, None)
        return is_newest
