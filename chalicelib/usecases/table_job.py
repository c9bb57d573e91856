"""Jobs that work through a table, row by row: how the table is kept, and where its checkpoint is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from chalicelib.contracts.codec import Problem
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.import_row import ImportRow
from chalicelib.domain.job import Job, JobState, JobTable
from chalicelib.domain.sign_in_row import SignInRow
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.job_run import JobRun, Progress
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.start_job import save_new

Row = TypeVar("Row", SignInRow, ImportRow)

MOST_ROWS = 10_000
ROWS_IN_A_PIECE = 200  # so that a whole table and its job fit into one save
_SEPARATORS = (",", ";", "\t")


def save_table(gateway: Gateway, job: Job, column: str, rows: Sequence[Row], counts: Iterable[str]) -> Job:
    """Saves the job with its table, all or nothing; `column` of JobTable has the rows, `counts` are counted from nought."""
    pieces: list[JobTable] = []
    for start in range(0, len(rows), ROWS_IN_A_PIECE):
        piece: Any = {column: tuple(rows[start : start + ROWS_IN_A_PIECE])}
        pieces.append(JobTable(job.id, len(pieces), job.created_at, **piece))
    return save_new(gateway, replace(job, total=len(rows), counts=dict.fromkeys(("rows", *counts), 0)), pieces)


def batches_left(run: JobRun, rows_of: Callable[[JobTable], Sequence[Row]], most: int) -> Iterator[Sequence[Row]]:
    """The rows behind the checkpoint, which is the number of rows done, at most so many at a time."""
    while True:
        done = int(run.job.cursor or 0)
        piece, start = divmod(done, ROWS_IN_A_PIECE)
        table = run.gateway.store.load(JobTable, run.job.id, format(piece, "04"))
        rows = rows_of(table)[start : start + most] if table else ()
        if not rows:
            return
        yield rows


def done_rows(rows: Sequence[Row]) -> Progress:
    """A step by these rows, each with its result."""
    counts = {"rows": len(rows)}
    for row in rows:
        counts[str(row.result)] = counts.get(str(row.result), 0) + 1
    return Progress(counts, str(rows[-1].row), rows)


def finish_table(run: JobRun) -> None:
    """After the last row."""
    until_saved(lambda: run.finish(run.known().ending or JobState.SUCCEEDED, Progress()))


def why_not_tried(job: Job) -> tuple[str, str]:
    """Reason and detail of the rows that a job ends before."""
    if job.ending is JobState.CANCELLED:
        return "cancelled", f"The job was cancelled {job.detail} before this row. Send the row again."
    return job.reason, f"The job ended before this row: {job.detail}"


def read_cells(text: str, header: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV table with the line that each begins on, empty ones left out. Raises BadRequest.

    Spreadsheets write semicolons where a comma stands in numbers, and tabs: what is between the header's names counts.
    """
    reader = _cells(text.removeprefix("\ufeff"), header)
    _, first = next(reader, (1, []))
    if [cell.strip().lower() for cell in first] != [name.lower() for name in header]:
        raise BadRequest("The table cannot be read.", (Problem("", f"the first line must be: {','.join(header)}"),))
    count = 0
    for line, cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MOST_ROWS:
            raise BadRequest(f"A table may have at most {MOST_ROWS} rows; cut it into several.")
        yield line, cells


def _cells(text: str, header: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    first = text.partition("\n")[0].lower().replace('"', "")
    names = [name.lower() for name in header]
    separator = next((sign for sign in _SEPARATORS if [cell.strip() for cell in first.split(sign)] == names), ",")
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as wrong:
        raise BadRequest("The table cannot be read.", (Problem("", f"must be CSV: {wrong}"),)) from None
