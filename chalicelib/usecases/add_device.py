"""A device joins the tenant's inventory: a claim for its MAC, with a location for the technician."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Mac
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.device_view import DeviceView, show_device
from chalicelib.usecases.dossier import load_dossier
from chalicelib.usecases.history import mac_event
from chalicelib.usecases.ports import Caller, Gateway

LONGEST_LOCATION = 128
LocationText = Annotated[
    str, Keywords("Where it stands; printable, one line.", format="line", max_length=LONGEST_LOCATION, example="Lobby")
]


def add_device(gateway: Gateway, caller: Caller, mac: Mac, location: str) -> tuple[DeviceView, bool]:
    """The device in the tenant's inventory, and whether it is new there. Adding again changes nothing but an empty location."""
    check_location(location)

    def attempt() -> bool:
        records, new = addition(gateway, caller, mac, location)
        if records:
            gateway.store.save(*records)
        return new

    new = until_saved(attempt)
    return show_device(gateway, caller, mac), new


def addition(gateway: Gateway, caller: Caller, mac: Mac, location: str) -> tuple[list[Any], bool]:
    """What is to be saved to have the device in the inventory, and whether it is new there. One query."""
    claim = load_dossier(gateway, mac).claim_of(caller.tenant_id)
    if claim is not None:
        return [replace(claim, location=location)] if location and not claim.location else [], False
    event = mac_event(gateway, mac, caller.tenant_id, "added", by=caller.actor, location=location)
    return [Claim(caller.tenant_id, mac, location, gateway.clock()), event], True


def check_location(location: str) -> None:
    """Raises BadRequest for what cannot stand on one line of a screen."""
    if len(location) > LONGEST_LOCATION or not location.isprintable():
        detail = f"must be at most {LONGEST_LOCATION} printable characters on one line"
        raise BadRequest("The location cannot be used.", (Problem("/location", detail),))
