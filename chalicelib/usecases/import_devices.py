"""Many devices join the inventory by a table, which is read whole before any device is added; the job then works in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Mac, parse_mac
from chalicelib.domain.import_row import ImportResult, ImportRow
from chalicelib.domain.job import Job, JobType
from chalicelib.usecases.add_device import LONGEST_LOCATION, addition, check_location
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.job_run import JobRun
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.read_devices import ReadDevice, read_device_lines, read_device_table
from chalicelib.usecases.start_job import new_job
from chalicelib.usecases.table_job import batches_left, done_rows, finish_table, save_table, why_not_tried

ROWS_AT_A_TIME = 30  # each is at most a claim, a line of history and the row itself; a save takes 100 records
LONGEST_MAC_SHOWN = 40
_ENDS = tuple(result for result in ImportResult if result is not ImportResult.PENDING)


def save_import(gateway: Gateway, caller: Caller, text: str, *, by_lines: bool) -> Job:
    """A job with the rows of this table or these JSON lines, saved; nobody works on it yet. Raises BadRequest."""
    job = new_job(gateway, caller.tenant_id, JobType.DEVICE_IMPORT, caller.actor)
    read = read_device_lines(text) if by_lines else read_device_table(text)
    seen: set[Mac] = set()
    rows = [_row(job, number, item, seen) for number, item in enumerate(read, start=1)]
    return save_table(gateway, job, "devices", rows, _ENDS)


def import_steps(run: JobRun) -> Iterator[None]:
    """Adds the rows behind the checkpoint, each batch with its results in one save: nothing is half done."""
    for batch in batches_left(run, lambda table: table.devices, ROWS_AT_A_TIME):

        def attempt(rows: Sequence[ImportRow] = batch) -> None:
            run.known()
            added = [_add(run, row) for row in rows]
            run.save(done_rows([row for row, _ in added]), *(record for _, records in added for record in records))

        until_saved(attempt)
        yield
    finish_table(run)


def _add(run: JobRun, row: ImportRow) -> tuple[ImportRow, list[Any]]:
    at = run.gateway.clock()
    if row.result is ImportResult.REFUSED:
        return replace(row, at=at), []
    if run.job.ending:
        return replace(row, at=at, result=ImportResult.NOT_TRIED, detail=why_not_tried(run.job)[1]), []
    records, new = addition(run.gateway, run.caller, Mac(row.mac), row.location)
    return replace(row, at=at, result=ImportResult.ADDED if new else ImportResult.KNOWN), records


def _row(job: Job, number: int, read: ReadDevice, seen: set[Mac]) -> ImportRow:
    shown = read.mac[:LONGEST_MAC_SHOWN], read.location[:LONGEST_LOCATION]
    refused = ImportRow(job.id, number, read.line, *shown, job.created_at, ImportResult.REFUSED, read.problem)
    if read.problem:
        return refused
    try:
        mac = parse_mac(read.mac)
        check_location(read.location)
    except BadRequest as refusal:
        return replace(refused, detail=refusal.detail)
    if mac in seen:
        return replace(refused, mac=mac, detail="This MAC address stands in the table twice.")
    seen.add(mac)
    return replace(refused, mac=mac, result=ImportResult.PENDING)
