"""A store that counts what it is asked, for tests and the bench: what a request costs is designed, so it is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.usecases.ports import Page, Store

R = TypeVar("R")


@dataclass
class Cost:
    """`reads` and `writes` count records, found or not and saved or refused; `queries` count lists asked for.

    `stale` are reads that need not be fresh; they are not among `reads`, and cost half.
    """

    reads: int = 0
    queries: int = 0
    writes: int = 0
    stale: int = 0

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(here - there for here, there in zip(astuple(self), astuple(other), strict=True)))


class CountingStore:
    """Hands everything on to `store`. `cost` may be replaced at any time to count anew. Counts of one thread are exact."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.cost = Cost()

    def load(self, kind: type[R], *key: str) -> R | None:
        self.cost.reads += 1
        return self._store.load(kind, *key)

    def load_many(self, kind: type[R], keys: Sequence[tuple[str, ...]], *, fresh: bool = True) -> list[R | None]:
        if fresh:
            self.cost.reads += len(keys)
        else:
            self.cost.stale += len(keys)
        return self._store.load_many(kind, keys, fresh=fresh)

    def gather(self, kinds: Sequence[type], *partition: str) -> list[Any]:
        self.cost.queries += 1
        return self._store.gather(kinds, *partition)

    def find(self, kind: type[R], *partition: str, prefix: str = "", limit: int = 100, cursor: str | None = None) -> Page:
        self.cost.queries += 1
        return self._store.find(kind, *partition, prefix=prefix, limit=limit, cursor=cursor)

    def find_newest(self, kind: type[R], *partition: str, limit: int = 100, cursor: str | None = None) -> Page:
        self.cost.queries += 1
        return self._store.find_newest(kind, *partition, limit=limit, cursor=cursor)

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        self.cost.writes += len(records) + len(remove)
        self._store.save(*records, remove=remove)

    def count_up(self, name: str, expires_at: datetime) -> int:
        self.cost.writes += 1
        return self._store.count_up(name, expires_at)

    def remove_expired(self, most: int) -> int:
        removed = self._store.remove_expired(most)
        self.cost.writes += removed
        return removed
