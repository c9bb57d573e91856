"""Once a day: devices that nobody has seen for weeks are offboarded, and one-time passwords long over are forgotten.

A tenant's sweep is a job in parts over its inventory: a query for each 100 devices and a read for each, 100,000 reads a day for
100,000 devices. A second key by day of last contact would have the index written with every report of every phone instead.
The ports of a base stay as long as the base does, and are offboarded with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib.domain.connection import last_seen_at
from chalicelib.domain.device import Device, Move, move, unseen_days
from chalicelib.domain.enrollment import Claim, forget_old_otp
from chalicelib.domain.history import DeviceEvent
from chalicelib.domain.identifiers import Mac, is_port
from chalicelib.domain.installation import Installation, demote
from chalicelib.domain.job import JobState, JobType
from chalicelib.domain.port import offboard_port, unseen_with_ports
from chalicelib.usecases.base_ports import load_owned_ports
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_edges
from chalicelib.usecases.history import event_of
from chalicelib.usecases.job_run import JobRun, Progress
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.record_audit import schedule_entry
from chalicelib.usecases.request_command import account_commands, tell_every_edge, wait_at_edge
from chalicelib.usecases.start_job import new_job, start_or_join
from chalicelib.usecases.sync_policy import all_tenants

PAGE_SIZE = 100
MOST_EXPIRED = 1_000  # removed at a time: the store is not kept from its other writers for long
REASON = "not_seen"
COUNTS = ("checked", "offboarded", "otps_forgotten")


def sweep_all_tenants(gateway: Gateway) -> int:
    """The daily schedule: starts a job for every tenant; how many."""
    count = 0
    for tenant in all_tenants(gateway):
        start_or_join(gateway, new_job(gateway, tenant.tenant_id, JobType.DEVICE_SWEEP), again=False)
        count += 1
    return count


def remove_expired(gateway: Gateway) -> int:
    """The hourly schedule: what is over leaves a store that does not see to that itself; how many records."""
    total = 0
    while True:
        removed = gateway.store.remove_expired(MOST_EXPIRED)
        total += removed
        if removed < MOST_EXPIRED:
            return total


def sweep_steps(run: JobRun) -> Iterator[None]:
    """Looks at every device of the tenant's inventory, a page at a time."""
    counts = dict.fromkeys(COUNTS, 0)
    while not run.job.ending:
        page = run.gateway.store.find(Claim, run.job.tenant_id, limit=PAGE_SIZE, cursor=run.job.cursor or None)
        devices = run.gateway.store.load_many(Device, [(claim.mac,) for claim in page.items])
        for claim, device in zip(page.items, devices, strict=True):
            _sweep_one(run, claim, device)
        counts["checked"] = len(page.items)
        if page.next_cursor is None:
            break
        until_saved(partial(run.save, Progress(dict(counts), page.next_cursor)))
        yield
    until_saved(lambda: run.finish(run.known().ending or JobState.SUCCEEDED, Progress(counts)))


def _sweep_one(run: JobRun, claim: Claim, device: Device | None) -> None:
    if (
        device is not None
        and unseen_days(device, device.last_seen_at, run.gateway.clock())
        and _is_of(device, claim)
        and not is_port(claim.mac)
    ):
        until_saved(partial(_offboard, run, device))
    if forget_old_otp(claim, run.gateway.clock()) != claim:
        until_saved(partial(_forget_otp, run, claim))


def _is_of(device: Device, claim: Claim) -> bool:
    """Whether this tenant's sweep is to see to the device: it owns it, or nobody does."""
    return device.tenant_id in {None, claim.tenant_id}


def _offboard(run: JobRun, seen: Device) -> None:
    """Signed out, its account ended, its presence to be proven anew; its ports too. Nothing where one came back meanwhile."""
    gateway, now = run.gateway, run.gateway.clock()
    device = gateway.store.load(Device, seen.mac)
    ports, ended = load_owned_ports(gateway, device) if device else ([], [])
    days = unseen_with_ports(device, ports, _seen(gateway, [device, *ports]), now) if device else 0
    if device is None or not days:
        return
    installation = gateway.store.load(Installation, device.installation_id) if device.installation_id else None
    offboarded = [replace(move(device, Move.OFFBOARD, now), tenant_id=None, pending_commands=())]
    offboarded += [offboard_port(port, now) for port in ports]
    events = [_event(gateway, item, days) for item in (device, *ports)]
    demoted = [demote(installation, now)] if installation else []
    forgets = [command for item in (installation, *ended) if item for command in account_commands(gateway, item, None)]
    waiting = wait_at_edge(gateway, device.edge_id, forgets)
    audited = schedule_entry(run.gateway, run.job.tenant_id, device.mac, JobType.DEVICE_SWEEP)
    records = [*offboarded, *events, *demoted, audited, *waiting]
    run.save(Progress({"offboarded": len(offboarded)}), *records, remove=ended)
    tell_every_edge(gateway, forgets, waiting)


def _seen(gateway: Gateway, devices: Sequence[Device]) -> dict[Mac, datetime | None]:
    """When each was there last: its edge may know of hours more than its own record."""
    edges = load_edges(gateway, devices)
    return {
        device.mac: last_seen_at(device, edges.get(device.binding.edge_id) if device.binding else None) for device in devices
    }


def _event(gateway: Gateway, device: Device, days: int) -> DeviceEvent:
    user = {"user": device.user.upn} if device.user else {}
    return event_of(gateway, device, "offboarded", reason=REASON, days=str(days), **user)


def _forget_otp(run: JobRun, seen: Claim) -> None:
    claim = run.gateway.store.load(Claim, seen.mac, seen.tenant_id)
    forgotten = forget_old_otp(claim, run.gateway.clock()) if claim else None
    if forgotten != claim:
        run.save(Progress({"otps_forgotten": 1}), forgotten)
