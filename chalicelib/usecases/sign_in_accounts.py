"""Many common-area accounts are signed in by a table: `Username,HardwareId` (Teams admin center's template).

The table is read whole before any account is signed in. A row that fails stops no other. The same table may be sent again: rows
that are done are `already_signed_in`, so that is also how the rest of a table goes on that one request had no time for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.contracts.codec import Problem
from chalicelib.domain.errors import (
    BadRequest,
    GatewayError,
    IllegalMove,
    NotCommonArea,
    NotFound,
    UserDisabled,
    UserUnknown,
    UserWithoutNumber,
    UserWithoutPolicy,
)
from chalicelib.domain.identifiers import Mac, Upn, find_hardware_id, is_port, parse_upn
from chalicelib.domain.job import Job, JobState
from chalicelib.domain.sign_in_row import SignInResult, SignInRow
from chalicelib.usecases.add_device import add_device
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.ports import Caller, Gateway, Page
from chalicelib.usecases.sign_in_account import sign_in_account
from chalicelib.usecases.sync_policy import show_job

MOST_ROWS = 1_000
ROWS_AT_A_TIME = 50  # rows are saved as they come, so that a job that breaks off tells how far it came
TIME_FOR_ALL = timedelta(seconds=20)  # API Gateway answers for a function after 29 seconds
JOB_TYPE = "sign_ins"
_LONGEST_SHOWN = 120

_DETAILS: dict[type[GatewayError], str] = {
    UserUnknown: "The directory has no such account. Check its spelling, or add it.",
    UserDisabled: "The account is disabled. Enable it.",
    UserWithoutNumber: "The account has no phone number. Assign one.",
    UserWithoutPolicy: "The account's calling policy is not known here, or lacks sip_devices_for_calls. Set it there.",
    NotCommonArea: "The account is not a common-area account. Set common_area in its calling policy.",
}


@dataclass(frozen=True)
class JobRows:
    """A job with a part of its rows."""

    job: Job
    rows: Page


@dataclass(frozen=True)
class _Wanted:
    """One row as read; with a `reason` it is refused already."""

    row: int
    username: str
    hardware_id: str
    mac: Mac | None = None
    reason: str = ""
    detail: str = ""


def sign_in_accounts(gateway: Gateway, caller: Caller, text: str) -> Job:
    """Signs in row by row; the job says how many, its rows say which. Raises BadRequest where the text is no such table."""
    wanted = list(_read_rows(text))
    started = gateway.clock()
    job = Job(gateway.random_text(), caller.tenant_id, JOB_TYPE, started, state=JobState.RUNNING)
    gateway.store.save(job)
    counts = dict.fromkeys(("rows", *(str(result) for result in SignInResult)), 0)
    for start in range(0, len(wanted), ROWS_AT_A_TIME):
        done = [_row(gateway, caller, job, item) for item in wanted[start : start + ROWS_AT_A_TIME]]
        gateway.store.save(*done)
        for row in done:
            counts["rows"] += 1
            counts[row.result] += 1
    state = JobState.FAILED if counts[SignInResult.NOT_TRIED] else JobState.SUCCEEDED
    ended = replace(job, state=state, finished_at=gateway.clock(), counts=counts, version=1)
    gateway.store.save(ended)
    return ended


def list_job_rows(gateway: Gateway, caller: Caller, job_id: str, limit: int, cursor: str | None) -> JobRows:
    """One job of the caller's tenant with its rows, none where it is of another type. Raises NotFound."""
    job = show_job(gateway, caller, job_id)
    if job.type != JOB_TYPE:
        return JobRows(job, Page(()))
    return JobRows(job, gateway.store.find(SignInRow, job_id, limit=limit, cursor=cursor))


def _row(gateway: Gateway, caller: Caller, job: Job, item: _Wanted) -> SignInRow:
    row = SignInRow(job.id, item.row, item.username, item.mac or item.hardware_id, gateway.clock(), SignInResult.REFUSED)
    if item.mac is None or item.reason:
        return replace(row, reason=item.reason, detail=item.detail)
    if row.at - job.created_at >= TIME_FOR_ALL:
        detail = "There was no time for this row. Send the table again: rows that are signed in are passed over."
        return replace(row, result=SignInResult.NOT_TRIED, reason="out_of_time", detail=detail)
    try:
        return replace(row, result=_sign_in(gateway, caller, item.mac, Upn(item.username)))
    except NotFound as refusal:
        return replace(row, reason="device_not_found", detail=refusal.detail)
    except IllegalMove as refusal:
        return replace(row, reason="device_not_enrolled", detail=refusal.detail)
    except GatewayError as refusal:
        return replace(row, reason=refusal.code, detail=_DETAILS.get(type(refusal), refusal.detail))


def _sign_in(gateway: Gateway, caller: Caller, mac: Mac, upn: Upn) -> SignInResult:
    if is_port(mac):
        add_device(gateway, caller, mac, "")  # a port comes into being where its base is enrolled; known ones stay as they are
    device = load_claimed(gateway, caller.tenant_id, mac)[0].device
    if device is not None and device.owned and device.tenant_id == caller.tenant_id and device.user and device.user.upn == upn:
        return SignInResult.ALREADY_SIGNED_IN
    if device is None or not device.owned or device.tenant_id != caller.tenant_id:
        raise IllegalMove(f"Device {mac} is not enrolled in your organisation. Enroll it first.")
    sign_in_account(gateway, caller, mac, upn)
    return SignInResult.SIGNED_IN


# --- reading -----------------------------------------------------------------------------------------------------------


def _read_rows(text: str) -> Iterator[_Wanted]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [cell.strip().lower() for cell in next(_cells(reader), [])]
    if header != ["username", "hardwareid"]:
        raise BadRequest("The table cannot be read.", (Problem("", "the first line must be: Username,HardwareId"),))
    seen: set[Mac] = set()
    row = 0
    for cells in _cells(reader):
        if not any(cell.strip() for cell in cells):
            continue
        row += 1
        if row > MOST_ROWS:
            raise BadRequest(f"A table may have at most {MOST_ROWS} rows; cut it into several.")
        yield _read_row(row, cells, seen)
    if not row:
        raise BadRequest("The table has no rows.", (Problem("", "must have a row below its header"),))


def _cells(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as wrong:
        raise BadRequest("The table cannot be read.", (Problem("", f"must be CSV: {wrong}"),)) from None


def _read_row(row: int, cells: list[str], seen: set[Mac]) -> _Wanted:
    username, hardware_id = cells[0].strip(), cells[1].strip() if len(cells) > 1 else ""
    read = _Wanted(row, username[:_LONGEST_SHOWN], hardware_id[:_LONGEST_SHOWN])
    mac = find_hardware_id(hardware_id)
    if mac is None:
        detail = "The HardwareId must be a MAC address, XX-XX-XX-XX-XX-XX, or one of its ports, XX-XX-XX-XX-XX-XX:002."
        return replace(read, reason="wrong_hardware_id", detail=detail)
    try:
        upn = parse_upn(username)
    except BadRequest:
        detail = "The Username must be a user principal name such as lobby@example.com."
        return replace(read, mac=mac, reason="wrong_username", detail=detail)
    if mac in seen:
        return replace(read, username=upn, mac=mac, reason="duplicate_row", detail="This device stands in the table twice.")
    seen.add(mac)
    return replace(read, username=upn, mac=mac)
