"""People's sign-in: OpenID Connect's authorization code flow with PKCE, by MSAL, for accounts of any organisation.

Keeps nothing: the flow goes back to the caller, who stores it on the server under its `state`, and no token is cached. MSAL
is imported when the first person signs in, so that phones' requests never pay for it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from chalicelib.adapters.entra.issuer import AUTHORITY, issuer_of
from chalicelib.adapters.entra.loopback import LoopbackTransport
from chalicelib.domain.errors import BadRequest, IdentityProviderAway, SignInCancelled, SignInFailed
from chalicelib.domain.identifiers import parse_tenant_id, parse_upn
from chalicelib.usecases.ports import SignedInPerson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msal import ConfidentialClientApplication  # type: ignore[import-untyped]

    from chalicelib.domain.secret import Secret
    from chalicelib.settings import Settings

LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10
# Entra's words for "the person said no" and "nobody may say yes for this app", RFC 6749 4.1.2.1 and OpenID Connect 3.1.2.6
_CANCELLED = {"access_denied", "consent_required", "interaction_required", "login_required"}
_AWAY = {"server_error", "temporarily_unavailable"}


class SignInNotOurs(SignInFailed):
    """The answer belongs to no sign-in begun in this browser: its `state` is another's."""


class SignInCodeRefused(SignInFailed):
    """invalid_grant of RFC 6749 section 5.2: the authorization code was used before, is too old, or was not for us."""


class EntraWebSignIn:
    """The WebSignIn port at Microsoft Entra ID, or at the development identity provider on a loopback URL."""

    def __init__(self, settings: Settings, client_secret: Secret) -> None:
        self._settings = settings
        self._client_secret = client_secret
        self._app: ConfidentialClientApplication | None = None
        self._building = threading.Lock()

    def start(self, redirect_uri: str, language: str) -> tuple[str, dict[str, Any]]:
        """The URL for the browser, and MSAL's flow (state, nonce, code verifier). Raises IdentityProviderAway."""
        # form_post silences MSAL's warning about other modes; the page that comes back must be a GET of our own origin, or the
        # browser would not send our SameSite=Lax cookie with it. PKCE and the nonce guard the code in the URL (RFC 9700 4.5).
        flow = self._client().initiate_auth_code_flow(
            [], redirect_uri=redirect_uri, prompt="select_account", response_mode="form_post"
        )
        url = _with_parameters(flow["auth_uri"], response_mode="query", ui_locales=language)
        return url, {**flow, "auth_uri": url}

    def finish(self, flow: dict[str, Any], query: Mapping[str, str]) -> SignedInPerson:
        """Redeems the code. Raises SignInCancelled, SignInNotOurs, SignInCodeRefused, SignInFailed or IdentityProviderAway."""
        if not flow.get("state") or flow["state"] != query.get("state"):
            raise SignInNotOurs("Begin the sign-in again from the pairing page, in one browser window.")
        if not query.get("code") and not query.get("error"):
            raise SignInFailed("The sign-in service sent no answer. Begin the sign-in again.")
        answer = self._redeem(flow, query)
        if "error" in answer:
            raise _error_of(answer)
        return self._person(flow, answer.get("id_token_claims") or {})

    def _redeem(self, flow: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
        client = self._client()
        import requests  # noqa: PLC0415 - loaded only where people sign in

        try:
            answer: dict[str, Any] = client.acquire_token_by_auth_code_flow(flow, dict(query))
        except requests.RequestException as error:
            raise IdentityProviderAway from error
        except (ValueError, KeyError, RuntimeError) as error:  # MSAL's words for an answer that makes no sense; wrong nonce
            raise SignInFailed("The sign-in service's answer cannot be read. Begin the sign-in again.") from error
        return answer

    def _person(self, flow: Mapping[str, Any], claims: Mapping[str, Any]) -> SignedInPerson:
        """Checks the ID token's claims, which MSAL has left to the app since 1.38 (OpenID Connect Core 3.1.3.7).

        Its signature needs no check: the token came straight from the token endpoint over TLS (rule 6 there).
        """
        tenant_id = parse_tenant_id(str(claims.get("tid", "")))
        now = time.time()
        nonce = hashlib.sha256(str(flow.get("nonce", "")).encode("ascii")).hexdigest()  # MSAL sends the hash of the flow's
        if (
            tenant_id is None
            or claims.get("iss") != issuer_of(tenant_id, "2.0")
            or claims.get("aud") != self._settings.entra_client_id
            or claims.get("nonce") != nonce
            or not float(claims.get("nbf", 0)) - LEEWAY_SECONDS <= now <= float(claims.get("exp", 0)) + LEEWAY_SECONDS
        ):
            raise SignInFailed("The sign-in service's token is not for this gateway. Begin the sign-in again.")
        try:
            upn = parse_upn(str(claims.get("preferred_username", "")))
        except BadRequest as error:
            raise SignInFailed("Your account has no user name that a phone could use.") from error
        return SignedInPerson(tenant_id, str(claims.get("oid", "")), upn, str(claims.get("name", "") or upn))

    def _client(self) -> ConfidentialClientApplication:
        """One client for the process's life: building it asks the identity provider for its endpoints."""
        with self._building:
            if self._app is None:
                self._app = _build_client(self._settings, self._client_secret)
            return self._app


def _build_client(settings: Settings, client_secret: Secret) -> ConfidentialClientApplication:
    import msal  # noqa: PLC0415 - 60 to 130 ms that only a person's sign-in pays
    import requests  # noqa: PLC0415 - comes with msal

    class NoCache(msal.TokenCache):  # type: ignore[misc]
        """Who signed in is all we want; their tokens are dropped at once."""

        def add(self, *_: object, **__: object) -> None:
            pass

    transport = None if settings.entra_url == AUTHORITY else LoopbackTransport(settings.entra_url)
    try:
        return msal.ConfidentialClientApplication(
            settings.entra_client_id,
            client_credential=client_secret.reveal(),
            authority=f"{AUTHORITY}/organizations",
            http_client=transport,
            instance_discovery=False if transport else None,
            token_cache=NoCache(),
            exclude_scopes=["offline_access"],
            timeout=TIMEOUT_SECONDS,
        )
    except (requests.RequestException, ValueError) as error:  # ValueError: MSAL's word for a failed discovery
        raise IdentityProviderAway from error


def _with_parameters(url: str, **changed: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **changed})))


def _error_of(answer: Mapping[str, Any]) -> Exception:
    """The error for RFC 6749's error answers. Entra's description stays out: it may quote what the person typed."""
    name = str(answer["error"])
    if name in _CANCELLED:
        return SignInCancelled("The sign-in was cancelled, or your organisation has not allowed this gateway. Nothing changed.")
    if name in _AWAY:
        return IdentityProviderAway()
    if name == "invalid_grant":
        return SignInCodeRefused("This sign-in was completed before or took too long. Begin the sign-in again.")
    return SignInFailed("The sign-in service refused. Begin the sign-in again, or tell your administrator.")
