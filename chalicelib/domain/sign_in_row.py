"""One row of a bulk sign-in and what became of it. A row is a record of its own: a job of 10,000 would not fit into one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass


class SignInResult(StrEnum):
    """What becomes of a row; it is `pending` at first. `not_tried` is for rows of a job that ended before them."""

    PENDING = "pending"
    SIGNED_IN = "signed_in"
    ALREADY_SIGNED_IN = "already_signed_in"
    REFUSED = "refused"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class SignInRow:
    """`row` counts from 1 below the header. `reason` (a stable code) and `detail` are empty where all went well."""

    job_id: str
    row: int
    username: str
    mac: str
    at: datetime
    result: SignInResult
    reason: str = ""
    detail: str = ""
    version: int = 0
