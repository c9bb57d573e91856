"""A device leaves the inventory: really, with its secrets, at once."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.device import Device
from chalicelib.domain.identifiers import Mac, is_port, port_number
from chalicelib.domain.installation import Installation
from chalicelib.domain.port import without_port
from chalicelib.usecases.base_ports import load_base, load_claimed_ports
from chalicelib.usecases.change_profile import Change, save_and_tell
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.history import mac_event
from chalicelib.usecases.keep_upload import remove_uploads
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.request_command import forget_installations


def remove_device(gateway: Gateway, caller: Caller, mac: Mac) -> None:
    """Takes the device out of the inventory, and ends it with all its secrets, at once, where this tenant owns it.

    Its ports go before it, so that what breaks off is done by asking again; a port alone leaves its base's files.
    """
    if not is_port(mac):
        for port in load_claimed_ports(gateway, caller.tenant_id, load_claimed(gateway, caller.tenant_id, mac)[0]):
            _remove(gateway, caller, port, tell_base=False)
    _remove(gateway, caller, mac)


def _remove(gateway: Gateway, caller: Caller, mac: Mac, *, tell_base: bool = True) -> None:
    def attempt() -> tuple[Device | None, list[Installation]]:
        dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
        device = dossier.device
        foreign = device is not None and device.tenant_id not in {None, caller.tenant_id}
        shared = len(dossier.claims) > 1 and (device is None or device.tenant_id is None)
        if foreign or shared:
            gateway.store.save(remove=[claim])
            return None, []
        ids = {candidate.installation_id for candidate in dossier.candidates}
        ids |= {device.installation_id} if device and device.installation_id else set()
        loaded = gateway.store.load_many(Installation, [(item,) for item in sorted(ids)])
        installations = [item for item in loaded if item is not None]
        records = [claim, *dossier.candidates, *installations, *([device] if device else [])]
        event = mac_event(gateway, mac, caller.tenant_id, "removed", by=caller.actor)
        base = load_base(gateway, mac, caller.tenant_id) if tell_base and is_port(mac) else None
        if base is None:
            gateway.store.save(event, remove=records)
            return device, installations
        told = without_port(base.installation, port_number(mac))
        phone = replace(base.device, config_version=told.config_version)
        save_and_tell(gateway, Change(told, phone, also=(event,), remove=tuple(records), reach_by=phone.binding))
        return device, installations

    device, installations = until_saved(attempt)
    if device is not None:
        forget_installations(gateway, installations)
        remove_uploads(gateway, mac)
