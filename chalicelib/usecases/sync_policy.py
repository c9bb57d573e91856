"""Policy sync: what the directory says now reaches the phones; nothing is sent or written where nothing changed.

Hourly for every enabled tenant, at once when an administrator asks or changes the tenant, and for one user when their phone's
registration is reported. A tenant's sync is a job in parts; its checkpoint is the cursor of the next page of installations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.audit import AuditType
from chalicelib.domain.device import Device
from chalicelib.domain.directory import GLOBAL_POLICY, CallingPolicy, User
from chalicelib.domain.identifiers import Upn
from chalicelib.domain.installation import Installation
from chalicelib.domain.job import Job, JobState, JobType
from chalicelib.domain.sync import SyncDecision, decide_sync
from chalicelib.domain.tenant import SyncState, Tenant
from chalicelib.usecases.change_profile import Cause, change_profile
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.job_run import JobRun, Progress
from chalicelib.usecases.load_user import load_tenant
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.start_job import new_job, start_or_join

CHECK_EVERY = timedelta(minutes=15)
PAGE_SIZE = 100
COUNTS = ("checked", "changed", "signed_out")


@dataclass(frozen=True)
class _Known:
    """What a part reads once: the tenant, and its policies by name."""

    tenant: Tenant
    policies: Mapping[str, CallingPolicy]


def sync_all_tenants(gateway: Gateway) -> int:
    """The hourly schedule: starts a job for every enabled tenant; how many. One that is still at work is left alone."""
    count = 0
    for tenant in all_tenants(gateway):
        if tenant.enabled:
            start_or_join(gateway, new_job(gateway, tenant.tenant_id, JobType.POLICY_SYNC), again=False)
            count += 1
    return count


def request_sync(gateway: Gateway, caller: Caller) -> Job:
    """Has the caller's tenant synced; the job says how far it came. One that runs goes over everything once more."""
    job = start_or_join(gateway, new_job(gateway, caller.tenant_id, JobType.POLICY_SYNC, caller.actor), again=True)
    return gateway.store.load(Job, job.id) or job


def sync_steps(run: JobRun) -> Iterator[None]:
    """Compares every installation of the tenant with the directory, a page of users at a time."""
    if run.job.ending:
        until_saved(lambda: _finish(run, Progress()))
        return
    known = _load_known(run)
    while True:
        page = run.gateway.store.find(Installation, known.tenant.tenant_id, limit=PAGE_SIZE, cursor=run.job.cursor or None)
        upns = [item.profile.user.upn for item in page.items if item.profile.user]
        users = run.gateway.directory.load_users(known.tenant.tenant_id, upns) if upns else {}
        for installation in page.items:
            _sync_one(run, known, installation, users)
        checked = {"checked": len(page.items)}
        if page.next_cursor:
            until_saved(partial(run.save, Progress(checked, page.next_cursor)))
        elif until_saved(partial(_finish, run, Progress(checked))):
            return
        else:
            known = _load_known(run)
        yield


def needs_check(device: Device, now: datetime) -> bool:
    """Whether the report of a registration refresh has this device's user checked."""
    return device.user is not None and (device.last_sync_at is None or now - device.last_sync_at >= CHECK_EVERY)


def _load_known(run: JobRun) -> _Known:
    tenant_id = run.job.tenant_id
    policies, cursor = {}, None
    while True:
        page = run.gateway.store.find(CallingPolicy, tenant_id, limit=1000, cursor=cursor)
        policies.update({policy.name: policy for policy in page.items})
        cursor = page.next_cursor
        if cursor is None:
            return _Known(load_tenant(run.gateway, tenant_id), policies)


def _sync_one(run: JobRun, known: _Known, installation: Installation, users: Mapping[Upn, User]) -> None:
    user = users.get(installation.profile.user.upn) if installation.profile.user else None
    policy = known.policies.get(user.policy or GLOBAL_POLICY) if user else None
    decision = decide_sync(known.tenant, installation, user, policy)
    if decision.profile == installation.profile:
        return

    def attempt() -> None:
        current = run.gateway.store.load(Installation, installation.id)
        device = run.gateway.store.load(Device, installation.mac)
        if current is None or device is None or current.profile != installation.profile:
            return  # changed meanwhile; whoever changed it read the directory as well
        if device.installation_id != current.id:
            return  # the phone goes on under another installation
        carrying = run.carrying(Progress(_counts_of(decision)))
        cause = Cause(decision.sign_out_reason or "policy_sync", AuditType.SCHEDULE)
        change_profile(carrying, current, device, decision.profile, cause)

    until_saved(attempt)


def _counts_of(decision: SyncDecision) -> dict[str, int]:
    """`policy_unknown` only where somebody has to import a policy: see SyncState."""
    counts = {"changed": 1, "signed_out": int(bool(decision.sign_out_reason))}
    return {**counts, "policy_unknown": 1} if decision.policy_unknown else counts


def _finish(run: JobRun, progress: Progress) -> bool:
    """False where the job goes over everything once more, because it was asked for again behind its checkpoint."""
    job = run.known()
    if job.again and not job.ending:
        run.start_over(progress)
        return False
    counts = {name: job.counts.get(name, 0) + progress.counts.get(name, 0) for name in {*COUNTS, *job.counts}}
    tenant = load_tenant(run.gateway, job.tenant_id)
    synced = replace(tenant, sync=SyncState(job.created_at, run.gateway.clock(), **counts))
    every = Progress({name: progress.counts.get(name, 0) for name in COUNTS})  # nought is shown too
    run.finish(job.ending or JobState.SUCCEEDED, every, *([] if job.ending else [synced]))
    if job.again:  # asked for after it was told to end
        start_or_join(run.gateway, new_job(run.gateway, job.tenant_id, JobType.POLICY_SYNC, job.requested_by), again=True)
    return True


def all_tenants(gateway: Gateway) -> Iterator[Tenant]:
    """Every tenant, enabled or not."""
    cursor = None
    while True:
        page = gateway.store.find(Tenant, limit=PAGE_SIZE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
