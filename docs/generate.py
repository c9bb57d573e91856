"""Writes the tables of docs that are made from code: `python docs/generate.py`; `--check` only says which are stale."""  # noqa: INP001 - docs is no package

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

from chalicelib.adapters.records import LAYOUTS, Layout  # noqa: E402 - the root is on the path only now


class _Field(str):  # noqa: SLOT000 - a handful, for a moment
    """Stands in for a record: what a layout reads of it gives the name of what was read, in braces inside a text."""

    def __getattr__(self, name: str) -> _Field:
        return _Field(".".join([self, name] if self else [name]))

    def __format__(self, _: str) -> str:
        return "{" + self + "}"

    def __add__(self, other: object) -> str:
        return " + ".join([self, _in_words(other) if isinstance(other, timedelta) else str(other)])

    def astimezone(self, _: object) -> _Field:
        """The same moment."""
        return self

    def isoformat(self, timespec: str) -> _Field:  # noqa: ARG002 - as datetime's
        """The same moment."""
        return self


def _in_words(duration: timedelta) -> str:
    return f"{duration.days} days" if duration.days > 1 else f"{duration.total_seconds() / 3600:g} hours"


def _row(layout: Layout) -> list[str]:
    record = _Field()
    keys = [f"`{pattern.format(*layout.key(record))}`" for pattern in (layout.partition, layout.sort)]
    listed = layout.listing(record)
    listing = f"`{layout.listing_partition.format(*listed[0])}` / `{listed[1]}`" if listed else ""
    return [layout.name, layout.table, *keys, listing, str(layout.expires_at(record) or "never")]


def data_keys_table() -> str:
    """Every kind of record: its table, its keys, its second key in the index, and when it ends."""
    rows = [["kind", "table", "partition key", "sort key", "listing: partition / sort", "ends at"], ["---"] * 6]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*rows, *map(_row, LAYOUTS)])


TABLES: dict[str, tuple[str, Callable[[], str]]] = {"keys": ("data.md", data_keys_table)}


def fresh(text: str, name: str, table: str) -> str:
    """The page with `table` between the markers of `name`. Raises ValueError where they are missing."""
    marked = re.compile(rf"(<!-- generated:{name} -->\n).*?(<!-- /generated -->)", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"<!-- generated:{name} --> and <!-- /generated --> are missing")
    return marked.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text)


def main() -> int:
    """Writes what is stale, or with `--check` only names it. 1 where anything is stale and stays so."""
    stale = False
    for name, (page, make) in TABLES.items():
        path = DOCS / page
        text = path.read_text(encoding="utf-8")
        made = fresh(text, name, make())
        if made == text:
            continue
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"docs/{page} is stale: run python docs/generate.py\n")
            stale = True
        else:
            path.write_text(made, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
