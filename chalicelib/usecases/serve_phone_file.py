"""A phone fetches one of its files under its own URL. For a settled phone: one read, no write."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from chalicelib.domain.device import Device
from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.installation import Installation, is_over, mark_fetched
from chalicelib.domain.keys import installation_id_of
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
    right = gateway.keys.token(installation.seed).reveal()
    return installation if hmac.compare_digest(right.encode(), token.encode()) else None


def serve_phone_file(gateway: Gateway, request: TokenRequest) -> PhoneFile | None:
    """The file, or None for the plain 404."""
    installation = load_installation(gateway, request.token)
    if installation is None:
        return None
    file = render_file(
        PhoneFileRequest(
            installation=installation,
            file_name=request.file_name,
            token=request.token,
            settings=gateway.settings,
            keys=gateway.keys,
            trust_anchor=gateway.trust_anchor,
        )
    )
    if file is not None and file.carries_account:
        _record_fetch(gateway, installation, request.user_agent)
    return file


def _record_fetch(gateway: Gateway, installation: Installation, user_agent: str) -> None:
    """Notes the first fetch of a new configuration, and a new firmware. Nothing for a settled phone."""
    identity = catalogue.identify(user_agent, "")
    firmware = identity.firmware if identity and identity.firmware and identity.vendor == installation.vendor else None
    fetched = replace(mark_fetched(installation), firmware=firmware or installation.firmware)
    if fetched == installation:
        return
    device = gateway.store.load(Device, installation.mac)
    changes: list[object] = [fetched]
    if device is not None and device.installation_id == installation.id:
        changes.append(replace(device, firmware=fetched.firmware, applied_version=fetched.fetched_version))
    try:
        gateway.store.save(*changes)
    except SaveConflict:
        return  # somebody changed it meanwhile; the phone's next fetch is noted instead
