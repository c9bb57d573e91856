"""A filtered page: every match once, in order, and bounded work in each request."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.usecases.filter_page import MOST_PARTS, filter_page
from chalicelib.usecases.ports import Page


class Numbers:
    """A list of the numbers below `length`, in parts; the cursor behind a number is the number."""

    def __init__(self, length: int, part: int) -> None:
        self.length = length
        self.part = part
        self.asked = 0

    def read(self, cursor: str | None) -> Page:
        self.asked += 1
        start = int(cursor) + 1 if cursor else 0
        items = tuple(range(start, min(start + self.part, self.length)))
        more = str(items[-1]) if items and items[-1] + 1 < self.length else None
        return Page(items, more, tuple(map(str, items)))


def multiples(of: int, seen: Sequence[int]) -> list[int | None]:
    return [number if number % of == 0 else None for number in seen]


@given(length=st.integers(0, 60), part=st.integers(1, 9), limit=st.integers(1, 9), of=st.integers(1, 12))
def test_pages_together_are_every_match_once(length: int, part: int, limit: int, of: int) -> None:
    numbers = Numbers(length, part)
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = filter_page(numbers.read, lambda seen: multiples(of, seen), limit, cursor)
        assert limit >= len(page.items)
        found += page.items
        cursor = page.next_cursor

    assert list(range(0, length, of)) == found


def test_a_page_ends_after_so_many_parts_although_nothing_matched() -> None:
    numbers = Numbers(1_000, 10)
    page = filter_page(numbers.read, lambda seen: [None] * len(seen), 5, None)

    assert ((), str(10 * MOST_PARTS - 1), MOST_PARTS) == (page.items, page.next_cursor, numbers.asked)


def test_a_page_that_is_full_with_the_last_entry_is_the_last() -> None:
    assert None is filter_page(Numbers(10, 5).read, lambda seen: multiples(9, seen), 2, None).next_cursor
