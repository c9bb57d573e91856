"""Events that wait for delivery, in a SQLite file: ordered, bounded, and still there after the agent was killed.

Calls take well under a millisecond and are made from the event loop. WAL with synchronous=NORMAL survives the death of the
process; of the machine's last moment before a power cut some events may be lost.

A file that cannot be used any more (full disk, damage) does not keep phones from being served: the outbox goes on in memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from chalicelib.contracts.codec import from_json, to_json
from chalicelib.contracts.edge import EdgeEvent, EventType
from sip_edge.agent.core.delivery import Stored, choose_shed
from sip_edge.agent.log import log_event

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    username TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# When it is full a tenth goes at once, so that a full outbox is not searched for every event.
_SHED_SHARE = 10


class Outbox:
    """`shed_count` says how many events were given up since the start because the outbox was full.

    `is_on_disk` is false where the file cannot be used: what waits then is lost with the process.
    """

    def __init__(self, path: str, *, limit: int = 50_000) -> None:
        self._limit = limit
        self.shed_count = 0
        self.is_on_disk = True
        try:
            self._database = _open_file(path)
        except (OSError, sqlite3.DatabaseError) as problem:
            log_event("outbox_in_memory", problem=str(problem))
            self.is_on_disk, self._database = False, _open(":memory:")
        self._count = int(self._value("SELECT count(*) FROM events"))

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        self._database.close()

    def add(self, events: Sequence[EdgeEvent]) -> int:
        """Appends in this order, in one transaction. Returns how many older ones were given up to make room."""

        def work() -> int:
            with self._transaction():
                self._insert(events)
                return self._shed() if self._count > self._limit else 0

        return self._try(work)

    def oldest(self, limit: int) -> tuple[EdgeEvent, ...]:
        """The next events to deliver, oldest first. They stay until dropped."""
        query = "SELECT body FROM events ORDER BY sequence LIMIT ?"
        rows = self._try(lambda: self._database.execute(query, (limit,)).fetchall())
        return tuple(from_json(EdgeEvent, json.loads(body)) for (body,) in rows)

    def drop(self, ids: Iterable[str]) -> int:
        """Removes delivered events; ids that are not here are skipped. Returns how many there were."""
        rows = [(event_id,) for event_id in ids]

        def work() -> int:
            with self._transaction():
                cursor = self._database.executemany("DELETE FROM events WHERE id = ?", rows)
            self._count -= cursor.rowcount
            return max(0, cursor.rowcount)

        return self._try(work)

    def note_start(self, start_id: str, event: EdgeEvent) -> bool:
        """Appends `event` where this life of Kamailio is a new one; remembers it. Both or neither are stored."""

        def work() -> bool:
            if self._value("SELECT coalesce((SELECT value FROM notes WHERE name = 'start_id'), '')") == start_id:
                return False
            with self._transaction():
                self._insert((event,))
                self._database.execute("INSERT OR REPLACE INTO notes VALUES ('start_id', ?)", (start_id,))
            return True

        return self._try(work)

    def _try(self, work: Callable[[], T]) -> T:
        """In the file, or where that fails, in memory."""
        try:
            return work()
        except sqlite3.ProgrammingError:  # our own mistake, such as use after close
            raise
        except sqlite3.DatabaseError as problem:
            if not self.is_on_disk:
                raise
            log_event("outbox_in_memory", problem=str(problem))
            self._leave_file()
            return work()

    def _leave_file(self) -> None:
        """Takes along what can still be read."""
        memory = _open(":memory:")
        with closing(self._database), suppress(sqlite3.DatabaseError):
            memory.executemany("INSERT INTO notes VALUES (?, ?)", self._database.execute("SELECT * FROM notes"))
            memory.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", self._database.execute("SELECT * FROM events"))
        self.is_on_disk, self._database = False, memory
        self._count = int(self._value("SELECT count(*) FROM events"))

    def _transaction(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database  # as a context manager it commits, or rolls back on an error

    def _insert(self, events: Sequence[EdgeEvent]) -> None:
        rows = [(event.id, event.type.value, event.username, json.dumps(to_json(event))) for event in events]
        self._database.executemany("INSERT INTO events (id, type, username, body) VALUES (?, ?, ?, ?)", rows)
        self._count += len(rows)

    def _shed(self) -> int:
        rows = self._database.execute("SELECT sequence, type, username FROM events ORDER BY sequence")
        waiting = [Stored(sequence, EventType(type_), username) for sequence, type_, username in rows]
        sequences = choose_shed(waiting, len(waiting) - self._limit + self._limit // _SHED_SHARE)
        self._database.executemany("DELETE FROM events WHERE sequence = ?", [(sequence,) for sequence in sequences])
        self._count -= len(sequences)
        self.shed_count += len(sequences)
        return len(sequences)

    def _value(self, query: str) -> str | int:
        with closing(self._database.execute(query)) as cursor:
            (value,) = cursor.fetchone()
            return value  # type: ignore[no-any-return]  # SQLite's rows are untyped


def _open(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
        # Of a later release, before somebody went back to this one.
        known = ",".join("?" * len(EventType))
        database.execute(f"DELETE FROM events WHERE type NOT IN ({known})", [kind.value for kind in EventType])  # noqa: S608 - marks alone
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _open_file(path: str) -> sqlite3.Connection:
    """A damaged file is put aside as PATH.damaged, for whoever wants to look. Raises OSError or sqlite3.DatabaseError."""
    try:
        return _open(path)
    except sqlite3.OperationalError:  # the disk or its rights, not the file
        raise
    except sqlite3.DatabaseError as problem:
        log_event("outbox_damaged", problem=str(problem))
        Path(path).rename(f"{path}.damaged")
        for left_over in (f"{path}-wal", f"{path}-shm"):
            Path(left_over).unlink(missing_ok=True)
        return _open(path)
