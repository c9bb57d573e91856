"""The browser's side of a sign-in: the flow at the identity provider, and the session after it. Both live on the server."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import TenantId, Upn

FLOW_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True)
class SignInFlow:
    """One begun sign-in: MSAL's `flow` under the digest of its state, bound to one browser by the digest of its cookie."""

    digest: str
    browser_digest: str
    expires_at: datetime
    flow: dict[str, object] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True)
class WebSession:
    """A signed-in browser. `pairing_digest` is the pairing it is about to confirm, empty for none."""

    digest: str
    tenant_id: TenantId
    upn: Upn
    name: str
    expires_at: datetime
    pairing_digest: str = ""
    version: int = 0
