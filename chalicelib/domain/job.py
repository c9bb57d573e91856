"""Long work that an administrator may watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.identifiers import TenantId

KEEP_JOB = timedelta(days=30)


class JobState(StrEnum):
    """Queued, running, and the two ends."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """One piece of long work of one tenant. `counts` says how far it came."""

    id: str
    tenant_id: TenantId
    type: str
    created_at: datetime
    state: JobState = JobState.QUEUED
    finished_at: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)
    version: int = 0
