"""One row of a devices' import and what became of it. A row is a record of its own: a job of 10,000 would not fit into one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass


class ImportResult(StrEnum):
    """What becomes of a row; it is `pending` at first."""

    PENDING = "pending"
    ADDED = "added"
    KNOWN = "known"
    REFUSED = "refused"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class ImportRow:
    """`row` counts from 1, ports last; `line` is that of the table; `detail` says why one was refused or not tried."""

    job_id: str
    row: int
    line: int
    mac: str
    location: str
    at: datetime
    result: ImportResult
    detail: str = ""
    version: int = 0
