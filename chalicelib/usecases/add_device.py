"""A device joins the tenant's inventory: a claim for its MAC, with a location for the technician.

A further port of a base joins likewise, and is enrolled with its base: at once where the base is, else when it will be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Mac, base_mac, is_port
from chalicelib.usecases.base_ports import Base, check_port_number, enroll_port, load_base
from chalicelib.usecases.change_profile import Change, save_and_tell
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.device_view import DeviceView, show_device
from chalicelib.usecases.dossier import Dossier, load_claimed, load_dossier
from chalicelib.usecases.history import mac_event
from chalicelib.usecases.ports import Caller, Gateway

LONGEST_LOCATION = 128
LocationText = Annotated[
    str, Keywords("Where it stands; printable, one line.", format="line", max_length=LONGEST_LOCATION, example="Lobby")
]


@dataclass(frozen=True)
class Addition:
    """What is to be saved to have a device in the inventory, and whether it is new there.

    `with_base` is for a port of a base in use: the base's change, which takes `records` along.
    """

    new: bool
    records: tuple[Any, ...] = ()
    with_base: Change | None = None

    @property
    def changes(self) -> bool:
        """Whether there is anything to save."""
        return bool(self.records) or self.with_base is not None


def add_device(gateway: Gateway, caller: Caller, mac: Mac, location: str) -> tuple[DeviceView, bool]:
    """The device in the tenant's inventory, and whether it is new there. Adding again changes nothing but an empty location.

    Raises NotFound for a port of a base that the inventory lacks, BadRequest for one that the base does not have.
    """
    check_location(location)

    def attempt() -> bool:
        found = addition(gateway, caller, mac, location)
        save_addition(gateway, found)
        return found.new

    new = until_saved(attempt)
    return show_device(gateway, caller, mac), new


def addition(gateway: Gateway, caller: Caller, mac: Mac, location: str) -> Addition:
    """Decides; nothing is saved. One query; a port's base costs another and two reads. Raises as add_device."""
    dossier = load_dossier(gateway, mac)
    if is_port(mac):
        check_port_number(load_claimed(gateway, caller.tenant_id, base_mac(mac))[0], caller.tenant_id, mac)
    claim = dossier.claim_of(caller.tenant_id)
    records: tuple[Any, ...] = ()
    if claim is None:
        event = mac_event(gateway, mac, caller.tenant_id, "added", by=caller.actor, location=location)
        records = Claim(caller.tenant_id, mac, location, gateway.clock()), event
    elif location and not claim.location:
        records = (replace(claim, location=location),)
    apart = is_port(mac) and (dossier.device is None or not dossier.device.owned)
    base = load_base(gateway, mac, caller.tenant_id) if apart else None
    return Addition(claim is None, records, _with_base(gateway, base, dossier, records) if base else None)


def save_addition(gateway: Gateway, found: Addition) -> None:
    """In one save, and a port's base is told. Nothing is saved where there is nothing to change."""
    if found.with_base is not None:
        save_and_tell(gateway, found.with_base)
    elif found.records:
        gateway.store.save(*found.records)


def _with_base(gateway: Gateway, base: Base, port: Dossier, records: tuple[Any, ...]) -> Change:
    """Enrolled at once, with its base: that has another account in its files, and is told."""
    enrolled = enroll_port(gateway, base, port)
    phone = replace(base.device, config_version=enrolled.base.config_version)
    return Change(enrolled.base, phone, also=(*enrolled.save, *records), reach_by=phone.binding)


def check_location(location: str) -> None:
    """Raises BadRequest for what cannot stand on one line of a screen."""
    if len(location) > LONGEST_LOCATION or not location.isprintable():
        detail = f"must be at most {LONGEST_LOCATION} printable characters on one line"
        raise BadRequest("The location cannot be used.", (Problem("/location", detail),))
