"""An administrator relocates a device, sets its language, or blocks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chalicelib.domain.device import Device
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Language, Mac
from chalicelib.domain.installation import Installation
from chalicelib.usecases.add_device import check_location
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.device_view import DeviceView, show_device
from chalicelib.usecases.dossier import Dossier, load_claimed
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

    def attempt() -> tuple[Dossier, Installation | None]:
        dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
        changes: list[object] = []
        if change.location is not None and change.location != claim.location:
            changes.append(replace(claim, location=change.location))
        device = dossier.device if dossier.device and dossier.device.tenant_id == caller.tenant_id else None
        installation = gateway.store.load(Installation, str(device.installation_id)) if device else None
        if device and installation:
            changes.extend(_change_owned(gateway, device, installation, change))
        elif change.language is not None or change.blocked is not None:
            raise BadRequest(f"Device {mac} is not enrolled; only its location can be changed.")
        if changes:
            gateway.store.save(*changes)
        return dossier, installation

    dossier, installation = until_saved(attempt)
    if change.blocked and dossier.device and installation:
        forget_installations(gateway, dossier.device, [installation])
    return show_device(gateway, caller, mac)


def _change_owned(gateway: Gateway, device: Device, installation: Installation, change: DeviceChange) -> Iterator[object]:
    language = change.language or installation.language
    blocked = installation.blocked if change.blocked is None else change.blocked
    if language != installation.language or blocked != installation.blocked:
        version = installation.config_version + (language != installation.language)
        yield replace(installation, language=language, blocked=blocked, config_version=version)
        yield replace(
            device, language=language, blocked=blocked, config_version=version, binding=None if blocked else device.binding
        )
        yield event_of(gateway, device, "changed", language=language.value, blocked=str(blocked).lower())
