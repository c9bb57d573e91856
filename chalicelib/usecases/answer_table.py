"""A table that comes with a request, which itself begins to work through it: a small one is done with the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.domain.import_row import ImportRow
from chalicelib.domain.job import Job, JobPart
from chalicelib.usecases.import_devices import save_import
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.run_job import run_part
from chalicelib.usecases.show_jobs import list_job_rows, show_job
from chalicelib.usecases.sign_in_accounts import save_sign_ins

ANSWER_WITHIN = timedelta(seconds=5)  # what takes longer is gone on with after the answer
PAGE_SIZE = 200


def sign_in_accounts(gateway: Gateway, caller: Caller, text: str) -> Job:
    """The job, at its end where there was time for all. Raises BadRequest where the text is no such table."""
    return _begin(gateway, caller, save_sign_ins(gateway, caller, text))


def import_devices(gateway: Gateway, caller: Caller, text: str, *, by_lines: bool) -> Job:
    """As sign_in_accounts. All rows are read before any device is added."""
    return _begin(gateway, caller, save_import(gateway, caller, text, by_lines=by_lines))


def all_import_rows(gateway: Gateway, caller: Caller, job: Job) -> Sequence[ImportRow]:
    """Every row that is done, in the order of the table."""
    rows: list[ImportRow] = []
    cursor = None
    while True:
        page = list_job_rows(gateway, caller, job.id, PAGE_SIZE, cursor).rows
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            return sorted(rows, key=lambda row: row.line)


def _begin(gateway: Gateway, caller: Caller, job: Job) -> Job:
    run_part(gateway, JobPart(job.id), ANSWER_WITHIN)
    return show_job(gateway, caller, job.id)
