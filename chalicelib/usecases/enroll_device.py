"""Enrollment: the one-time password dialled on a phone, or the phone's own network, ties the device to a tenant."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.enrollment import (
    Claim,
    charge_wrong_try,
    check_lock,
    count_wrong_try,
    decide_enrollment,
)
from chalicelib.domain.errors import GatewayError, NotOnboarded, OtpWrong, TenantDisabled
from chalicelib.domain.installation import Installation, Stage, signed_out_profile
from chalicelib.domain.tenant import Tenant, trusts
from chalicelib.usecases.become_active import become_active
from chalicelib.usecases.change_profile import Change, save_and_tell
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import Dossier, load_dossier
from chalicelib.usecases.history import SHOWN_TO_EVERY_CLAIMANT, mac_event
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.record_audit import phone_entry

BY_OTP = "one-time password"  # whoever dialled it: nobody signs in to enroll a phone
BY_NETWORK = "trusted network"


def enroll_device(gateway: Gateway, installation_id: str, otp: str) -> None:
    """Redeems a one-time password dialled by an installation. Raises the reason where it is refused; each is on record."""
    refusal = until_saved(lambda: _redeem(gateway, installation_id, otp))
    if refusal is not None:
        raise refusal


def enroll_by_network(gateway: Gateway, installation_id: str) -> None:
    """Zero touch: a claimed device with `tenantid/GUID` in its URL, from a network that its tenant trusts."""
    until_saved(lambda: _enroll_by_network(gateway, installation_id))


def _enroll_by_network(gateway: Gateway, installation_id: str) -> None:
    installation = gateway.store.load(Installation, installation_id)
    if installation is None or installation.tenant_hint is None or installation.stage is not Stage.CANDIDATE:
        return
    dossier = load_dossier(gateway, installation.mac)
    claim = dossier.claim_of(installation.tenant_hint)
    if claim is None or (dossier.device and dossier.device.owned):
        return
    tenant = gateway.store.load(Tenant, installation.tenant_hint)
    if tenant is not None and tenant.enabled and trusts(tenant, installation.address):
        _save(gateway, _enroll(gateway, installation, dossier, tenant, claim), tenant, BY_NETWORK)


def _redeem(gateway: Gateway, installation_id: str, otp: str) -> GatewayError | None:
    now = gateway.clock()
    installation = gateway.store.load(Installation, installation_id)
    if installation is None or installation.blocked or installation.registered_at is None:
        return NotOnboarded("This phone has not been onboarded. Restart it and try again.")
    dossier = load_dossier(gateway, installation.mac)
    if dossier.device is not None and dossier.device.blocked:
        return NotOnboarded("This phone is blocked. Ask your administrator.")
    try:
        check_lock(installation, now)
        claim = decide_enrollment(dossier.claims, gateway.keys.digest("otp", installation.mac, otp), now)
        tenant = gateway.store.load(Tenant, claim.tenant_id)
        if tenant is None or not tenant.enabled:
            raise TenantDisabled("Your organisation has not enabled the SIP Gateway.")
    except OtpWrong as refusal:
        _record_wrong_try(gateway, installation, dossier, refusal)
        return refusal
    except GatewayError as refusal:
        gateway.store.save(_refused(gateway, installation, refusal.code))
        return refusal
    _save(gateway, _enroll(gateway, installation, dossier, tenant, claim), tenant, BY_OTP)
    return None


def _enroll(gateway: Gateway, installation: Installation, dossier: Dossier, tenant: Tenant, claim: Claim) -> Change:
    change = become_active(gateway, installation, dossier, tenant, signed_out_profile(tenant))
    return replace(change, also=(*change.also, claim))


def _save(gateway: Gateway, change: Change, tenant: Tenant, actor: str) -> None:
    audited = phone_entry(gateway, tenant.tenant_id, change.device, "enroll", actor)
    save_and_tell(gateway, replace(change, also=(*change.also, audited)))


def _record_wrong_try(gateway: Gateway, installation: Installation, dossier: Dossier, refusal: GatewayError) -> None:
    tried = count_wrong_try(installation, gateway.clock())
    charged = [charge_wrong_try(claim) for claim in dossier.claims if claim.otp]
    reason = "enrollment_locked" if tried.locked_until else refusal.code
    gateway.store.save(tried, *charged, _refused(gateway, installation, reason))


def _refused(gateway: Gateway, installation: Installation, reason: str) -> object:
    return mac_event(gateway, installation.mac, SHOWN_TO_EVERY_CLAIMANT, "enrollment_refused", reason=reason)
