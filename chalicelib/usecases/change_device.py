"""An administrator relocates a device, sets its language, or blocks it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain.device import Device
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Language, Mac
from chalicelib.domain.installation import Installation
from chalicelib.usecases.add_device import check_location
from chalicelib.usecases.change_profile import Change, save_and_tell
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.device_view import DeviceView, show_device
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.history import event_of
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.request_command import forget_installations


@dataclass(frozen=True)
class DeviceChange:
    """What may be changed of a device; None leaves a field as it is."""

    location: str | None = None
    language: Language | None = None
    blocked: bool | None = None


def change_device(gateway: Gateway, caller: Caller, mac: Mac, change: DeviceChange) -> DeviceView:
    """Relocates, sets the language of, blocks or unblocks a device. Raises NotFound or BadRequest."""
    if change.location is not None:
        check_location(change.location)

    blocked = until_saved(lambda: _change(gateway, caller, mac, change))
    if blocked is not None:
        forget_installations(gateway, *blocked)
    return show_device(gateway, caller, mac)


def _change(gateway: Gateway, caller: Caller, mac: Mac, change: DeviceChange) -> tuple[Device, list[Installation]] | None:
    """What is to be forgotten at the edge where the device was blocked."""
    dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
    moved = replace(claim, location=claim.location if change.location is None else change.location)
    claims = (moved,) if moved != claim else ()
    device = dossier.device if dossier.device and dossier.device.tenant_id == caller.tenant_id else None
    installation = gateway.store.load(Installation, str(device.installation_id)) if device else None
    if device is None or installation is None:
        if change.language is not None or change.blocked is not None:
            raise BadRequest(f"Device {mac} is not enrolled; only its location can be changed.")
        gateway.store.save(*claims)
        return None
    language = change.language or installation.language
    blocked = installation.blocked if change.blocked is None else change.blocked
    speaks_anew, changes_block = language != installation.language, blocked != installation.blocked
    if not speaks_anew and not changes_block:
        gateway.store.save(*claims)
        return None
    version = installation.config_version + speaks_anew
    changed = replace(installation, language=language, blocked=blocked, config_version=version)
    event = event_of(gateway, device, "changed", language=language.value, blocked=str(blocked).lower(), by=caller.actor)
    view = replace(device, language=language, blocked=blocked, config_version=version)
    if blocked:
        gateway.store.save(changed, replace(view, binding=None), event, *claims)
        return (device, [installation]) if changes_block else None
    save_and_tell(gateway, Change(changed, view, also=(event, *claims), reach_by=device.binding))
    return None
