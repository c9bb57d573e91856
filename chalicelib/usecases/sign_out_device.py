"""Signing a device out: at the phone, or by an administrator."""

from __future__ import annotations

from chalicelib.domain.audit import AuditType
from chalicelib.domain.command import Command
from chalicelib.domain.device import Device
from chalicelib.domain.errors import IllegalMove
from chalicelib.domain.identifiers import CommandId, Mac
from chalicelib.domain.installation import Installation, signed_out_profile
from chalicelib.usecases.change_profile import Cause, change_profile
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_owned
from chalicelib.usecases.load_user import load_tenant
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.request_command import show_command


def sign_out_at_phone(gateway: Gateway, installation: Installation) -> None:
    """The person at the phone confirmed. A phone that is signed out already stays so."""

    def attempt() -> None:
        current = gateway.store.load(Installation, installation.id)
        device = gateway.store.load(Device, installation.mac)
        if current is None or current.profile.user is None or device is None or current.tenant_id is None:
            return
        profile = signed_out_profile(load_tenant(gateway, current.tenant_id))
        change_profile(gateway, current, device, profile, Cause("at_the_phone", AuditType.PHONE))

    until_saved(attempt)


def sign_out_device(gateway: Gateway, caller: Caller, mac: Mac) -> Command:
    """By an administrator; the command that tells the phone. Raises NotFound, or IllegalMove where nobody is signed in."""

    def attempt() -> CommandId:
        _, device = load_owned(gateway, caller.tenant_id, mac)
        installation = gateway.store.load(Installation, str(device.installation_id))
        if installation is None or installation.profile.user is None:
            raise IllegalMove(f"Nobody is signed in on device {mac}.")
        profile = signed_out_profile(load_tenant(gateway, caller.tenant_id))
        return change_profile(gateway, installation, device, profile, Cause(f"by {caller.actor}", AuditType.API))

    return show_command(gateway, caller.tenant_id, until_saved(attempt))
