"""A phone fetches one of its files under its own URL. For a settled phone: one read, no write."""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import replace

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Device
from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.identifiers import is_port
from chalicelib.domain.installation import Installation, Stage, is_over, mark_fetched
from chalicelib.domain.keys import installation_id_of
from chalicelib.usecases.base_ports import mark_ports_fetched
from chalicelib.usecases.ports import Gateway
from chalicelib.vendors import catalogue
from chalicelib.vendors.files import PhoneFile, PhoneFileRequest, render_file


@dataclass(frozen=True)
class TokenRequest:
    """A request under `/d/TOKEN/`."""

    token: str
    file_name: str
    user_agent: str


def load_installation(gateway: Gateway, token: str) -> Installation | None:
    """The living installation that owns `token`. None for a wrong, ended, expired or blocked one: all the same 404."""
    installation = gateway.store.load(Installation, installation_id_of(token))
    if installation is None or installation.blocked or is_over(installation, gateway.clock()):
        return None
    if is_port(installation.mac):
        return None  # its account stands in its base's files
    right = gateway.keys.token(installation.seed).reveal()
    return installation if hmac.compare_digest(right.encode(), token.encode()) else None


def serve_phone_file(gateway: Gateway, request: TokenRequest) -> PhoneFile | None:
    """The file, or None for the plain 404."""
    installation = load_installation(gateway, request.token)
    if installation is None:
        return None
    file = _render(gateway, installation, request)
    if file is None or not file.carries_account:
        return file
    fetched = _record_fetch(gateway, installation, request.user_agent)
    return file if fetched.overrides == installation.overrides else _render(gateway, fetched, request)


def _render(gateway: Gateway, installation: Installation, request: TokenRequest) -> PhoneFile | None:
    return render_file(
        PhoneFileRequest(
            installation=installation,
            file_name=request.file_name,
            token=request.token,
            settings=gateway.settings,
            keys=gateway.keys,
            trust_anchor=gateway.trust_anchor,
        )
    )


def _record_fetch(gateway: Gateway, installation: Installation, user_agent: str) -> Installation:
    """Notes the first fetch of a new configuration, and a new firmware. Nothing for a settled phone.

    The installation as it was fetched: after a factory reset it takes on what the device's owner had set for the device.
    """
    firmware = catalogue.told_firmware(installation.vendor, user_agent) or installation.firmware
    fetched = replace(mark_fetched(installation), firmware=firmware)
    if fetched == installation:
        return installation
    device = gateway.store.load(Device, installation.mac)
    changes: list[object] = [*mark_ports_fetched(gateway, installation)]
    if device is not None and device.installation_id == installation.id:
        if fetched.stage is Stage.ACTIVE and fetched.tenant_id == device.tenant_id:
            fetched = replace(fetched, overrides=device.own_overrides)
        changes.append(replace(device, firmware=fetched.firmware, applied_version=fetched.fetched_version))
    with suppress(SaveConflict):  # somebody changed it meanwhile; the phone's next fetch is noted instead
        gateway.store.save(fetched, *changes)
    return fetched
