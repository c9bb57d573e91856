"""All that is known of one MAC, in one query: the device, the tenants' claims, the candidates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.connection import connection_of
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.edge import Edge
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import NotFound, NotSeenYet
from chalicelib.domain.identifiers import Mac, TenantId, base_mac, is_port
from chalicelib.domain.installation import Candidate
from chalicelib.usecases.ports import Gateway


@dataclass(frozen=True)
class Dossier:
    """The records of one MAC."""

    mac: Mac
    device: Device | None
    claims: tuple[Claim, ...]
    candidates: tuple[Candidate, ...]

    def claim_of(self, tenant_id: TenantId) -> Claim | None:
        """The tenant's claim for this MAC."""
        return next((claim for claim in self.claims if claim.tenant_id == tenant_id), None)


def load_dossier(gateway: Gateway, mac: Mac) -> Dossier:
    """One query."""
    records = gateway.store.gather((Device, Claim, Candidate), mac)
    return Dossier(
        mac=mac,
        device=next((record for record in records if isinstance(record, Device)), None),
        claims=tuple(record for record in records if isinstance(record, Claim)),
        candidates=tuple(record for record in records if isinstance(record, Candidate)),
    )


def load_claimed(gateway: Gateway, tenant_id: TenantId, mac: Mac) -> tuple[Dossier, Claim]:
    """The dossier of a device in the tenant's inventory. Raises NotFound, whoever else knows the device."""
    dossier = load_dossier(gateway, mac)
    claim = dossier.claim_of(tenant_id)
    if claim is None:
        raise NotFound(f"Your inventory has no device {mac}. Add it first.")
    return dossier, claim


def load_owned(gateway: Gateway, tenant_id: TenantId, mac: Mac) -> tuple[Dossier, Device]:
    """As load_claimed, for what needs the phone itself: raises NotSeenYet where it made no contact with this tenant.

    That it is another tenant's looks the same.
    """
    dossier, _ = load_claimed(gateway, tenant_id, mac)
    device = dossier.device
    if device is None and is_port(mac):
        raise NotSeenYet(f"Port {mac} waits for its base: it is enrolled as soon as device {base_mac(mac)} is.")
    if device is None or device.tenant_id not in {None, tenant_id}:
        raise NotSeenYet(f"Device {mac} has not been seen yet. Give it the provisioning URL and start it.")
    return dossier, device


def connection(gateway: Gateway, device: Device | None, now: datetime) -> Connection:
    """Whether the device is registered now. One read more for a device with a binding: its edge."""
    edge = gateway.store.load(Edge, device.binding.edge_id) if device and device.binding else None
    return connection_of(device, edge, now)


def load_edges(gateway: Gateway, devices: Sequence[Device | None]) -> dict[str, Edge]:
    """The edges that hold the bindings of these devices, by id. One read each."""
    names = sorted({device.binding.edge_id for device in devices if device and device.binding})
    loaded = gateway.store.load_many(Edge, [(name,) for name in names]) if names else []
    return {edge.edge_id: edge for edge in loaded if edge}
