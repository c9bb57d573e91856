"""Events that wait for delivery, in a SQLite file: ordered, bounded, and still there after the agent was killed.

Calls take well under a millisecond and are made from the event loop. WAL with synchronous=NORMAL survives the death of the
process; of the machine's last moment before a power cut some events may be lost.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing

from chalicelib.contracts.codec import from_json, to_json
from chalicelib.contracts.edge import EdgeEvent, EventType
from sip_edge.agent.core.delivery import Stored, choose_shed

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
    """`shed_count` says how many events were given up since the start because the outbox was full."""

    def __init__(self, path: str, *, limit: int = 50_000) -> None:
        self._limit = limit
        self.shed_count = 0
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)
        self._count = int(self._value("SELECT count(*) FROM events"))

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        self._database.close()

    def add(self, events: Sequence[EdgeEvent]) -> int:
        """Appends in this order, in one transaction. Returns how many older ones were given up to make room."""
        with self._transaction():
            self._insert(events)
            return self._shed() if self._count > self._limit else 0

    def oldest(self, limit: int) -> tuple[EdgeEvent, ...]:
        """The next events to deliver, oldest first. They stay until dropped."""
        rows = self._database.execute("SELECT body FROM events ORDER BY sequence LIMIT ?", (limit,))
        return tuple(from_json(EdgeEvent, json.loads(body)) for (body,) in rows)

    def drop(self, ids: Iterable[str]) -> int:
        """Removes delivered events; ids that are not here are skipped. Returns how many there were."""
        with self._transaction():
            cursor = self._database.executemany("DELETE FROM events WHERE id = ?", [(event_id,) for event_id in ids])
            self._count -= cursor.rowcount
            return max(0, cursor.rowcount)

    def note_start(self, start_id: str, event: EdgeEvent) -> bool:
        """Appends `event` where this life of Kamailio is a new one; remembers it. Both or neither are stored."""
        if self._value("SELECT coalesce((SELECT value FROM notes WHERE name = 'start_id'), '')") == start_id:
            return False
        with self._transaction():
            self._insert((event,))
            self._database.execute("INSERT OR REPLACE INTO notes VALUES ('start_id', ?)", (start_id,))
        return True

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
