"""Jobs and their rows as the administrators' API shows them."""

from __future__ import annotations

from typing import Any

from chalice.app import Response

from chalicelib.domain.import_row import ImportRow
from chalicelib.domain.job import Job
from chalicelib.domain.sign_in_row import SignInRow
from chalicelib.handlers.answers import json_answer
from chalicelib.handlers.changes import ApiCall
from chalicelib.handlers.requests import LONGEST_PAGE
from chalicelib.usecases.show_jobs import JobRows, list_job_rows


def job_answer(call: ApiCall, job: Job) -> Response:
    """202, where to find the job, and as much of it as there is by now."""
    shown = list_job_rows(call.gateway, call.caller, job.id, LONGEST_PAGE, None)
    return json_answer(job_with_rows(shown), 202, Location=f"/v1/jobs/{job.id}")


def job_with_rows(shown: JobRows) -> dict[str, Any]:
    """A job with a page of its rows."""
    return {
        **job_fields(shown.job),
        "rows": [job_row(row) for row in shown.rows.items],
        "next_cursor": shown.rows.next_cursor,
    }


def job_fields(job: Job) -> dict[str, Any]:
    """A job. `total` and `reason` are null where they are not known; `ending` is the end it was told to come to."""
    return {
        "id": job.id,
        "type": job.type,
        "state": job.state,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "requested_by": job.requested_by or None,
        "counts": job.counts,
        "total": job.total,
        "ending": None if job.over else job.ending,
        "reason": job.reason or None,
        "detail": job.detail or None,
        "retry_at": job.held_until if job.waiting_since and not job.holder else None,
    }


def job_row(row: SignInRow | ImportRow) -> dict[str, Any]:
    """One row and what became of it."""
    if isinstance(row, ImportRow):
        return import_row(row)
    return {
        "row": row.row,
        "username": row.username,
        "mac": row.mac,
        "result": row.result,
        "reason": row.reason or None,
        "detail": row.detail or None,
    }


def import_row(row: ImportRow) -> dict[str, Any]:
    """As `POST /v1/devices/import` has always answered it."""
    return {"line": row.line, "mac": row.mac, "location": row.location, "result": row.result, "detail": row.detail}
