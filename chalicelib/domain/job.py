"""Long work of one tenant that an administrator may watch: done in parts, each of which goes on where the one before stopped.

A part *holds* its job: nobody else works on it until the part hands it on, or dies and its hold is over. What a part does is
saved together with the job's counts and checkpoint, so that a job that breaks off anywhere is gone on with exactly there.
"""

from __future__ import annotations

import math
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import NotNow
from chalicelib.domain.identifiers import TenantId
from chalicelib.domain.import_row import ImportRow
from chalicelib.domain.sign_in_row import SignInRow

KEEP_JOB = timedelta(days=30)
HOLD = timedelta(seconds=60)  # from the last save of the part that holds the job; it saves every few seconds
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT_SECONDS = 900  # SQS delays no message longer
GIVE_UP_AFTER = timedelta(hours=1)  # of waiting for something that is away
MOST_TRIES = 20  # without a step forward: parts that die, or wait


class JobState(StrEnum):
    """Queued, running, and the three ends."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobType(StrEnum):
    """What a job does."""

    POLICY_SYNC = "policy_sync"
    SIGN_INS = "sign_ins"
    DEVICE_IMPORT = "device_import"
    DEVICE_SWEEP = "device_sweep"


ONE_AT_A_TIME = {JobType.POLICY_SYNC, JobType.DEVICE_SWEEP}  # of one tenant


@dataclass(frozen=True)
class JobPart:
    """The message that has a part of a job done. `holder` is set where the job is held for this very part."""

    job_id: str
    holder: str = ""


@dataclass(frozen=True)
class Job:
    """One piece of long work of one tenant. `counts` says how far it came; `total` how far it has to go, where that is known.

    `cursor` is its checkpoint, in its type's own terms. `ending` is the end that it was told to come to. `reason` and `detail`
    say what it waits for, or why it failed.
    """

    id: str
    tenant_id: TenantId
    type: JobType
    created_at: datetime
    state: JobState = JobState.QUEUED
    finished_at: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)
    total: int | None = None
    requested_by: str = ""  # empty: by the clock
    address: str = ""  # from where it was asked for, where its rows have lines of the audit
    cursor: str = ""
    again: bool = False  # asked for once more while it ran: what it has passed may have changed since
    holder: str = ""
    held_until: datetime | None = None  # without a holder: not to be gone on with before
    tries: int = 0  # since the last step forward
    waiting_since: datetime | None = None
    ending: JobState | None = None
    reason: str = ""
    detail: str = ""
    version: int = 0

    @property
    def over(self) -> bool:
        """Whether it has come to an end."""
        return self.finished_at is not None

    @property
    def lane(self) -> str:
        """Open jobs of one lane exclude each other."""
        return f"{self.type}#{self.tenant_id}" if self.type in ONE_AT_A_TIME else f"{self.type}#{self.id}"


@dataclass(frozen=True)
class OpenJob:
    """Stands for a job that has not ended: found by whoever takes up what broke off, and by a second job of its lane."""

    lane: str
    job_id: str
    version: int = 0


@dataclass(frozen=True)
class JobTable:
    """A piece of the table that a job works through: its rows as they were read, with the ends of those refused already."""

    job_id: str
    number: int
    created_at: datetime
    sign_ins: tuple[SignInRow, ...] = ()
    devices: tuple[ImportRow, ...] = ()
    version: int = 0


def may_take(job: Job, part: JobPart, now: datetime) -> bool:
    """Whether this part may work on the job now: nobody else does, or its hold is over."""
    free = job.held_until is None or job.held_until <= now
    return not job.over and (free or (part.holder != "" and part.holder == job.holder))


def take(job: Job, holder: str, now: datetime) -> Job:
    """Held by a part. One that was taken too often without a step forward is to fail."""
    worn_out = job.tries >= MOST_TRIES and job.ending is None
    taken = replace(job, state=JobState.RUNNING, holder=holder, held_until=now + HOLD, tries=job.tries + 1)
    return fail(taken, "broken_off", f"The job broke off {MOST_TRIES} times at the same place.") if worn_out else taken


def step(job: Job, now: datetime) -> Job:
    """One step further, and still held."""
    stepped = replace(job, held_until=now + HOLD, tries=0, waiting_since=None)
    return stepped if job.ending else replace(stepped, reason="", detail="")


def wait(job: Job, cause: NotNow, now: datetime) -> Job:
    """Put off with the reason on record: twice as long each time, never shorter than the other side asks for.

    To fail, and at once, where that has gone on for too long.
    """
    since = job.waiting_since or now
    if now - since >= GIVE_UP_AFTER and job.ending is None:
        return fail(replace(job, holder="", held_until=None), cause.code, cause.detail)
    doubled = FIRST_WAIT.seconds << min(max(job.tries - 1, 0), 10)
    seconds = min(max(doubled, cause.retry_after_seconds), LONGEST_WAIT_SECONDS)
    put_off = replace(job, holder="", held_until=now + timedelta(seconds=seconds), waiting_since=since)
    return put_off if job.ending else replace(put_off, reason=cause.code, detail=cause.detail)


def seconds_held(job: Job, now: datetime) -> int:
    """After how many whole seconds another part may take the job."""
    if job.held_until is None:
        return 0
    return min(max(math.ceil((job.held_until - now).total_seconds()), 0), LONGEST_WAIT_SECONDS)


def fail(job: Job, reason: str, detail: str) -> Job:
    """To come to an end as failed."""
    return replace(job, ending=JobState.FAILED, reason=reason, detail=detail)


def end(job: Job, state: JobState, now: datetime) -> Job:
    """At its end."""
    return replace(job, state=state, finished_at=now, holder="", held_until=None)
