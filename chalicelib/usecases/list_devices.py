"""The tenant's inventory, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Connection, Device, DeviceState
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.identifiers import find_hardware_id
from chalicelib.usecases.device_view import DeviceView, views_of
from chalicelib.usecases.filter_page import PART_SIZE, filter_page
from chalicelib.usecases.ports import Caller, Gateway, Page


@dataclass(frozen=True)
class DeviceFilter:
    """Every given word must match, without regard to case; `q` is looked for in MAC, location, user and number."""

    state: DeviceState | None = None
    connection: Connection | None = None
    vendor: str | None = None
    model: str | None = None
    user: str | None = None
    location: str | None = None
    q: str | None = None


def list_devices(gateway: Gateway, caller: Caller, wanted: DeviceFilter, limit: int, cursor: str | None) -> Page:
    """The tenant's devices by MAC. With a filter a page may hold fewer than `limit` and still have a next one."""
    size = limit if wanted == DeviceFilter() else PART_SIZE

    def select(claims: Sequence[Claim]) -> list[DeviceView | None]:
        devices = gateway.store.load_many(Device, [(claim.mac,) for claim in claims])
        return [view if _matches(view, wanted) else None for view in views_of(gateway, claims, devices)]

    def read(after: str | None) -> Page:
        return gateway.store.find(Claim, caller.tenant_id, limit=size, cursor=after)

    return filter_page(read, select, limit, cursor)


def _matches(view: DeviceView, wanted: DeviceFilter) -> bool:
    user = view.user.upn if view.user else ""
    exact = (
        (wanted.state, view.state),
        (wanted.connection, view.connection),
        (wanted.vendor, view.vendor or ""),
        (wanted.model, view.model or ""),
        (wanted.user, user),
        (wanted.location, view.location),
    )
    if any(word is not None and word.lower() != value.lower() for word, value in exact):
        return False
    text = " ".join(
        (view.mac, view.location, user, view.user.display_name if view.user else "", view.user.number if view.user else "")
    )
    query = wanted.q or ""
    return query.lower() in text.lower() or (find_hardware_id(query) or "-") in view.mac
