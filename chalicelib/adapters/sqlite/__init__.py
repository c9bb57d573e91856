"""The embedded store: one SQLite file, for one machine and for tests."""

from chalicelib.adapters.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
