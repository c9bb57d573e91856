"""The web side of a pairing: the person who signed in types the code, sees which phone it is, and confirms."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.directory import decide_sign_in
from chalicelib.domain.errors import (
    CallerFault,
    DeviceOwnedElsewhere,
    IllegalMove,
    PairingCodeExpired,
    PairingCodeWrong,
    SlowDown,
)
from chalicelib.domain.identifiers import Mac, TenantId
from chalicelib.domain.installation import Installation, is_over, signed_in_profile
from chalicelib.domain.keys import PAIRING_CODE_LENGTH, read_pairing_code
from chalicelib.domain.pairing import PAIRING_LIFETIME, PAIRING_TRIES, Pairing, check_pairing, redeem
from chalicelib.domain.web import WebSession
from chalicelib.usecases.become_active import become_active
from chalicelib.usecases.change_profile import save_and_tell
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import Dossier, connection, load_dossier
from chalicelib.usecases.history import mac_event
from chalicelib.usecases.load_user import load_user_and_policy
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.record_audit import PAIRING_PATH, pairing_entry, refused_entry
from chalicelib.vendors.catalogue import vendor

TRIES_PER_ADDRESS = 10 * PAIRING_TRIES
PAGE_PATH = "/pair"
CODE_PATH = "/pair/code"


@dataclass(frozen=True)
class PhoneToPair:
    """What the confirm page shows: enough to know the phone on the desk, and no more."""

    vendor: str
    model: str
    mac_ending: str
    location: str
    digest: str


@dataclass(frozen=True)
class PairedPhone:
    """What the last page shows."""

    vendor: str
    model: str
    display_name: str
    number: str


def find_pairing(gateway: Gateway, session: WebSession, typed: str, address: str) -> PhoneToPair:
    """The phone that waits with this code, if this person may use it. Raises the reason where not; wrong codes are counted."""
    try:
        return _find(gateway, session, typed, address)
    except CallerFault as refusal:
        _audit_refusal(gateway, session, refusal, address, path=CODE_PATH)
        raise


def _find(gateway: Gateway, session: WebSession, typed: str, address: str) -> PhoneToPair:
    _check_user(gateway, session)
    _check_tries(gateway, session, address)
    code = read_pairing_code(typed)
    pairing = gateway.store.load(Pairing, gateway.keys.digest("pairing", code)) if len(code) == PAIRING_CODE_LENGTH else None
    checked = check_pairing(pairing, gateway.clock())
    installation, dossier = _waiting_phone(gateway, checked, session.tenant_id)
    claim = dossier.claim_of(session.tenant_id)
    phone = PhoneToPair(
        vendor=vendor(installation.vendor).label,
        model=installation.model,
        mac_ending=installation.mac[8:],
        location=claim.location if claim else "",
        digest=checked.digest,
    )
    gateway.store.save(replace(session, pairing_digest=checked.digest))
    return phone


def redeem_pairing(gateway: Gateway, session: WebSession, address: str = "") -> PairedPhone:
    """The person confirmed: the phone is theirs from now on. Exactly one redeems a code. Raises the reason where refused.

    `address` is the browser's, for the audit.
    """
    try:
        return until_saved(lambda: _redeem(gateway, session, address))
    except CallerFault as refusal:
        _record_refusal(gateway, session, refusal)
        _audit_refusal(gateway, session, refusal, address, path=PAIRING_PATH)
        raise


def check_sign_in(gateway: Gateway, session: WebSession, address: str) -> None:
    """Raises the reason where this person may not be signed in on any SIP device: shown before they look for a code."""
    try:
        _check_user(gateway, session)
    except CallerFault as refusal:
        _audit_refusal(gateway, session, refusal, address, path=PAGE_PATH)
        raise


def _check_user(gateway: Gateway, session: WebSession) -> None:
    tenant, user, policy = load_user_and_policy(gateway, session.tenant_id, session.upn)
    decide_sign_in(tenant, user, policy)


def _redeem(gateway: Gateway, session: WebSession, address: str) -> PairedPhone:
    now = gateway.clock()
    pairing = check_pairing(gateway.store.load(Pairing, session.pairing_digest) if session.pairing_digest else None, now)
    tenant, user, policy = load_user_and_policy(gateway, session.tenant_id, session.upn)
    signed_in = decide_sign_in(tenant, user, policy)
    installation, dossier = _waiting_phone(gateway, pairing, session.tenant_id)
    change = become_active(gateway, installation, dossier, tenant, signed_in_profile(tenant, signed_in, policy))
    audited = pairing_entry(gateway, session.tenant_id, session.upn, installation.mac, address)
    save_and_tell(gateway, replace(change, also=(*change.also, redeem(pairing), audited)))
    return PairedPhone(vendor(installation.vendor).label, installation.model, signed_in.display_name, signed_in.number)


def _waiting_phone(gateway: Gateway, pairing: Pairing, tenant_id: TenantId) -> tuple[Installation, Dossier]:
    installation = gateway.store.load(Installation, pairing.installation_id)
    if installation is None or installation.blocked or is_over(installation, gateway.clock()):
        raise PairingCodeExpired("The phone with this code is no longer known. Restart it and press Sign in again.")
    dossier = load_dossier(gateway, installation.mac)
    _check_owner(dossier.device, tenant_id)
    _check_not_in_use(gateway, dossier.device, installation)
    return installation, dossier


def _check_owner(device: Device | None, tenant_id: TenantId) -> None:
    """A device that is enrolled in one tenant is not paired by another's users, and a blocked one by nobody."""
    if device is not None and device.blocked:
        raise IllegalMove("This phone is blocked. Ask your administrator.")
    if device is not None and device.owned and device.enrolled_at is not None and device.tenant_id != tenant_id:
        raise DeviceOwnedElsewhere("This phone is enrolled in another organisation. Ask your administrator.")


def _check_not_in_use(gateway: Gateway, device: Device | None, installation: Installation) -> None:
    """A phone that is in use keeps its place: whoever only names its MAC cannot push it out by signing in."""
    if device is None or not device.owned or device.installation_id == installation.id:
        return
    if connection(gateway, device, gateway.clock()) is Connection.ONLINE:
        raise IllegalMove("A phone with this MAC address is in use. If it was just reset, wait three minutes and try again.")


def _check_tries(gateway: Gateway, session: WebSession, address: str) -> None:
    """Counts every code typed, by person and by address."""
    now = gateway.clock()
    window = int(now.timestamp() // PAIRING_LIFETIME.total_seconds())
    by_person = gateway.store.count_up(f"pair#{session.tenant_id}#{session.upn}#{window}", now + 2 * PAIRING_LIFETIME)
    by_address = gateway.store.count_up(f"pair#{address}#{window}", now + 2 * PAIRING_LIFETIME)
    if by_person > PAIRING_TRIES or by_address > TRIES_PER_ADDRESS:
        raise SlowDown("Too many codes were typed. Wait 15 minutes, then try again.")


def _record_refusal(gateway: Gateway, session: WebSession, refusal: CallerFault) -> None:
    if isinstance(refusal, PairingCodeWrong):
        return
    pairing = gateway.store.load(Pairing, session.pairing_digest) if session.pairing_digest else None
    if pairing is not None:
        event = mac_event(
            gateway, Mac(pairing.mac), session.tenant_id, "sign_in_refused", reason=refusal.code, user=session.upn
        )
        gateway.store.save(event)


def _audit_refusal(gateway: Gateway, session: WebSession, refusal: CallerFault, address: str, *, path: str) -> None:
    """A line for each refusal; none once too many codes were typed, so that nobody fills the audit."""
    if isinstance(refusal, SlowDown):
        return
    pairing = gateway.store.load(Pairing, session.pairing_digest) if session.pairing_digest else None
    mac = Mac(pairing.mac if pairing and path == PAIRING_PATH else "")
    entry = pairing_entry(gateway, session.tenant_id, session.upn, mac, address)
    gateway.store.save(refused_entry(entry, path, refusal.code))
