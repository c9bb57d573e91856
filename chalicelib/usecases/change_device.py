"""An administrator relocates a device, sets its language or settings of its own, or blocks it."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Device
from chalicelib.domain.errors import BadRequest, IllegalMove
from chalicelib.domain.identifiers import Language, Mac, base_mac, is_port
from chalicelib.domain.installation import Installation, set_overrides
from chalicelib.domain.overrides import OverrideMap, override_problems
from chalicelib.usecases.add_device import LocationText, check_location
from chalicelib.usecases.base_ports import block_ports
from chalicelib.usecases.change_profile import Change, save_and_tell
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.device_view import DeviceView, show_device_in_detail
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.history import event_of
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.request_command import account_commands, forget_installations, tell_every_edge
from chalicelib.vendors import catalogue

LONGEST_DETAIL = 512


@dataclass(frozen=True)
class DeviceChange:
    """What may be changed of a device; None leaves a field as it is. `overrides` replace those that it had."""

    location: LocationText | None = None
    language: Language | None = None
    blocked: bool | None = None
    overrides: OverrideMap | None = None


def change_device(gateway: Gateway, caller: Caller, mac: Mac, change: DeviceChange) -> DeviceView:
    """Relocates, sets up, blocks or unblocks a device. Raises NotFound, BadRequest or IllegalMove."""
    if change.location is not None:
        check_location(change.location)

    blocked = until_saved(lambda: _change(gateway, caller, mac, change))
    if blocked is not None:
        forget_installations(gateway, blocked)
    elif (change.location, change.language, change.blocked) != (None, None, None):
        _refresh_edges(gateway, caller, mac)
    return show_device_in_detail(gateway, caller, mac)


def _refresh_edges(gateway: Gateway, caller: Caller, mac: Mac) -> None:
    """Edges keep the language of reasons, the location for emergency calls, and whom they do not let in."""
    device = gateway.store.load(Device, mac)
    installation = gateway.store.load(Installation, str(device.installation_id)) if device else None
    if installation is not None and installation.tenant_id == caller.tenant_id:
        ports = gateway.store.load_many(Installation, [(port.installation_id,) for port in installation.ports])
        kept = [installation, *(port for port in ports if port)]
        tell_every_edge(gateway, [command for item in kept for command in account_commands(gateway, item, item)])


def _change(gateway: Gateway, caller: Caller, mac: Mac, change: DeviceChange) -> list[Installation] | None:
    """What is to be forgotten at the edges where the device was blocked."""
    dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
    moved = replace(claim, location=claim.location if change.location is None else change.location)
    claims = (moved,) if moved != claim else ()
    device = dossier.device if dossier.device and dossier.device.tenant_id == caller.tenant_id else None
    installation = gateway.store.load(Installation, str(device.installation_id)) if device else None
    if device is None or installation is None:
        if (change.language, change.blocked, change.overrides) != (None, None, None):
            raise IllegalMove(f"Device {mac} is not enrolled; only its location can be changed. Enroll it first.")
        gateway.store.save(*claims)
        return None
    changed = _apply(installation, device, change)
    if changed == installation and device.own_overrides == changed.overrides:
        gateway.store.save(*claims)
        return None
    event = event_of(gateway, device, "changed", **_detail(installation, changed), by=caller.actor)
    view = replace(
        device,
        language=changed.language,
        blocked=changed.blocked,
        overrides=changed.overrides,
        overrides_by=caller.tenant_id,
        config_version=changed.config_version,
    )
    newly = changed.blocked != installation.blocked
    ports, port_devices = block_ports(gateway, changed, blocked=changed.blocked) if newly else ([], [])
    also = (event, *claims, *ports, *port_devices)
    kept = None if changed.blocked else device.binding
    if changed.blocked and not is_port(mac):  # a phone that is blocked gets no file; a port's base gets one without it
        gateway.store.save(changed, replace(view, binding=kept), *also)
    else:
        save_and_tell(gateway, Change(changed, replace(view, binding=kept), also=also, reach_by=device.binding))
    return [installation, *ports] if newly and changed.blocked else None


def _apply(installation: Installation, device: Device, change: DeviceChange) -> Installation:
    """The installation as it should be, with a new configuration version where its files change. Raises BadRequest."""
    if change.overrides and is_port(device.mac):
        raise BadRequest(f"A port has no settings of its own. Set them for device {base_mac(device.mac)}.")
    overrides = device.own_overrides if change.overrides is None else change.overrides
    problems = override_problems(change.overrides or {}, catalogue.vendor(installation.vendor).overrides, "/overrides")
    if problems:
        raise BadRequest("Some settings cannot be used.", tuple(problems))
    language = change.language or installation.language
    blocked = installation.blocked if change.blocked is None else change.blocked
    version = installation.config_version + (language != installation.language)
    return set_overrides(replace(installation, language=language, blocked=blocked, config_version=version), overrides)


def _detail(before: Installation, after: Installation) -> dict[str, str]:
    """For the history: names of settings and no values, which may be somebody's."""
    detail = {"language": after.language.value, "blocked": str(after.blocked).lower()}
    changed = sorted({name for name, _ in before.overrides.items() ^ after.overrides.items()})
    return detail | ({"overrides": ", ".join(changed)[:LONGEST_DETAIL]} if changed else {})
