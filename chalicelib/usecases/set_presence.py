"""Shows in Teams that a user does not want to be disturbed, beside what the gateway itself does about their calls."""

from __future__ import annotations

from chalicelib.domain.errors import GatewayError
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.observability import log
from chalicelib.usecases.ports import Gateway


def set_presence(gateway: Gateway, tenant_id: TenantId, upn: Upn, do_not_disturb: bool) -> bool:  # noqa: FBT001 - what is set
    """Whether Teams shows it now. Never raises: what the gateway does with calls holds also while Microsoft Graph is away."""
    try:
        gateway.presence.show_do_not_disturb(tenant_id, upn, on=do_not_disturb)
    except GatewayError as error:
        log().warning("presence_not_set", extra={"tenant_id": tenant_id, "user": upn, "reason": error.code})
        return False
    return True
