"""Jobs and their rows as the administrators' API shows them."""

from __future__ import annotations

from typing import TypeVar

from chalice.app import Response

from chalicelib.domain.import_row import ImportRow
from chalicelib.domain.job import Job
from chalicelib.domain.sign_in_row import SignInRow
from chalicelib.handlers.answers import json_answer
from chalicelib.handlers.changes import ApiCall
from chalicelib.handlers.contract import LONGEST_PAGE
from chalicelib.handlers.shapes import shown
from chalicelib.handlers.shapes.jobs import ImportRowView, JobView, JobWithRows, SignInRowView
from chalicelib.usecases.show_jobs import JobRows, list_job_rows

J = TypeVar("J", bound=JobView)


def job_answer(call: ApiCall, job: Job) -> Response:
    """202, where to find the job, and as much of it as there is by now."""
    found = list_job_rows(call.gateway, call.caller, job.id, LONGEST_PAGE, None)
    return json_answer(job_with_rows(found), 202, Location=f"/v1/jobs/{job.id}")


def job_with_rows(found: JobRows) -> JobWithRows:
    """A job with a page of its rows."""
    rows = tuple(import_row_view(row) if isinstance(row, ImportRow) else _sign_in_row_view(row) for row in found.rows.items)
    return _shown_job(JobWithRows, found.job, rows=rows, next_cursor=found.rows.next_cursor)


def job_view(job: Job) -> JobView:
    """A job without its rows."""
    return _shown_job(JobView, job)


def import_row_view(row: ImportRow) -> ImportRowView:
    """One row of an import."""
    return shown(ImportRowView, row)


def _sign_in_row_view(row: SignInRow) -> SignInRowView:
    return shown(SignInRowView, row, reason=row.reason or None, detail=row.detail or None)


def _shown_job(kind: type[J], job: Job, **others: object) -> J:
    return shown(
        kind,
        job,
        requested_by=job.requested_by or None,
        ending=None if job.over else job.ending,
        reason=job.reason or None,
        detail=job.detail or None,
        retry_at=job.held_until if job.waiting_since and not job.holder else None,
        **others,
    )
