"""The Store port on SQLite. One file, any number of threads and processes; survives `kill -9` and a power cut.

Expired records are not returned; they are deleted when the file is opened, and by `remove_expired`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from chalicelib.adapters.records import (
    AFTER_ALL,
    COUNTER_PARTITION,
    COUNTER_SORT,
    Item,
    Search,
    Table,
    is_possible_key,
    items_to_save,
    key_of,
    layout_of,
    read_cursor,
    record_of,
    search_of,
    write_cursor,
)
from chalicelib.domain.errors import SaveConflict, StoreAway
from chalicelib.usecases.ports import Page

R = TypeVar("R")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    table_name TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
    version INTEGER NOT NULL, expires_at INTEGER, listing_partition TEXT, listing_sort TEXT,
    PRIMARY KEY (table_name, partition, sort)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS listing ON items (table_name, listing_partition, listing_sort)
    WHERE listing_partition IS NOT NULL;
CREATE INDEX IF NOT EXISTS ending ON items (expires_at) WHERE expires_at IS NOT NULL;
"""
_ALIVE = "(expires_at IS NULL OR expires_at > ?)"


class SqliteStore:
    """See the module. `path` may be `:memory:`, then all threads share one connection. `clock` gives seconds since 1970."""

    def __init__(self, path: str, clock: Callable[[], float] = time.time, *, busy_seconds: float = 10) -> None:
        self._path = path
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self._memory = self._open() if path == ":memory:" else None
        self._memory_lock = threading.RLock()
        with self._writing() as connection:
            connection.execute("DELETE FROM items WHERE expires_at <= ?", (clock(),))

    def load(self, kind: type[R], *key: str) -> R | None:
        return self.load_many(kind, [key])[0]

    def load_many(self, kind: type[R], keys: Sequence[tuple[str, ...]], *, fresh: bool = True) -> list[R | None]:
        del fresh  # here every reading is
        question = f"SELECT kind, data, version FROM items WHERE table_name=? AND partition=? AND sort=? AND {_ALIVE}"  # noqa: S608 - constants
        wanted = [key_of(kind, key) for key in keys]
        with self._reading() as connection:
            rows = [
                connection.execute(question, (*key, self._clock())).fetchone() if is_possible_key(*key[1:]) else None
                for key in wanted
            ]
        return [record_of(*row) if row else None for row in rows]

    def gather(self, kinds: Sequence[type], *partition: str) -> list[Any]:
        layout = layout_of(kinds[0])
        question = f"SELECT kind, data, version FROM items WHERE table_name=? AND partition=? AND {_ALIVE} ORDER BY sort"  # noqa: S608 - constants
        with self._reading() as connection:
            rows = connection.execute(question, (layout.table, layout.partition.format(*partition), self._clock())).fetchall()
        names = {kind.__name__ for kind in kinds}
        return [record_of(*row) for row in rows if row[0] in names]

    def find(self, kind: type[R], *partition: str, prefix: str = "", limit: int = 100, cursor: str | None = None) -> Page:
        return self._search(search_of(kind, partition, prefix), limit, cursor, newest_first=False)

    def find_newest(self, kind: type[R], *partition: str, limit: int = 100, cursor: str | None = None) -> Page:
        return self._search(search_of(kind, partition), limit, cursor, newest_first=True)

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        written, removed = items_to_save(records, remove)
        with self._writing() as connection:
            for item in written:
                self._put(connection, item)
            for item in removed:
                self._delete(connection, item)

    def count_up(self, name: str, expires_at: datetime) -> int:
        key = (Table.REGION, COUNTER_PARTITION.format(name), COUNTER_SORT)
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM items WHERE table_name=? AND partition=? AND sort=? AND expires_at <= ?", (*key, self._clock())
            )
            row = connection.execute(
                "INSERT INTO items VALUES (?, ?, ?, 'Counter', '', 1, ?, NULL, NULL)"
                " ON CONFLICT DO UPDATE SET version = version + 1 RETURNING version",
                (*key, int(expires_at.timestamp())),
            ).fetchone()
        return int(row[0])

    def remove_expired(self, most: int) -> int:
        with self._writing() as connection:
            removed = connection.execute(
                "DELETE FROM items WHERE (table_name, partition, sort) IN"
                " (SELECT table_name, partition, sort FROM items WHERE expires_at <= ? LIMIT ?)",
                (self._clock(), most),
            )
        return removed.rowcount

    def _search(self, search: Search, limit: int, cursor: str | None, *, newest_first: bool) -> Page:
        table, where, prefix, listed = search
        column = "listing_sort" if listed else "sort"
        low, high = prefix, prefix + AFTER_ALL
        if cursor and newest_first:
            high = read_cursor(cursor, prefix)
        elif cursor:
            low = read_cursor(cursor, prefix) + "\x00"
        question = (
            f"SELECT {column}, kind, data, version FROM items WHERE table_name=?"  # noqa: S608 - constants
            f" AND {'listing_partition' if listed else 'partition'}=? AND {column} >= ? AND {column} < ? AND {_ALIVE}"
            f" ORDER BY {column} {'DESC' if newest_first else 'ASC'} LIMIT ?"
        )
        with self._reading() as connection:
            rows = connection.execute(question, (table, where, low, high, self._clock(), limit + 1)).fetchall()
        cursors = tuple(write_cursor(row[0]) for row in rows[:limit])
        return Page(tuple(record_of(*row[1:]) for row in rows[:limit]), cursors[-1] if len(rows) > limit else None, cursors)

    def _put(self, connection: sqlite3.Connection, item: Item) -> None:
        key = (item.table, item.partition, item.sort)
        if item.version == 1:
            connection.execute(
                "DELETE FROM items WHERE table_name=? AND partition=? AND sort=? AND expires_at <= ?", (*key, self._clock())
            )
            changed = connection.execute(
                "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*key, item.kind, item.data, item.version, item.expires_at, item.listing_partition, item.listing_sort),
            )
        else:
            changed = connection.execute(
                "UPDATE items SET data=?, version=?, expires_at=?, listing_partition=?, listing_sort=?"
                " WHERE table_name=? AND partition=? AND sort=? AND version=?",
                (item.data, item.version, item.expires_at, item.listing_partition, item.listing_sort, *key, item.version - 1),
            )
        if changed.rowcount != 1:
            raise SaveConflict(f"{item.kind} was changed by somebody else.")

    @staticmethod
    def _delete(connection: sqlite3.Connection, item: Item) -> None:
        changed = connection.execute(
            "DELETE FROM items WHERE table_name=? AND partition=? AND sort=? AND version=?",
            (item.table, item.partition, item.sort, item.version - 1),
        )
        if changed.rowcount != 1:
            raise SaveConflict(f"{item.kind} was changed by somebody else.")

    def _open(self) -> sqlite3.Connection:
        if self._path != ":memory:":
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        # Each thread has its own connection, but the one that ends the store closes all: hence no check of the thread.
        connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=self._busy_seconds, check_same_thread=False, factory=_Connection
        )
        deadline = time.monotonic() + self._busy_seconds
        while not _is_prepared(connection):
            if time.monotonic() > deadline:
                raise StoreAway
            time.sleep(0.01)
        return connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._memory is not None:
            with self._memory_lock:
                yield self._memory
            return
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            _begin(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite has rolled back by itself where the disk is full
                    connection.execute("ROLLBACK")
                raise


class _Connection(sqlite3.Connection):
    """Closes itself when its thread or its store ends; Python 3.13 warns of a connection that is left open."""

    def __del__(self) -> None:
        self.close()


def _is_prepared(connection: sqlite3.Connection) -> bool:
    """False while another process prepares the same new file: SQLite does not wait there, whatever its timeout."""
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True


def _begin(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise StoreAway from error
        raise
