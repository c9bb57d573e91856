"""Who a digest user is: asked by an edge the first time it meets one. One read, no write."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.contracts.edge import Credentials
from chalicelib.domain.errors import NotFound
from chalicelib.domain.identifiers import SipUsername
from chalicelib.domain.installation import Installation, account_of, is_over, split_username
from chalicelib.domain.keys import ha1
from chalicelib.usecases.ports import Gateway
from chalicelib.vendors.files import phone_language

CREDENTIALS_LIFETIME = timedelta(hours=24)


def issue_credentials(gateway: Gateway, username: str) -> Credentials:
    """HA1, address of record and rights of one digest user. Raises NotFound for one that is unknown, ended or blocked."""
    named = split_username(username)
    installation = gateway.store.load(Installation, named[0]) if named else None
    account = account_of(installation, named[1]) if installation and named else None
    now = gateway.clock()
    if installation is None or account is None or installation.blocked or is_over(installation, now):
        raise NotFound("No installation has this user name.")
    password = gateway.keys.sip_password(installation.id, account.version)
    emergency = installation.profile.emergency
    return Credentials(
        ha1=ha1(SipUsername(username), gateway.settings.sip_host, password),
        aor=account.aor,
        tenant_id=installation.tenant_id,
        may_call=account.may_call,
        expires_at=now + CREDENTIALS_LIFETIME,
        mac=installation.mac,
        language=phone_language(installation),
        display_name=installation.profile.user.display_name if installation.profile.user else "",
        emergency=account.may_call or emergency.when_signed_out,
    )
