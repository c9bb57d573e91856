"""Lines of a device's history."""

from __future__ import annotations

from chalicelib.domain.device import Device
from chalicelib.domain.history import DeviceEvent
from chalicelib.domain.identifiers import Mac, TenantId
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.ports import Caller, Gateway, Page

SHOWN_TO_EVERY_CLAIMANT: TenantId | None = None


def event_of(gateway: Gateway, device: Device, kind: str, **detail: str) -> DeviceEvent:
    """A line for the device's owner, now."""
    return mac_event(gateway, device.mac, device.tenant_id, kind, **detail)


def mac_event(gateway: Gateway, mac: Mac, tenant_id: TenantId | None, kind: str, **detail: str) -> DeviceEvent:
    """A line for one tenant, or for every tenant that claims the MAC (None)."""
    return DeviceEvent(mac=mac, at=gateway.clock(), id=gateway.random_text(), type=kind, tenant_id=tenant_id, detail=detail)


def list_events(gateway: Gateway, caller: Caller, mac: Mac, limit: int, cursor: str | None) -> Page:
    """The device's history, newest first: the tenant's own lines and those from before anybody owned it. Raises NotFound."""
    load_claimed(gateway, caller.tenant_id, mac)
    page = gateway.store.find_newest(DeviceEvent, mac, limit=limit, cursor=cursor)
    return Page(
        tuple(event for event in page.items if event.tenant_id in {SHOWN_TO_EVERY_CLAIMANT, caller.tenant_id}), page.next_cursor
    )
