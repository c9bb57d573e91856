"""A job begins: it is in the store before anybody works on it, so that it is never forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.identifiers import TenantId
from chalicelib.domain.job import Job, JobPart, JobType, OpenJob
from chalicelib.observability import log
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.ports import Gateway


def new_job(gateway: Gateway, tenant_id: TenantId, kind: JobType, requested_by: str = "") -> Job:
    """Not saved yet."""
    return Job(gateway.random_text(), tenant_id, kind, gateway.clock(), requested_by=requested_by)


def start_job(gateway: Gateway, job: Job, also: Sequence[Any] = ()) -> Job:
    """Saves the job with `also` and has its first part done. Raises SaveConflict where its lane is taken."""
    started = save_new(gateway, job, also)
    put_part(gateway, JobPart(job.id))
    return started


def save_new(gateway: Gateway, job: Job, also: Sequence[Any] = ()) -> Job:
    """As start_job, but its first part is the caller's own business."""
    gateway.store.save(job, OpenJob(job.lane, job.id), *also)
    return replace(job, version=1)


def start_or_join(gateway: Gateway, job: Job, *, again: bool) -> Job:
    """Starts the job, or joins the one that its tenant has open. `again` has that one go over everything once more."""

    def attempt() -> Job:
        open_job = gateway.store.load(OpenJob, job.lane)
        if open_job is None:
            return start_job(gateway, job)
        running = gateway.store.load(Job, open_job.job_id)
        if running is None or running.over:  # its end was saved with the removal, so this is a moment's difference
            raise SaveConflict
        if again and not running.again:
            running = replace(running, again=True)
            gateway.store.save(running)
        return running

    return until_saved(attempt)


def put_part(gateway: Gateway, part: JobPart, delay_seconds: int = 0) -> None:
    """Has a part done. Where the queue is away the job is found again by resume_jobs."""
    if not gateway.work.put(part, delay_seconds):
        log().warning("work_queue_away", extra={"job_id": part.job_id})
