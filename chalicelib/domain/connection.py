"""Whether a device is registered, and when it was there last: from its own record and from its edge's.

The edge reports every end of a binding, and says with each batch that it goes on watching. So a phone that only refreshes need
not be written down each time: it is online for as long as its edge watches it and has not reported its end.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.binding import Binding
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.edge import Edge

BINDING_NOTED_EVERY = timedelta(hours=6)  # of a phone whose reports say nothing new
SILENCE_MEANS_OFFLINE = timedelta(minutes=21)  # a report every 15 minutes, a registration of at most 5, and one to spare
EDGE_SILENCE_MEANS_OFFLINE = timedelta(minutes=10)  # the edge is gone, and its phones have had time to turn to another


def connection_of(device: Device | None, edge: Edge | None, now: datetime) -> Connection:
    """Online while its binding was just reported, or its edge goes on watching it. `edge` is the one that holds its binding."""
    if device is None or device.last_seen_at is None:
        return Connection.NEVER
    binding = device.binding
    if binding is None or has_restarted(edge, binding):
        return Connection.OFFLINE
    if now - binding.seen_at <= SILENCE_MEANS_OFFLINE:
        return Connection.ONLINE
    held = _held_until(edge, binding)
    return Connection.ONLINE if held is not None and now - held <= EDGE_SILENCE_MEANS_OFFLINE else Connection.OFFLINE


def last_seen_at(device: Device, edge: Edge | None) -> datetime | None:
    """When it was registered last, to a minute; None where it never was. `edge` as in connection_of."""
    held = _held_until(edge, device.binding) if device.binding else None
    return max(device.last_seen_at, held) if device.last_seen_at and held else device.last_seen_at


def has_restarted(edge: Edge | None, binding: Binding) -> bool:
    """Whether the edge lost this binding by starting anew."""
    return edge is not None and edge.started_at is not None and edge.started_at > binding.seen_at


def _held_until(edge: Edge | None, binding: Binding) -> datetime | None:
    """Until when the edge is known to have had this binding: the end of the watch in which it was reported."""
    watches = edge.watches if edge else ()
    own = next((watch for watch in reversed(watches) if watch.since <= binding.seen_at), None)
    return own.until if own else None
