"""Many devices join the inventory by a table, which is read whole before any device is added; the job then works in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.identifiers import Mac, is_port, parse_mac
from chalicelib.domain.import_row import ImportResult, ImportRow
from chalicelib.domain.job import Job, JobType
from chalicelib.usecases.add_device import LONGEST_LOCATION, Addition, addition, check_location, save_addition
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.job_run import JobRun
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.read_devices import ReadDevice, read_device_lines, read_device_table
from chalicelib.usecases.start_job import new_job
from chalicelib.usecases.table_job import batches_left, done_rows, finish_table, save_table, why_not_tried

ROWS_AT_A_TIME = 30  # each is at most a claim, a line of history and the row itself; a save takes 100 records
LONGEST_MAC_SHOWN = 40
NOTHING = Addition(new=False)
_ENDS = tuple(result for result in ImportResult if result is not ImportResult.PENDING)


def save_import(gateway: Gateway, caller: Caller, text: str, *, by_lines: bool) -> Job:
    """A job with the rows of this table or these JSON lines, saved; nobody works on it yet. Raises BadRequest."""
    job = new_job(gateway, caller.tenant_id, JobType.DEVICE_IMPORT, caller.actor)
    read = read_device_lines(text) if by_lines else read_device_table(text)
    seen: set[Mac] = set()
    rows = sorted((_row(job, item, seen) for item in read), key=_of_port)  # a port may stand above its base
    rows = [replace(row, row=number) for number, row in enumerate(rows, start=1)]
    return save_table(gateway, job, "devices", rows, _ENDS)


def import_steps(run: JobRun) -> Iterator[None]:
    """Adds the rows behind the checkpoint, each batch with its results in one save: nothing is half done."""
    for batch in batches_left(run, lambda table: table.devices, ROWS_AT_A_TIME):
        for rows in _saved_together(batch):
            until_saved(partial(_add_rows, run, rows))
            yield
    finish_table(run)


def _saved_together(rows: Sequence[ImportRow]) -> Iterator[Sequence[ImportRow]]:
    """All the devices themselves; then each port alone, because two ports of one base change the same base."""
    devices = [row for row in rows if not _of_port(row)]
    if devices:
        yield devices
    yield from ([row] for row in rows if _of_port(row))


def _of_port(row: ImportRow) -> bool:
    return row.result is ImportResult.PENDING and is_port(Mac(row.mac))


def _add_rows(run: JobRun, rows: Sequence[ImportRow]) -> None:
    """In one save, with the job's step."""
    run.known()
    added = [_add(run, row) for row in rows]
    progress = done_rows([row for row, _ in added])
    additions = [found for _, found in added if found.changes]
    if len(additions) == 1:
        save_addition(run.carrying(progress), additions[0])
    else:
        run.save(progress, *(record for found in additions for record in found.records))


def _add(run: JobRun, row: ImportRow) -> tuple[ImportRow, Addition]:
    row = replace(row, at=run.gateway.clock())
    if row.result is ImportResult.REFUSED:
        return row, NOTHING
    if run.job.ending:
        return replace(row, result=ImportResult.NOT_TRIED, detail=why_not_tried(run.job)[1]), NOTHING
    try:
        found = addition(run.gateway, run.caller, Mac(row.mac), row.location)
    except (NotFound, BadRequest) as refusal:  # of a port: its base is not there, or has no such port
        return replace(row, result=ImportResult.REFUSED, detail=refusal.detail), NOTHING
    return replace(row, result=ImportResult.ADDED if found.new else ImportResult.KNOWN), found


def _row(job: Job, read: ReadDevice, seen: set[Mac]) -> ImportRow:
    shown = read.mac[:LONGEST_MAC_SHOWN], read.location[:LONGEST_LOCATION]
    refused = ImportRow(job.id, 0, read.line, *shown, job.created_at, ImportResult.REFUSED, read.problem)
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
