"""Small records whose defaults others rely on: jobs, bindings, history."""

from __future__ import annotations

from chalicelib.domain.history import DeviceEvent
from chalicelib.domain.job import Job, JobState
from tests.unit.domain.samples import MAC, NOW, TENANT_ID


def test_a_new_job_is_queued() -> None:
    assert JobState.QUEUED is Job("j1", TENANT_ID, "sync", NOW).state


def test_two_jobs_do_not_share_their_counts() -> None:
    assert Job("j1", TENANT_ID, "sync", NOW).counts is not Job("j2", TENANT_ID, "sync", NOW).counts


def test_an_event_without_a_tenant_is_for_every_claimant() -> None:
    assert DeviceEvent(MAC, NOW, "e1", "onboarded").tenant_id is None
