"""One part's hold on its job: what the part does is saved together with the job's counts and checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.job import Job, JobPart, JobState, OpenJob, end, step
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.ports import Caller, Gateway, Page, Store
from chalicelib.usecases.start_job import put_part

R = TypeVar("R")

PART_TIME = timedelta(seconds=45)  # of a function's minutes; what is begun then is brought to its next checkpoint


class JobLost(Exception):
    """Somebody else holds the job by now, or it has ended: this part is over, and what it did so far is saved."""


class JobEnding(Exception):
    """The job was told to end: no further row is tried."""


@dataclass(frozen=True)
class Progress:
    """What one save adds to a job: to its counts, where its checkpoint is then, and the records of rows that are done."""

    counts: Mapping[str, int] = field(default_factory=dict)
    cursor: str | None = None  # None: where it was
    rows: Sequence[Any] = ()


class JobRun:
    """A held job. Every save of it may raise JobLost; JobEnding only where the job's end was ordered meanwhile."""

    def __init__(self, gateway: Gateway, job: Job, time: timedelta = PART_TIME) -> None:
        self.gateway = gateway
        self.job = job
        self._until = gateway.clock() + time
        self._in_doubt = False

    @property
    def time_left(self) -> bool:
        return self.gateway.clock() < self._until

    @property
    def caller(self) -> Caller:
        """In whose name the job works."""
        return Caller(self.job.tenant_id, self.job.requested_by, frozenset(), address=self.job.address)

    def save(self, progress: Progress, *records: Any, remove: Sequence[Any] = ()) -> None:
        """A step forward: `records` and the job, together. Raises SaveConflict where one of them was changed meanwhile."""
        self._save(step(self._added(progress), self.gateway.clock()), *progress.rows, *records, remove=remove)

    def finish(self, state: JobState, progress: Progress, *records: Any) -> None:
        """The job's end, with the last step."""
        now = self.gateway.clock()
        ended = end(step(self._added(progress), now), state, now)
        self._save(ended, *progress.rows, *records, remove=[OpenJob(ended.lane, ended.id, version=1)])

    def hand_on(self) -> None:
        """The next part goes on: this one's time is up. Between the two the job is free for whoever resumes it."""
        until_saved(lambda: self._save(replace(self.known(), holder="", held_until=None)))
        put_part(self.gateway, JobPart(self.job.id))

    def carrying(self, progress: Progress) -> Gateway:
        """A gateway whose first save saves the job's step as well, all or nothing. Nothing saved means no step."""
        return replace(self.gateway, store=CarryingStore(self.gateway.store, self, progress))

    def start_over(self, progress: Progress) -> None:
        """From the beginning again, because something may have changed behind the checkpoint."""
        self._save(step(replace(self._added(progress), cursor="", again=False), self.gateway.clock()))

    def known(self) -> Job:
        """The job as it is: read again where the last save of it may have met somebody else's. Raises JobLost, JobEnding."""
        if self._in_doubt:
            now = self.gateway.store.load(Job, self.job.id)
            if now is None or now.over or now.holder != self.job.holder:
                raise JobLost
            told_to_end = now.ending is not None and self.job.ending is None
            self.job, self._in_doubt = now, False
            if told_to_end:
                raise JobEnding
        return self.job

    def _added(self, progress: Progress) -> Job:
        job = self.known()
        counts = {**job.counts}
        for name, number in progress.counts.items():
            counts[name] = counts.get(name, 0) + number
        return replace(job, counts=counts, cursor=job.cursor if progress.cursor is None else progress.cursor)

    def _save(self, job: Job, *records: Any, remove: Sequence[Any] = ()) -> None:
        try:
            self.gateway.store.save(job, *records, remove=remove)
        except SaveConflict:
            if self.gateway.store.load(Job, job.id) != replace(job, version=job.version + 1):
                self._in_doubt = True
                raise
            # else it was saved: an answer was lost on the way, and the database's client has asked again
        except BaseException:
            self._in_doubt = True
            raise
        self.job = replace(job, version=job.version + 1)


class CarryingStore:
    """A store whose first save carries a job's step along. All else goes straight through."""

    def __init__(self, store: Store, run: JobRun, progress: Progress) -> None:
        self._store = store
        self._run = run
        self._progress: Progress | None = progress

    @property
    def carried(self) -> bool:
        """Whether the step was saved."""
        return self._progress is None

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        if self._progress is None:
            self._store.save(*records, remove=remove)
            return
        self._run.save(self._progress, *records, remove=remove)
        self._progress = None

    def load(self, kind: type[R], *key: str) -> R | None:
        return self._store.load(kind, *key)

    def load_many(self, kind: type[R], keys: Sequence[tuple[str, ...]], *, fresh: bool = True) -> list[R | None]:
        return self._store.load_many(kind, keys, fresh=fresh)

    def gather(self, kinds: Sequence[type], *partition: str) -> list[Any]:
        return self._store.gather(kinds, *partition)

    def find(self, kind: type, *partition: str, **how: Any) -> Page:
        return self._store.find(kind, *partition, **how)

    def find_newest(self, kind: type, *partition: str, **how: Any) -> Page:
        return self._store.find_newest(kind, *partition, **how)

    def count_up(self, name: str, expires_at: datetime) -> int:
        return self._store.count_up(name, expires_at)

    def remove_expired(self, most: int) -> int:
        return self._store.remove_expired(most)
