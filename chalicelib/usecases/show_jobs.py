"""Jobs as their tenant's administrators see them; and a job is told to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import IllegalMove, NotFound
from chalicelib.domain.import_row import ImportRow
from chalicelib.domain.job import Job, JobPart, JobState, JobType
from chalicelib.domain.sign_in_row import SignInRow
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.filter_page import PART_SIZE, filter_page
from chalicelib.usecases.ports import Caller, Gateway, Page
from chalicelib.usecases.start_job import put_part

_ROWS: dict[JobType, type] = {JobType.SIGN_INS: SignInRow, JobType.DEVICE_IMPORT: ImportRow}


@dataclass(frozen=True)
class JobFilter:
    """Every given word must match."""

    type: JobType | None = None
    state: JobState | None = None


@dataclass(frozen=True)
class JobRows:
    """A job with a part of its rows."""

    job: Job
    rows: Page


def show_job(gateway: Gateway, caller: Caller, job_id: str) -> Job:
    """One job of the caller's tenant. Raises NotFound."""
    job = gateway.store.load(Job, job_id)
    if job is None or job.tenant_id != caller.tenant_id:
        raise NotFound("There is no such job; jobs are kept for 30 days.")
    return job


def list_jobs(gateway: Gateway, caller: Caller, wanted: JobFilter, limit: int, cursor: str | None) -> Page:
    """The tenant's jobs, newest first. With a filter a page may hold fewer than `limit` and still have a next one."""
    size = limit if wanted == JobFilter() else PART_SIZE

    def select(jobs: Sequence[Job]) -> list[Job | None]:
        return [job if wanted.type in {None, job.type} and wanted.state in {None, job.state} else None for job in jobs]

    def read(after: str | None) -> Page:
        return gateway.store.find_newest(Job, caller.tenant_id, limit=size, cursor=after)

    return filter_page(read, select, limit, cursor)


def list_job_rows(gateway: Gateway, caller: Caller, job_id: str, limit: int, cursor: str | None) -> JobRows:
    """One job of the caller's tenant with the rows that are done, none where it is of another type. Raises NotFound."""
    job = show_job(gateway, caller, job_id)
    kind = _ROWS.get(job.type)
    return JobRows(job, gateway.store.find(kind, job_id, limit=limit, cursor=cursor) if kind else Page(()))


def cancel_job(gateway: Gateway, caller: Caller, job_id: str) -> Job:
    """The job ends before its next row; what is done stays done. Raises NotFound, or IllegalMove where it has ended."""

    def attempt() -> Job:
        job = show_job(gateway, caller, job_id)
        if job.over:
            raise IllegalMove(f"The job has ended already: it {job.state}. Look at its rows.")
        if job.ending:
            return job
        detail = f"by {caller.actor}"
        told = replace(job, ending=JobState.CANCELLED, again=False, reason="cancelled", detail=detail)
        free = told if job.holder else replace(told, held_until=None)  # one that waits need not wait any longer
        gateway.store.save(free)
        return free

    job = until_saved(attempt)
    put_part(gateway, JobPart(job.id))  # who holds it ends it with the next save; this is for one that nobody holds
    return show_job(gateway, caller, job.id)
