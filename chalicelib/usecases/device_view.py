"""A device as its tenant's administrators see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from datetime import datetime

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.connection import connection_of, last_seen_at
from chalicelib.domain.device import Connection, Device, DeviceState
from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.edge import Edge
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.identifiers import CommandId, Language, Mac
from chalicelib.usecases.dossier import load_claimed, load_edges
from chalicelib.usecases.load_user import load_tenant
from chalicelib.usecases.ports import Caller, Gateway


@dataclass(frozen=True)
class DeviceView:
    """A device as its tenant's administrators see it. Times are UTC; `user` and the address only where the tenant owns it."""

    mac: Mac
    vendor: str | None
    model: str | None
    firmware: str | None
    state: DeviceState
    connection: Connection
    location: str
    language: Language
    user: SignedInUser | None
    online_since: datetime | None
    last_seen_at: datetime | None
    onboarded_at: datetime | None
    enrolled_at: datetime | None
    signed_in_at: datetime | None
    ip: str | None
    config_version: int
    applied_version: int
    last_sync_at: datetime | None
    pending_commands: tuple[CommandId, ...]
    incompatible_reason: str | None


@dataclass(frozen=True)
class DeviceDetail(DeviceView):
    """A device of the tenant's own, with what is too much for a list: the settings that were set for it alone."""

    overrides: dict[str, str] = field(default_factory=dict)


def show_device_in_detail(gateway: Gateway, caller: Caller, mac: Mac) -> DeviceView:
    """As show_device; DeviceDetail where the tenant owns the device. Raises NotFound."""
    dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
    view = views_of(gateway, [claim], [dossier.device])[0]
    if dossier.device is None or dossier.device.tenant_id != caller.tenant_id:
        return view
    known = {item.name: getattr(view, item.name) for item in fields(view)}
    return DeviceDetail(**known, overrides=dossier.device.own_overrides)


def show_device(gateway: Gateway, caller: Caller, mac: Mac) -> DeviceView:
    """Raises NotFound."""
    dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
    return views_of(gateway, [claim], [dossier.device])[0]


def views_of(gateway: Gateway, claims: Sequence[Claim], devices: Sequence[Device | None]) -> list[DeviceView]:
    """The views of one tenant's claims and their devices, in order. Reads the tenant, and each edge that holds one of them."""
    edges = load_edges(gateway, devices)
    tenant = load_tenant(gateway, claims[0].tenant_id) if any(device and device.user for device in devices) else None
    synced_at = tenant.sync.started_at if tenant else None
    return [_view(gateway, claim, device, edges, synced_at) for claim, device in zip(claims, devices, strict=True)]


def _view(
    gateway: Gateway, claim: Claim, known: Device | None, edges: Mapping[str, Edge], synced_at: datetime | None
) -> DeviceView:
    device = known if known and known.tenant_id in {None, claim.tenant_id} else None
    binding = device.binding if device else None
    edge = edges.get(binding.edge_id) if binding else None
    state = DeviceState.BLOCKED if device and device.blocked else device.state if device else DeviceState.ADDED
    connection = connection_of(device, edge, gateway.clock())
    owned = device is not None and device.tenant_id == claim.tenant_id
    return DeviceView(
        mac=claim.mac,
        vendor=device.vendor if device else None,
        model=device.model if device else None,
        firmware=device.firmware if device else None,
        state=state,
        connection=connection,
        location=claim.location,
        language=device.language if device else Language.EN,
        user=device.user if device else None,
        online_since=binding.since if binding and connection is Connection.ONLINE else None,
        last_seen_at=last_seen_at(device, edge) if device else None,
        onboarded_at=device.onboarded_at if device else None,
        enrolled_at=device.enrolled_at if device else None,
        signed_in_at=device.signed_in_at if device else None,
        ip=binding.source.rpartition(":")[0].strip("[]") if binding and owned else None,
        config_version=device.config_version if device else 0,
        applied_version=device.applied_version if device else 0,
        last_sync_at=_last_sync_at(device, synced_at) if device else None,
        pending_commands=device.pending_commands if device else (),
        incompatible_reason=(device.incompatible_reason or None) if device else None,
    )


def _last_sync_at(device: Device, synced_at: datetime | None) -> datetime | None:
    """A check that found nothing to change is not written down with the device; the tenant's sync has looked at it as well."""
    times = [time for time in (device.last_sync_at, synced_at if device.user else None) if time]
    return max(times, default=None)
