"""What a `/v1` route declares of itself, in one place: its body, its query, its answers and its problems, as types.

`api_route` takes it; what a declaration says is checked before the view runs where it can be (query parameters, content type),
and handlers/openapi.py renders all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.errors import GatewayError

JSON = "application/json"
CSV = "text/csv"
ZIP = "application/zip"  # among the binary types of Chalice's own table, as is the next
OCTETS = "application/octet-stream"
# What curl, fetch and PowerShell send of themselves with any body; it says nothing about what is in it.
UNSAID = frozenset({"", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"})
LONGEST_PAGE = 200
DEFAULT_PAGE = 50


@dataclass(frozen=True)
class Body:
    """A body that the route takes. Text of a format of its own is `Annotated[str, Keywords(…)]`.

    `closed`: fields that it does not have are refused, as the codec reads with `strict`.
    """

    kind: Any
    media_type: str = JSON
    required: bool = True
    closed: bool = True


@dataclass(frozen=True)
class Answer:
    """A success. `kind` None: no body. `headers` are those that it always has beside Content-Type."""

    kind: Any = None
    status: int = 200
    media_type: str = JSON
    headers: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Nothing:
    """An object without fields, for a request that takes none."""


@dataclass(frozen=True)
class PageQuery:
    """Which part of a list. Begin without a cursor, go on with each answer's `next_cursor` until that is null."""

    limit: Annotated[int, Keywords("The most items to answer with.", minimum=1, maximum=LONGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, Keywords("`next_cursor` of the page before, as it was given.", format="cursor")] = ""


@dataclass(frozen=True)
class Contract:
    """`queries` are types whose fields are the query parameters; `problems` come on top of those that every route has.

    `path` has the type of a variable where it differs from what its name means elsewhere.
    """

    answers: tuple[Answer, ...] = ()
    bodies: tuple[Body, ...] = ()
    queries: tuple[type, ...] = ()
    problems: tuple[type[GatewayError], ...] = ()
    path: Mapping[str, Any] = field(default_factory=dict)


NO_FIELDS = (Body(Nothing, required=False),)
