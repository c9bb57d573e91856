"""Bodies and answers of `/v1/sync`, `/v1/sign-ins` and `/v1/jobs`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.import_row import ImportResult
from chalicelib.domain.job import JobState, JobType
from chalicelib.domain.sign_in_row import SignInResult
from chalicelib.handlers.contract import LONGEST_PAGE

SignInTable = Annotated[
    str,
    Keywords(
        "A table as the Teams admin center has it; the first line is `Username,HardwareId`. At most 10,000 rows.",
        format="sign-in-table",
        example="Username,HardwareId\r\nlobby@example.com,80-5E-C0-12-34-56\r\n",
    ),
]


@dataclass(frozen=True)
class SignInRowView:
    """A row of a bulk sign-in, from 1. `reason` is a stable code; it and `detail` are null where all went well."""

    row: int
    username: str
    mac: str
    result: SignInResult
    reason: str | None
    detail: str | None


@dataclass(frozen=True)
class ImportRowView:
    """A row of an import. `line` is that of the table; `detail` says why a row was refused, and is empty otherwise."""

    line: int
    mac: str
    location: str
    result: ImportResult
    detail: str


@dataclass(frozen=True)
class JobView:
    """A piece of long work. `counts` says how far it came, `total` how far it has to go, null where that is not known.

    `ending` is the end that it was told to come to and has not reached. `reason`, a stable code, and `detail` say what it waits
    for or why it failed; `retry_at` is when one that waits is gone on with. `requested_by` is null for one of the clock.
    """

    id: str
    type: JobType
    state: JobState
    created_at: datetime
    finished_at: datetime | None
    requested_by: str | None
    counts: dict[str, int]
    total: int | None
    ending: JobState | None
    reason: str | None
    detail: str | None
    retry_at: datetime | None


@dataclass(frozen=True)
class JobWithRows(JobView):
    """A job with a page of its rows, where it has any."""

    rows: tuple[SignInRowView | ImportRowView, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class JobQuery:
    """Which part of a job's rows, as many as there may be unless told."""

    limit: Annotated[int, Keywords("The most rows to answer with.", minimum=1, maximum=LONGEST_PAGE)] = LONGEST_PAGE
    cursor: Annotated[str, Keywords("`next_cursor` of the page before, as it was given.", format="cursor")] = ""
