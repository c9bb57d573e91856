"""Jobs whose message was lost, with the process that kept it or on its way, are gone on with."""

from __future__ import annotations

from chalicelib.domain.job import Job, JobPart, OpenJob, seconds_held
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.start_job import put_part

PAGE_SIZE = 100


def resume_jobs(gateway: Gateway) -> int:
    """Puts a message for every open job, due when nobody holds it any more; how many. One too many is dropped later."""
    count, cursor = 0, None
    while True:
        page = gateway.store.find(OpenJob, limit=PAGE_SIZE, cursor=cursor)
        jobs = gateway.store.load_many(Job, [(item.job_id,) for item in page.items])
        for item, job in zip(page.items, jobs, strict=True):
            if job is None:  # ended by its 30 days
                gateway.store.save(remove=[item])
                continue
            put_part(gateway, JobPart(job.id), seconds_held(job, gateway.clock()))
            count += 1
        cursor = page.next_cursor
        if cursor is None:
            return count
