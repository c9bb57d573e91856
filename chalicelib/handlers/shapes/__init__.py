"""Bodies and answers of `/v1` that are not already a use case's own values; they change only by adding.

The codec renders them, the API's document (handlers/openapi.py) describes them: a docstring here is a description there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

from chalicelib.contracts.frozen import dataclass

T = TypeVar("T")


@dataclass(frozen=True)
class List(Generic[T]):
    """A part of a list, and the cursor for the next part; null at the end. One of a filtered list may be short of its limit."""

    items: tuple[T, ...]
    next_cursor: str | None


def whole(items: Sequence[T]) -> List[T]:
    """A whole list in the form of a page."""
    return List(tuple(items), None)


def shown(kind: type[T], record: Any, **others: Any) -> T:
    """A `kind` of what the record has under the same names, and of `others`."""
    names = [item.name for item in fields(kind)]  # type: ignore[arg-type]  # a shape is a dataclass
    return kind(**{name: others[name] if name in others else getattr(record, name) for name in names})
