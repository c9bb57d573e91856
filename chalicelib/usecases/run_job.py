"""One part of a job: taken, worked on for less than a minute, and handed on. At least once, whatever dies on the way.

What is away for the moment (the directory, the store) puts the job off, longer each time, and says so in the job; after an hour
the job fails with that reason. Other jobs go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.errors import NotNow
from chalicelib.domain.job import FIRST_WAIT, Job, JobPart, JobType, may_take, seconds_held, take, wait
from chalicelib.observability import log
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.import_devices import import_steps
from chalicelib.usecases.job_run import PART_TIME, JobEnding, JobLost, JobRun
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.sign_in_accounts import sign_in_steps
from chalicelib.usecases.start_job import put_part
from chalicelib.usecases.sweep_devices import sweep_steps
from chalicelib.usecases.sync_policy import sync_steps

# Each goes on from the job's checkpoint, yields whenever it has saved a step, and finishes the job by itself.
STEPS: dict[JobType, Callable[[JobRun], Iterator[None]]] = {
    JobType.POLICY_SYNC: sync_steps,
    JobType.SIGN_INS: sign_in_steps,
    JobType.DEVICE_IMPORT: import_steps,
    JobType.DEVICE_SWEEP: sweep_steps,
}


def run_part(gateway: Gateway, part: JobPart, time: timedelta = PART_TIME) -> None:
    """Works on the job where nobody else does. Raises StoreAway where the job cannot even be read: then ask again later."""
    job = _take(gateway, part)
    if job is None:
        return
    run = JobRun(gateway, job, time)
    try:
        _work(run)
    except JobLost:
        log().warning("job_lost", extra={"job_id": job.id, "type": job.type})
    except NotNow as cause:
        _put_off(run, cause)


def _take(gateway: Gateway, part: JobPart) -> Job | None:
    holder = gateway.random_text()

    def attempt() -> Job | None:
        job = gateway.store.load(Job, part.job_id)
        if job is None or job.holder == holder:  # the latter: taken, and the answer to the save was lost
            return job
        if not may_take(job, part, gateway.clock()):
            return None
        gateway.store.save(take(job, holder, gateway.clock()))
        return gateway.store.load(Job, part.job_id)

    job = until_saved(attempt)
    return job if job and job.holder == holder else None


def _work(run: JobRun) -> None:
    while True:
        try:
            for _ in STEPS[run.job.type](run):
                if not run.time_left:
                    run.hand_on()
                    return
        except JobEnding:
            continue  # its steps, begun anew, lead to the end
        log().info("job_ended", extra={"job_id": run.job.id, "type": run.job.type, "state": run.job.state, **run.job.counts})
        return


def _put_off(run: JobRun, cause: NotNow) -> None:
    gateway = run.gateway

    def attempt() -> Job | None:
        job = gateway.store.load(Job, run.job.id)
        if job is None or job.over or job.holder != run.job.holder:
            return None
        put_off = wait(job, cause, gateway.clock())
        gateway.store.save(put_off)
        return put_off

    try:
        put_off = until_saved(attempt)
    except NotNow:  # the store itself: the job stays held for the part that asks again
        put_off = replace(run.job, held_until=gateway.clock() + FIRST_WAIT)
    if put_off is None:
        return
    seconds = seconds_held(put_off, gateway.clock())
    fields = {"job_id": run.job.id, "type": run.job.type, "reason": cause.code, "seconds": seconds}
    log().warning("job_put_off", extra=fields)
    put_part(gateway, JobPart(run.job.id, put_off.holder), seconds)
