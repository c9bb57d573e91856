"""Policy sync: what the directory says now reaches the phones; nothing is sent or written where nothing changed.

Hourly for every enabled tenant, at once when an administrator asks, and for one user when their phone's registration is
reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.device import Device
from chalicelib.domain.directory import GLOBAL_POLICY, CallingPolicy, User
from chalicelib.domain.errors import NotFound
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Installation
from chalicelib.domain.job import Job, JobState
from chalicelib.domain.sync import decide_sync
from chalicelib.domain.tenant import SyncState, Tenant
from chalicelib.usecases.change_profile import change_profile
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.load_user import load_tenant
from chalicelib.usecases.ports import Caller, Gateway

CHECK_EVERY = timedelta(minutes=15)
PAGE_SIZE = 100


@dataclass(frozen=True)
class SyncCounts:
    """How much of a tenant was looked at, and what came of it. `policy_unknown`: see SyncState."""

    checked: int = 0
    changed: int = 0
    signed_out: int = 0
    policy_unknown: int = 0


def sync_all_tenants(gateway: Gateway) -> int:
    """The hourly schedule. The number of tenants synced."""
    tenants = [tenant for tenant in _all_tenants(gateway) if tenant.enabled]
    for tenant in tenants:
        sync_tenant(gateway, tenant.tenant_id)
    return len(tenants)


def request_sync(gateway: Gateway, caller: Caller) -> Job:
    """Syncs the caller's tenant now; the job says what was done."""
    started = gateway.clock()
    job = Job(id=gateway.random_text(), tenant_id=caller.tenant_id, type="policy_sync", created_at=started)
    counts = sync_tenant(gateway, caller.tenant_id)
    done = replace(
        job,
        state=JobState.SUCCEEDED,
        finished_at=gateway.clock(),
        counts=_shown(counts),
    )
    gateway.store.save(done)
    return done


def show_job(gateway: Gateway, caller: Caller, job_id: str) -> Job:
    """One job of the caller's tenant. Raises NotFound."""
    job = gateway.store.load(Job, job_id)
    if job is None or job.tenant_id != caller.tenant_id:
        raise NotFound("There is no such job; jobs are kept for 30 days.")
    return job


def sync_tenant(gateway: Gateway, tenant_id: TenantId) -> SyncCounts:
    """Compares every installation of the tenant with the directory. Users are read a page at a time, policies once."""
    started_at = gateway.clock()
    tenant = load_tenant(gateway, tenant_id)
    policies = {policy.name: policy for policy in gateway.store.find(CallingPolicy, tenant_id, limit=1000).items}
    counts = SyncCounts()
    for page in _installation_pages(gateway, tenant_id):
        users = gateway.directory.load_users(tenant_id, [item.profile.user.upn for item in page if item.profile.user])
        for installation in page:
            counts = _sync_one(gateway, tenant, installation, (users, policies), counts)
    _record_sync(gateway, tenant_id, started_at, counts)
    return counts


def needs_check(device: Device, now: datetime) -> bool:
    """Whether the report of a registration refresh has this device's user checked."""
    return device.user is not None and (device.last_sync_at is None or now - device.last_sync_at >= CHECK_EVERY)


def _sync_one(
    gateway: Gateway,
    tenant: Tenant,
    installation: Installation,
    known: tuple[dict[Upn, User], dict[str, CallingPolicy]],
    counts: SyncCounts,
) -> SyncCounts:
    users, policies = known
    user = users.get(installation.profile.user.upn) if installation.profile.user else None
    policy = policies.get(user.policy or GLOBAL_POLICY) if user else None
    decision = decide_sync(tenant, installation, user, policy)
    if decision.profile == installation.profile:
        return replace(counts, checked=counts.checked + 1)

    def attempt() -> bool:
        current = gateway.store.load(Installation, installation.id)
        device = gateway.store.load(Device, installation.mac)
        if current is None or device is None or current.profile != installation.profile:
            return False  # changed meanwhile; whoever changed it read the directory as well
        if device.installation_id != current.id:
            return False  # the phone goes on under another installation
        change_profile(gateway, current, device, decision.profile, decision.sign_out_reason or "policy_sync")
        return True

    changed = until_saved(attempt)
    return SyncCounts(
        checked=counts.checked + 1,
        changed=counts.changed + changed,
        signed_out=counts.signed_out + (changed and bool(decision.sign_out_reason)),
        policy_unknown=counts.policy_unknown + (changed and decision.policy_unknown),
    )


def _shown(counts: SyncCounts) -> dict[str, int]:
    """`policy_unknown` only where somebody has to import a policy."""
    return {name: count for name, count in asdict(counts).items() if count or name != "policy_unknown"}


def _record_sync(gateway: Gateway, tenant_id: TenantId, started_at: datetime, counts: SyncCounts) -> None:
    def attempt() -> None:
        state = SyncState(started_at, gateway.clock(), **asdict(counts))
        gateway.store.save(replace(load_tenant(gateway, tenant_id), sync=state))

    until_saved(attempt)


def _all_tenants(gateway: Gateway) -> Iterator[Tenant]:
    cursor = None
    while True:
        page = gateway.store.find(Tenant, limit=PAGE_SIZE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _installation_pages(gateway: Gateway, tenant_id: TenantId) -> Iterator[tuple[Installation, ...]]:
    cursor = None
    while True:
        page = gateway.store.find(Installation, tenant_id, limit=PAGE_SIZE, cursor=cursor)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return
