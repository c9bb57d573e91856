"""Ports: the account positions of a device that carries several users (handsets of a DECT base, sockets of an analog adapter).

Port 1 is the device itself, here called the base. Each further port is a Device and an Installation of its own, so that state,
user, sync and commands are those of any device; only its account stands in the base's files, and `Installation.ports` is all
that these files need to know of it. docs/adr/0009-ports.md says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.device import Device, Move, move, unseen_days
from chalicelib.domain.identifiers import InstallationId, Mac, SipUsername, TenantId, port_mac, port_number
from chalicelib.domain.installation import Account, Installation, Port, Stage

# Of one base: all of them change hands in one save, with what the edge is to forget, and that holds 100 records.
MOST_PORTS = 16


def port_username(port: Port) -> SipUsername:
    """The digest user name of the port's newest account."""
    return SipUsername(f"{port.installation_id}.{port.account.version}")


def may_carry(base: Installation, tenant_id: TenantId | None) -> bool:
    """Whether ports of this tenant may stand in the files of this installation: presence was proven with it, for them."""
    return base.stage is Stage.ACTIVE and tenant_id is not None and base.tenant_id == tenant_id


def new_port(base: Installation, number: int, identity: tuple[str, InstallationId], now: datetime) -> Installation:
    """A further port of an active installation: enrolled with it, nobody signed in. `identity` is its seed and its id."""
    seed, installation_id = identity
    return Installation(
        id=installation_id,
        mac=port_mac(base.mac, number),
        seed=seed,
        vendor=base.vendor,
        model=base.model,
        firmware=base.firmware,
        language=base.language,
        address=base.address,
        created_at=now,
        account=Account(version=1, aor=installation_id),
        stage=Stage.ACTIVE,
        tenant_id=base.tenant_id,
        profile=replace(base.profile, user=None, voicemail="", busy_on_busy=False, may_forward=True),
    )


def port_device(port: Installation, before: Device | None, now: datetime) -> Device:
    """The port as its administrators see it from now on: enrolled, whoever was signed in is not any more."""
    known = before or Device(port.mac, port.vendor, port.model, port.firmware)
    return replace(
        move(known, Move.ENROLL, now),
        installation_id=port.id,
        tenant_id=port.tenant_id,
        model=port.model,
        firmware=port.firmware,
        language=port.language,
        binding=None,
        config_version=port.config_version,
        applied_version=0,
        pending_commands=(),
        incompatible_reason="",
    )


def unseen_with_ports(base: Device, ports: Sequence[Device], seen: Mapping[Mac, datetime | None], now: datetime) -> int:
    """As unseen_days, of a base: nought while one of its ports was seen, or is signed in and has its weeks left.

    `seen` says when each was there last.
    """
    counted = (base, *(port for port in ports if port.last_seen_at and not port.blocked))
    return min(unseen_days(item, seen[item.mac], now) for item in counted)


def offboard_port(port: Device, now: datetime) -> Device:
    """With its base. Its installation ends; it gets another when the base is enrolled anew."""
    return replace(move(port, Move.OFFBOARD, now), installation_id=None, tenant_id=None, pending_commands=())


def with_port(base: Installation, port: Installation) -> Installation:
    """The base after a change of its port: a new configuration version where its files say something else now."""
    number = port_number(port.mac)
    if port.blocked and not base.blocked:
        return without_port(base, number)
    line = Port(number, port.id, port.account, port.config_version, port.profile.user, port.profile.voicemail)
    former = next((item for item in base.ports if item.number == number), None)
    if former is not None and replace(former, fetched=False) == line:
        return base
    others = [item for item in base.ports if item.number != number]
    told = replace(base, ports=tuple(sorted((*others, line), key=lambda item: item.number)))
    if former is not None and replace(former, config_version=line.config_version, fetched=False) == line:
        return told  # another time zone, for one, which its base is told by itself
    return replace(told, config_version=base.config_version + 1)


def without_port(base: Installation, number: int) -> Installation:
    """The base without one of its ports; the same where it has none of this number."""
    ports = tuple(item for item in base.ports if item.number != number)
    if ports == base.ports:
        return base
    return replace(base, ports=ports, config_version=base.config_version + 1)
