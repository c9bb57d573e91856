"""The gateway's own tokens for Microsoft Graph: client credentials (RFC 6749 section 4.4) at each tenant's endpoint, by MSAL.

MSAL keeps a token in memory until shortly before it expires, so a process asks for one about once an hour and tenant.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.entra.issuer import AUTHORITY
from chalicelib.adapters.entra.loopback import LoopbackTransport
from chalicelib.adapters.graph.failures import no_consent, secret_refused, sign_in_service_away
from chalicelib.domain.secret import Secret
from chalicelib.observability import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msal import ConfidentialClientApplication  # type: ignore[import-untyped]

    from chalicelib.domain.errors import DirectoryAway
    from chalicelib.domain.identifiers import TenantId
    from chalicelib.settings import Settings

SCOPE = "https://graph.microsoft.com/.default"
TIMEOUT_SECONDS = 3
_AWAY = {"server_error", "temporarily_unavailable"}


class GraphTokens:
    """One MSAL client for each tenant, made when it is first needed. Threads may share it."""

    def __init__(self, settings: Settings, client_secret: Secret) -> None:
        self._settings = settings
        self._client_secret = client_secret
        self._apps: dict[TenantId, ConfidentialClientApplication] = {}
        self._building = threading.Lock()

    def load_token(self, tenant_id: TenantId) -> Secret:
        """A token that is good for some minutes at least. Raises DirectoryAway or DirectoryRefused."""
        app = self._app(tenant_id)
        import requests  # noqa: PLC0415 - comes with MSAL

        try:
            answer: Mapping[str, Any] = app.acquire_token_for_client([SCOPE])
        except (requests.RequestException, ValueError) as error:  # ValueError: an answer that MSAL cannot read
            raise sign_in_service_away() from error
        if "access_token" in answer:
            return Secret(str(answer["access_token"]))
        raise _error_of(tenant_id, answer)

    def forget(self, tenant_id: TenantId) -> None:
        """The token was refused: the next one is asked for anew."""
        self._app(tenant_id).remove_tokens_for_client()

    def _app(self, tenant_id: TenantId) -> ConfidentialClientApplication:
        with self._building:
            if tenant_id not in self._apps:
                self._apps[tenant_id] = _build_app(self._settings, self._client_secret, tenant_id)
            return self._apps[tenant_id]


def _build_app(settings: Settings, client_secret: Secret, tenant_id: TenantId) -> ConfidentialClientApplication:
    import msal  # noqa: PLC0415 - 60 to 130 ms that only a call of Graph pays
    import requests  # noqa: PLC0415 - comes with MSAL

    transport = None if settings.entra_url == AUTHORITY else LoopbackTransport(settings.entra_url)
    try:
        return msal.ConfidentialClientApplication(
            settings.entra_client_id,
            client_credential=client_secret.reveal(),
            authority=f"{AUTHORITY}/{tenant_id}",
            http_client=transport,
            instance_discovery=False if transport else None,
            timeout=TIMEOUT_SECONDS,
        )
    except (requests.RequestException, ValueError) as error:  # ValueError: MSAL's word for a failed discovery
        raise sign_in_service_away() from error


def _error_of(tenant_id: TenantId, answer: Mapping[str, Any]) -> DirectoryAway:
    """RFC 6749 section 5.2. Entra's numbers go to the log: its sentences may name what is nobody else's business."""
    name = str(answer.get("error", ""))
    log().warning("graph_token_refused", extra={"tenant_id": tenant_id, "error": name, "codes": answer.get("error_codes")})
    if name in _AWAY:
        return sign_in_service_away()
    if name == "invalid_client":
        return secret_refused()
    return no_consent()  # unauthorized_client: the tenant does not know the application
