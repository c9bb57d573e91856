"""A page of those entries of a list that match: bounded work in each request, however long the list is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.usecases.ports import Page

PART_SIZE = 200
MOST_PARTS = 10


def filter_page(
    read: Callable[[str | None], Page], select: Callable[[Sequence[Any]], Sequence[Any]], limit: int, cursor: str | None
) -> Page:
    """At most `limit` matches behind the cursor. One query for each part, of at most PART_SIZE entries.

    `read` gives the part behind a cursor; `select` says for each of its entries what the page is to hold, None where it does
    not match. Where few match, a page may hold fewer than `limit`, even none, and have a next one: it ends after MOST_PARTS.
    """
    found: list[Any] = []
    for _ in range(MOST_PARTS):
        part = read(cursor)
        for selected, following in zip(select(part.items), part.cursors, strict=True):
            if selected is not None:
                found.append(selected)
            if len(found) == limit:
                return Page(tuple(found), part.next_cursor if following == part.cursors[-1] else following)
        cursor = part.next_cursor
        if cursor is None:
            break
    return Page(tuple(found), cursor)
