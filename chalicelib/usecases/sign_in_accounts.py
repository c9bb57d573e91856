"""Many common-area accounts are signed in by a table: `Username,HardwareId` (Teams admin center's template).

The table is read whole before any account is signed in. A row that fails stops no other. The same table may be sent again: rows
that are done are `already_signed_in`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from chalicelib.contracts.codec import Problem
from chalicelib.domain.directory import User
from chalicelib.domain.errors import (
    BadRequest,
    GatewayError,
    IllegalMove,
    NotFound,
    NotNow,
)
from chalicelib.domain.identifiers import Mac, TenantId, Upn, find_hardware_id, is_port, parse_upn
from chalicelib.domain.job import Job, JobType
from chalicelib.domain.sign_in_row import SignInResult, SignInRow
from chalicelib.usecases.add_device import add_device
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.job_run import JobRun
from chalicelib.usecases.ports import Caller, Directory, Gateway, Page
from chalicelib.usecases.record_audit import row_entry
from chalicelib.usecases.sign_in_account import advice_to_administrator, sign_in_account
from chalicelib.usecases.start_job import new_job
from chalicelib.usecases.table_job import batches_left, done_rows, finish_table, read_cells, save_table, why_not_tried

HEADER = ("Username", "HardwareId")
ROWS_AT_A_TIME = 50
_ENDS = tuple(result for result in SignInResult if result is not SignInResult.PENDING)
_LONGEST_SHOWN = 120


def save_sign_ins(gateway: Gateway, caller: Caller, text: str) -> Job:
    """A job with the rows of this table, saved; nobody works on it yet. Raises BadRequest where the text is no such table."""
    job = replace(new_job(gateway, caller.tenant_id, JobType.SIGN_INS, caller.actor), address=caller.address)
    return save_table(gateway, job, "sign_ins", list(_read_rows(text, job)), _ENDS)


def sign_in_steps(run: JobRun) -> Iterator[None]:
    """Signs in the accounts of the rows behind the checkpoint. Each sign-in is saved with its row and the job."""
    for batch in batches_left(run, lambda table: table.sign_ins, ROWS_AT_A_TIME):
        users = _load_users(run, batch)
        done: list[SignInRow] = []
        for row in batch:
            ended = _ended_before(run, row) or _try(run, users, row, done)
            done = [*done, ended] if ended else []
        if done:
            until_saved(partial(run.save, done_rows(done)))
        yield
    finish_table(run)


def _load_users(run: JobRun, batch: Sequence[SignInRow]) -> dict[Upn, User]:
    upns = [Upn(row.username) for row in batch if row.result is SignInResult.PENDING]
    return run.gateway.directory.load_users(run.job.tenant_id, upns) if upns and not run.job.ending else {}


def _ended_before(run: JobRun, row: SignInRow) -> SignInRow | None:
    if row.result is not SignInResult.PENDING:
        return replace(row, at=run.gateway.clock())
    if not run.job.ending:
        return None
    reason, detail = why_not_tried(run.job)
    return replace(row, at=run.gateway.clock(), result=SignInResult.NOT_TRIED, reason=reason, detail=detail)


def _try(run: JobRun, users: dict[Upn, User], row: SignInRow, done: Sequence[SignInRow]) -> SignInRow | None:
    """None where the account was signed in: then this row, its audit line and those `done` before it are saved already."""
    row = replace(row, at=run.gateway.clock())
    signed_in = done_rows([*done, replace(row, result=SignInResult.SIGNED_IN)])
    line = row_entry(run.gateway, run.caller, Mac(row.mac))
    carrying = run.carrying(replace(signed_in, rows=(*signed_in.rows, line)))
    gateway = replace(carrying, directory=LoadedUsers(run.gateway.directory, users))
    refused = replace(row, result=SignInResult.REFUSED)
    try:
        if is_port(Mac(row.mac)):  # it comes into being where its base is enrolled, in a save of its own; a known one stays
            add_device(run.gateway, run.caller, Mac(row.mac), "")
        if _sign_in(gateway, run.caller, Mac(row.mac), Upn(row.username)):
            return None
    except NotNow:
        raise
    except NotFound as refusal:
        return replace(refused, reason="device_not_found", detail=refusal.detail)
    except IllegalMove as refusal:
        return replace(refused, reason="device_not_enrolled", detail=refusal.detail)
    except GatewayError as refusal:
        return replace(refused, reason=refusal.code, detail=advice_to_administrator(refusal))
    return replace(row, result=SignInResult.ALREADY_SIGNED_IN)


def _sign_in(gateway: Gateway, caller: Caller, mac: Mac, upn: Upn) -> bool:
    """False where the account is signed in there already."""
    device = load_claimed(gateway, caller.tenant_id, mac)[0].device
    if device is not None and device.owned and device.tenant_id == caller.tenant_id and device.user and device.user.upn == upn:
        return False
    if device is None or not device.owned or device.tenant_id != caller.tenant_id:
        raise IllegalMove(f"Device {mac} is not enrolled in your organisation. Enroll it first.")
    sign_in_account(gateway, caller, mac, upn)
    return True


# --- reading -----------------------------------------------------------------------------------------------------------


class LoadedUsers:
    """The Directory port with the users of one batch at hand, loaded in one go. Only read."""

    writable = False

    def __init__(self, directory: Directory, users: dict[Upn, User]) -> None:
        self._directory = directory
        self._users = users

    def load_users(self, tenant_id: TenantId, upns: Sequence[Upn], *, fresh: bool = True) -> dict[Upn, User]:
        """Of those at hand; their tenant is the job's."""
        del tenant_id, fresh
        return {upn: self._users[upn] for upn in upns if upn in self._users}

    def list_users(self, tenant_id: TenantId, limit: int, cursor: str | None = None) -> Page:
        """As the directory itself."""
        return self._directory.list_users(tenant_id, limit, cursor)


def _read_rows(text: str, job: Job) -> Iterator[SignInRow]:
    seen: set[Mac] = set()
    row = 0
    for row, (_, cells) in enumerate(read_cells(text, HEADER), start=1):
        username, hardware_id = cells[0].strip(), cells[1].strip() if len(cells) > 1 else ""
        shown = username[:_LONGEST_SHOWN], hardware_id[:_LONGEST_SHOWN]
        read = SignInRow(job.id, row, *shown, job.created_at, SignInResult.PENDING)
        yield _read_row(read, username, hardware_id, seen)
    if not row:
        raise BadRequest("The table has no rows.", (Problem("", "must have a row below its header"),))


def _read_row(read: SignInRow, username: str, hardware_id: str, seen: set[Mac]) -> SignInRow:
    refused = replace(read, result=SignInResult.REFUSED)
    mac = find_hardware_id(hardware_id)
    if mac is None:
        detail = "The HardwareId must be a MAC address, XX-XX-XX-XX-XX-XX, or one of its ports, XX-XX-XX-XX-XX-XX:002."
        return replace(refused, reason="wrong_hardware_id", detail=detail)
    try:
        upn = parse_upn(username)
    except BadRequest:
        detail = "The Username must be a user principal name such as lobby@example.com."
        return replace(refused, mac=mac, reason="wrong_username", detail=detail)
    if mac in seen:
        return replace(refused, username=upn, mac=mac, reason="duplicate_row", detail="This device stands in the table twice.")
    seen.add(mac)
    return replace(read, username=upn, mac=mac)
