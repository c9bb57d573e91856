"""The further ports of a base (domain/port.py): how they come into being, follow their base, and leave with it.

A port is a claim of its own. It is enrolled as soon as its base is active for the same tenant, and again with every new
installation of the base: a factory reset signs all of them out, because nobody has proven presence with them since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.edge import EdgeCommand
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Device
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Mac, TenantId, base_mac, port_mac, port_number
from chalicelib.domain.installation import Installation, mark_fetched
from chalicelib.domain.keys import installation_id_of
from chalicelib.domain.port import MOST_PORTS, may_carry, new_port, port_device, with_port
from chalicelib.usecases.dossier import Dossier
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.request_command import account_commands
from chalicelib.vendors import catalogue

DEVICE_ITSELF = 1


@dataclass(frozen=True)
class Base:
    """The device that has a port, and its active installation."""

    device: Device
    installation: Installation


@dataclass(frozen=True)
class EnrolledPorts:
    """Ports that follow their base: `base` with their accounts, and what is saved, removed and told to the edges with it."""

    base: Installation
    save: tuple[Device | Installation, ...] = ()
    remove: tuple[Device | Installation, ...] = ()
    tell: tuple[EdgeCommand, ...] = ()


@dataclass(frozen=True)
class _Known:
    """What the store has of one port."""

    number: int
    claim: Claim | None
    device: Device | None
    installation: Installation | None


def load_base(gateway: Gateway, mac: Mac, tenant_id: TenantId | None) -> Base | None:
    """The base of a port, where it is active for this tenant. Two reads."""
    device = gateway.store.load(Device, base_mac(mac))
    installation = gateway.store.load(Installation, str(device.installation_id)) if device else None
    if device is None or installation is None or not may_carry(installation, tenant_id):
        return None
    return Base(device, installation)


def count_ports(vendor_name: str, model_name: str) -> int:
    """How many accounts a device of this model carries; 1 for one that has no further ports."""
    known = catalogue.vendors().get(vendor_name)
    model = known.models.get(model_name) if known else None
    return model.ports if model else DEVICE_ITSELF


def check_port_number(base: Dossier, tenant_id: TenantId, mac: Mac) -> None:
    """Raises BadRequest for a port that its base does not have, as far as this tenant may know the base's model."""
    device = base.device if base.device and base.device.tenant_id in {None, tenant_id} else None
    most = count_ports(device.vendor, device.model) if device else MOST_PORTS
    if port_number(mac) <= most:
        return
    if most == DEVICE_ITSELF:
        told = f"Device {base.mac} has no ports: a {device.model if device else 'device'} carries one account."
    else:
        told = f"Device {base.mac} has no port {port_number(mac):03}: its ports are 001 to {most:03}."
    raise BadRequest(told, (Problem("/mac", f"must be a port from 001 to {most:03}"),))


def enroll_port(gateway: Gateway, base: Base, port: Dossier) -> EnrolledPorts:
    """One port that its tenant has claimed just now. Nothing is saved."""
    return _enroll(gateway, base.installation, [_Known(port_number(port.mac), None, port.device, None)])


def enroll_ports(gateway: Gateway, base: Installation) -> EnrolledPorts:
    """Every port that the tenant of a newly active base has claimed; what others had there ends. Nothing is saved.

    No read for a model without ports; for others a read for each claim and each device that there may be.
    """
    numbers = range(DEVICE_ITSELF + 1, count_ports(base.vendor, base.model) + 1)
    if not numbers or base.tenant_id is None:
        return EnrolledPorts(replace(base, ports=()))
    macs = [port_mac(base.mac, number) for number in numbers]
    claims = gateway.store.load_many(Claim, [(mac, base.tenant_id) for mac in macs])
    devices = gateway.store.load_many(Device, [(mac,) for mac in macs])
    ids = [str(device.installation_id) for device in devices if device and device.installation_id]
    former = {item.id: item for item in gateway.store.load_many(Installation, [(item,) for item in ids]) if item}
    known = [
        _Known(number, claim, device, former.get(device.installation_id) if device and device.installation_id else None)
        for number, claim, device in zip(numbers, claims, devices, strict=True)
    ]
    ended = [item for item in known if item.claim is None]
    enrolled = _enroll(gateway, replace(base, ports=()), [item for item in known if item.claim])
    gone = [item.installation for item in known if item.installation]
    return replace(
        enrolled,
        remove=(*gone, *(item.device for item in ended if item.device)),
        tell=tuple(command for item in gone for command in account_commands(gateway, item, None)),
    )


def load_claimed_ports(gateway: Gateway, tenant_id: TenantId, base: Dossier) -> list[Mac]:
    """The ports of a base in the tenant's inventory. A read for each that there may be; none for a model without ports."""
    most = count_ports(base.device.vendor, base.device.model) if base.device else MOST_PORTS
    macs = [port_mac(base.mac, number) for number in range(DEVICE_ITSELF + 1, most + 1)]
    claims = gateway.store.load_many(Claim, [(mac, tenant_id) for mac in macs]) if macs else []
    return [claim.mac for claim in claims if claim]


def load_owned_ports(gateway: Gateway, base: Device) -> tuple[list[Device], list[Installation]]:
    """The ports that were enrolled with a base, blocked ones too. As load_claimed_ports, and a read for each."""
    numbers = range(DEVICE_ITSELF + 1, count_ports(base.vendor, base.model) + 1)
    loaded = gateway.store.load_many(Device, [(port_mac(base.mac, number),) for number in numbers]) if numbers else []
    devices = [item for item in loaded if item and item.owned and item.tenant_id == base.tenant_id]
    ids = [(str(item.installation_id),) for item in devices if item.installation_id]
    installations = gateway.store.load_many(Installation, ids) if ids else []
    return devices, [item for item in installations if item]


def block_ports(gateway: Gateway, base: Installation, *, blocked: bool) -> tuple[list[Installation], list[Device]]:
    """The ports in a base's files as they are to be with it; one that was blocked by itself stays so. Nothing is saved."""
    loaded = gateway.store.load_many(Installation, [(port.installation_id,) for port in base.ports])
    installations = [replace(item, blocked=blocked) for item in loaded if item]
    devices = gateway.store.load_many(Device, [(item.mac,) for item in installations])
    return installations, [
        replace(item, blocked=blocked, binding=None if blocked else item.binding) for item in devices if item
    ]


def mark_ports_fetched(gateway: Gateway, base: Installation) -> list[Installation | Device]:
    """The ports whose newest configuration the base is just fetching. A settled base has none, and costs nothing."""
    fresh = {port.installation_id: port for port in base.ports if not port.fetched}
    loaded = gateway.store.load_many(Installation, [(item,) for item in fresh]) if fresh else []
    shown = [item for item in loaded if item and item.config_version == fresh[item.id].config_version]
    devices = gateway.store.load_many(Device, [(item.mac,) for item in shown]) if shown else []
    marked: list[Installation | Device] = [mark_fetched(item) for item in shown]
    marked += [replace(device, applied_version=device.config_version) for device in devices if device]
    return marked


def _enroll(gateway: Gateway, base: Installation, ports: Sequence[_Known]) -> EnrolledPorts:
    saved: list[Device | Installation] = []
    for known in ports:
        seed = gateway.random_text()
        identity = (seed, installation_id_of(gateway.keys.token(seed).reveal()))
        port = new_port(base, known.number, identity, gateway.clock())
        device = port_device(port, known.device, gateway.clock())
        blocked = device.blocked or base.blocked
        port = replace(port, blocked=blocked)
        base = with_port(base, port)
        saved += [port, replace(device, blocked=blocked)]
    return EnrolledPorts(base, tuple(saved))
