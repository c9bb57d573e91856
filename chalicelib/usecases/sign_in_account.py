"""An administrator signs a common-area account in on an enrolled device: no password is asked for, or reset."""

from __future__ import annotations

from chalicelib.domain.directory import decide_sign_in
from chalicelib.domain.errors import (
    CallerFault,
    GatewayError,
    IllegalMove,
    NotCommonArea,
    TenantDisabled,
    UserDisabled,
    UserUnknown,
    UserWithoutNumber,
    UserWithoutPolicy,
)
from chalicelib.domain.identifiers import CommandId, Mac, Upn
from chalicelib.domain.installation import Installation, signed_in_profile
from chalicelib.usecases.become_active import become_active
from chalicelib.usecases.change_profile import save_and_tell
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_owned
from chalicelib.usecases.load_user import load_user_and_policy
from chalicelib.usecases.ports import Caller, Gateway

_DETAILS: dict[type[GatewayError], str] = {
    TenantDisabled: "The SIP Gateway is not enabled for your organisation. Set `enabled` of the tenant.",
    UserUnknown: "The directory has no such account. Check its spelling, or add it.",
    UserDisabled: "The account is disabled. Enable it.",
    UserWithoutNumber: "The account has no phone number. Assign one.",
    UserWithoutPolicy: "The account's calling policy is not known here, or lacks sip_devices_for_calls. Set it there.",
    NotCommonArea: "The account is not a common-area account. Set common_area in its calling policy, or use a pairing code.",
}


def sign_in_account(gateway: Gateway, caller: Caller, mac: Mac, upn: Upn) -> CommandId:
    """The command that tells the phone. Raises the reason where the device or the account does not allow it."""
    try:
        return until_saved(lambda: _sign_in(gateway, caller, mac, upn))
    except CallerFault as refusal:
        refusal.detail = advice_to_administrator(refusal)
        raise


def advice_to_administrator(refusal: GatewayError) -> str:
    """What to do about it, for whoever may do it: on the web pages the same refusals speak to the user."""
    return _DETAILS.get(type(refusal), refusal.detail)


def _sign_in(gateway: Gateway, caller: Caller, mac: Mac, upn: Upn) -> CommandId:
    dossier, device = load_owned(gateway, caller.tenant_id, mac)
    installation = gateway.store.load(Installation, str(device.installation_id)) if device.owned else None
    if installation is None:
        raise IllegalMove(f"Device {mac} is {device.state}; only an enrolled device is signed in from here. Enroll it first.")
    tenant, user, policy = load_user_and_policy(gateway, caller.tenant_id, upn)
    signed_in = decide_sign_in(tenant, user, policy)
    if policy is None or not policy.common_area:
        raise NotCommonArea
    change = become_active(gateway, installation, dossier, tenant, signed_in_profile(tenant, signed_in, policy))
    return save_and_tell(gateway, change)
