"""The phones of a batch of edge events, read together before the first event: two round trips, at half the price.

What is read here may be a second old, and each record is handed out once. Whoever takes one saves it, which is refused where it
has changed since, or loads it again; or has the edge's word that nothing is new.
"""

from __future__ import annotations

from chalicelib.contracts.edge import EventBatch, EventType
from chalicelib.domain.device import Device
from chalicelib.domain.edge import Edge
from chalicelib.domain.installation import Installation, split_username
from chalicelib.usecases.ports import Gateway

Phone = tuple[Installation, Device]


class ReadAhead:
    """Reads who reports a registration: at most two records an event. `edge` sent the batch, watching since `watched_since`."""

    def __init__(self, gateway: Gateway, edge: Edge, batch: EventBatch) -> None:
        self.edge = edge
        self.watched_since = batch.watched_since
        named = [split_username(event.username) for event in batch.events if event.type is EventType.REGISTERED]
        ids = sorted({name[0] for name in named if name})
        found = gateway.store.load_many(Installation, [(item,) for item in ids], fresh=False) if ids else []
        self._installations = {item.id: item for item in found if item}
        macs = sorted({item.mac for item in self._installations.values()})
        devices = gateway.store.load_many(Device, [(mac,) for mac in macs], fresh=False) if macs else []
        self._devices = {device.mac: device for device in devices if device}

    def take(self, username: str) -> Phone | None:
        """The phone of this digest user; None where it is not known or was taken."""
        named = split_username(username)
        installation = self._installations.pop(named[0], None) if named else None
        device = self._devices.pop(installation.mac, None) if installation else None
        return (installation, device) if installation and device else None

    def forget(self) -> None:
        """Nothing of it counts any more: the edge has started anew."""
        self._installations.clear()
        self._devices.clear()
