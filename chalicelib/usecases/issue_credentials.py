"""Who a digest user is: asked by an edge the first time it meets one, and again after a day or when it is told to. No write."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.contracts.edge import NO_CALL_SETTINGS, Credentials
from chalicelib.domain.calls import UserCalls, settings_in_force
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import NotFound
from chalicelib.domain.identifiers import SipUsername, base_mac
from chalicelib.domain.installation import Account, Installation, account_of, is_over, split_username
from chalicelib.domain.keys import ha1
from chalicelib.usecases.claim_number import may_register
from chalicelib.usecases.ports import Gateway
from chalicelib.vendors.catalogue import emergency_refusal
from chalicelib.vendors.files import phone_language

CREDENTIALS_LIFETIME = timedelta(hours=24)


def load_account(gateway: Gateway, username: str) -> tuple[Installation, Account]:
    """The installation and account that a digest user name stands for. One read.

    Raises NotFound for one that is unknown, ended or blocked.
    """
    named = split_username(username)
    installation = gateway.store.load(Installation, named[0]) if named else None
    account = account_of(installation, named[1]) if installation and named else None
    if installation is None or account is None or installation.blocked or is_over(installation, gateway.clock()):
        raise NotFound("No installation has this user name.")
    return installation, account


def issue_credentials(gateway: Gateway, username: str) -> Credentials:
    """HA1, address of record, rights and settings of one digest user. Raises NotFound for one that may not register.

    One read; one more for the location where emergency numbers may be dialled, and one for the settings of a signed-in user.
    """
    installation, account = load_account(gateway, username)
    if not may_register(gateway, installation, account):
        raise NotFound("The number of this account belongs to another user now.")
    return _credentials(gateway, SipUsername(username), installation, account, gateway.clock())


def _credentials(
    gateway: Gateway, username: SipUsername, installation: Installation, account: Account, now: datetime
) -> Credentials:
    profile = installation.profile
    user = profile.user if account.may_call else None
    numbers = profile.emergency.numbers if account.may_call or profile.emergency.when_signed_out else ()
    claim = gateway.store.load(Claim, installation.mac, installation.tenant_id) if numbers and installation.tenant_id else None
    calls = gateway.store.load(UserCalls, installation.tenant_id, user.upn) if user and installation.tenant_id else None
    password = gateway.keys.sip_password(installation.id, account.version)
    return Credentials(
        ha1=ha1(username, gateway.settings.sip_host, password),
        aor=account.aor,
        tenant_id=installation.tenant_id,
        may_call=account.may_call,
        expires_at=now + CREDENTIALS_LIFETIME,
        mac=base_mac(installation.mac),
        language=phone_language(installation),
        display_name=user.display_name if user else "",
        emergency=bool(numbers),
        emergency_numbers=numbers,
        user=user.upn if user else "",
        number=user.number if user else "",
        voicemail=profile.voicemail if user else "",
        location=claim.location if claim else "",
        call_settings=settings_in_force(calls, profile) if user else NO_CALL_SETTINGS,
        emergency_refusal=emergency_refusal(installation.vendor, installation.model),
    )
