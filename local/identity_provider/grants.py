"""The protocol of the development identity provider: who gets a token for what. No HTTP and no HTML.

Authorization code with PKCE (RFC 6749, RFC 7636), client credentials, refresh token, device code (RFC 8628); errors carry
Entra's AADSTS numbers where programs look for them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from local.identity_provider.accounts import ANY_TENANT, DEVELOPMENT_TENANT, Accounts, Application, Person
from local.identity_provider.keys import SigningKeyFile
from local.identity_provider.tokens import Grant, token_answer

CODE_SECONDS = 600
DEVICE_CODE_SECONDS = 900
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1
_MOST_KEPT = 10_000  # pending codes; the oldest go first


class ProtocolError(Exception):
    """An error answer of RFC 6749 section 5.2 or 4.1.2.1: its code, a description, and the HTTP status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True)
class AuthorizationRequest:
    """A checked request to the authorize endpoint; `fields` are all of its parameters, for the page's hidden fields."""

    application: Application
    redirect_uri: str
    response_mode: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str
    expires_at: float


@dataclass
class _DeviceCode:
    grant: Grant
    user_code: str
    expires_at: float
    polled_at: float = 0.0
    refused: bool = False


@dataclass
class _Memory:
    codes: dict[str, _Code] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    devices: dict[str, _DeviceCode] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Grants:
    """All that can be asked of the identity provider. `public_host` is the host name that browsers know this machine by."""

    def __init__(self, keys: SigningKeyFile, accounts: Accounts, public_host: str, poll_seconds: int = 1) -> None:
        self.keys = keys
        self.accounts = accounts
        self.poll_seconds = poll_seconds
        self._public_host = public_host
        self._memory = _Memory()

    def parse_authorization(self, fields: Mapping[str, str]) -> AuthorizationRequest:
        """Checks what must never be answered by a redirect: the client and where to go back to. Raises ProtocolError."""
        application = self.accounts.applications.get(fields.get("client_id", ""))
        if application is None:
            raise ProtocolError("unauthorized_client", "AADSTS700016: there is no application with this client_id")
        redirect_uri = fields.get("redirect_uri", "")
        if not self._may_go_back_to(redirect_uri):
            raise ProtocolError("invalid_request", "AADSTS50011: the redirect_uri is not this machine's")
        return AuthorizationRequest(application, redirect_uri, fields.get("response_mode", "query"), dict(fields))

    def _may_go_back_to(self, redirect_uri: str) -> bool:
        parts = urlsplit(redirect_uri)
        return parts.scheme in {"https", "http"} and parts.hostname in {"localhost", "127.0.0.1", "::1", self._public_host}

    def issue_code(self, authority: str, request: AuthorizationRequest, person: Person, tenant_id: str = "") -> dict[str, str]:
        """The parameters to go back with: a code, or an error (RFC 6749 section 4.1.2)."""
        fields = request.fields
        state = {"state": fields["state"]} if "state" in fields else {}
        if fields.get("response_type") != "code" or request.response_mode not in {"query", "form_post"}:
            return {
                "error": "unsupported_response_type",
                "error_description": "AADSTS700054: response_type must be code",
                **state,
            }
        if fields.get("code_challenge_method") != "S256" or not fields.get("code_challenge"):
            return {"error": "invalid_request", "error_description": "AADSTS9002325: PKCE with S256 is required", **state}
        scopes = tuple(fields.get("scope", "").split())
        grant = Grant(_tenant_of(authority, tenant_id), request.application, scopes, person, fields.get("nonce", ""))
        code = secrets.token_urlsafe(32)
        with self._memory.lock:
            entry = _Code(grant, request.redirect_uri, fields["code_challenge"], time.monotonic() + CODE_SECONDS)
            _remember(self._memory.codes, code, entry)
        return {"code": code, **state}

    def redeem(self, authority: str, fields: Mapping[str, str], *, from_loopback: bool) -> dict[str, Any]:
        """The token endpoint. Raises ProtocolError."""
        application = self._authenticate(fields, from_loopback=from_loopback)
        match fields.get("grant_type"):
            case "authorization_code":
                grant = self._redeem_code(application, fields)
            case "client_credentials":
                grant = _client_credentials(authority, application, fields)
            case "refresh_token":
                grant = self._redeem_refresh_token(application, fields)
            case "urn:ietf:params:oauth:grant-type:device_code":
                grant = self._redeem_device_code(application, fields)
            case _:
                raise ProtocolError("unsupported_grant_type", "AADSTS70003: this grant type is not supported")
        answer = token_answer(self.keys, grant)
        if grant.person and "offline_access" in grant.scopes:
            answer["refresh_token"] = secrets.token_urlsafe(32)
            with self._memory.lock:
                _remember(self._memory.refresh, answer["refresh_token"], grant)
        return answer

    def _authenticate(self, fields: Mapping[str, str], *, from_loopback: bool) -> Application:
        application = self.accounts.applications.get(fields.get("client_id", ""))
        if application is None:
            raise ProtocolError("unauthorized_client", "AADSTS700016: there is no application with this client_id")
        given = fields.get("client_secret", "")
        if application.secret is not None and not hmac.compare_digest(application.secret.encode(), given.encode()):
            raise ProtocolError("invalid_client", "AADSTS7000215: the client secret is wrong", 401)
        if application.loopback_only and not from_loopback:
            raise ProtocolError("unauthorized_client", "the development clients work on the gateway's own machine only", 403)
        return application

    def _redeem_code(self, application: Application, fields: Mapping[str, str]) -> Grant:
        with self._memory.lock:
            entry = self._memory.codes.pop(fields.get("code", ""), None)
        if entry is None or entry.grant.application != application or entry.expires_at < time.monotonic():
            raise ProtocolError("invalid_grant", "AADSTS54005: the code was already redeemed, has expired or is not yours")
        if entry.redirect_uri != fields.get("redirect_uri"):
            raise ProtocolError("invalid_grant", "AADSTS500112: the redirect_uri is not the one of the code")
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        if not hmac.compare_digest(entry.challenge.encode(), base64.urlsafe_b64encode(digest).rstrip(b"=")):
            raise ProtocolError("invalid_grant", "AADSTS501481: the code_verifier does not match the code_challenge")
        return entry.grant

    def _redeem_refresh_token(self, application: Application, fields: Mapping[str, str]) -> Grant:
        with self._memory.lock:
            grant = self._memory.refresh.pop(fields.get("refresh_token", ""), None)
        if grant is None or grant.application != application:
            raise ProtocolError("invalid_grant", "AADSTS9002313: the refresh token is not valid")
        wanted = tuple(fields.get("scope", "").split())
        return replace(grant, scopes=wanted or grant.scopes, nonce="")

    def start_device_code(self, authority: str, fields: Mapping[str, str], verification_uri: str) -> dict[str, Any]:
        """The device authorization endpoint (RFC 8628 section 3.2). Raises ProtocolError."""
        application = self.accounts.applications.get(fields.get("client_id", ""))
        if application is None or application.secret is not None:
            raise ProtocolError("unauthorized_client", "AADSTS7000218: this application is not a public client")
        grant = Grant(_tenant_of(authority, ""), application, tuple(fields.get("scope", "").split()))
        device_code = secrets.token_urlsafe(32)
        user_code = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(9))
        with self._memory.lock:
            _remember(self._memory.devices, device_code, _DeviceCode(grant, user_code, time.monotonic() + DEVICE_CODE_SECONDS))
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": verification_uri,
            "expires_in": DEVICE_CODE_SECONDS,
            "interval": self.poll_seconds,
            "message": f"To sign in, open {verification_uri} and enter the code {user_code}.",
        }

    def decide_device_code(self, user_code: str, person: Person | None) -> bool:
        """The person approves, or (None) refuses. False where no sign-in waits under this code."""
        wanted = user_code.strip().upper().replace("-", "")
        with self._memory.lock:
            for entry in self._memory.devices.values():
                waits = entry.grant.person is None and not entry.refused and entry.expires_at >= time.monotonic()
                if waits and hmac.compare_digest(entry.user_code.encode(), wanted.encode()):
                    entry.grant = replace(entry.grant, person=person)
                    entry.refused = person is None
                    return True
        return False

    def _redeem_device_code(self, application: Application, fields: Mapping[str, str]) -> Grant:
        code, now = fields.get("device_code", ""), time.monotonic()
        with self._memory.lock:
            entry = self._memory.devices.get(code)
            if entry is None or entry.grant.application != application:
                raise ProtocolError("invalid_grant", "AADSTS70000: the device code is not valid")
            if entry.expires_at < now:
                raise ProtocolError("expired_token", "AADSTS70020: the device code has expired")
            if entry.refused:
                raise ProtocolError("authorization_declined", "AADSTS70017: the person refused")
            polled_at, entry.polled_at = entry.polled_at, now
            if entry.grant.person is None and now - polled_at < self.poll_seconds * 0.9:
                raise ProtocolError("slow_down", "AADSTS70030: poll less often")
            if entry.grant.person is None:
                raise ProtocolError("authorization_pending", "AADSTS70016: the person has not signed in yet")
            return self._memory.devices.pop(code).grant


def is_tenant(authority: str) -> bool:
    """Whether a path's first segment names a tenant: a GUID, `common` or `organizations`."""
    if authority in ANY_TENANT:
        return True
    try:
        return str(uuid.UUID(authority)) == authority.lower()
    except ValueError:
        return False


def _tenant_of(authority: str, chosen: str) -> str:
    if authority not in ANY_TENANT:
        return authority.lower()
    return chosen.lower() if chosen and is_tenant(chosen) and chosen not in ANY_TENANT else DEVELOPMENT_TENANT


def _client_credentials(authority: str, application: Application, fields: Mapping[str, str]) -> Grant:
    if application.secret is None:
        raise ProtocolError("unauthorized_client", "AADSTS700025: a public client has no credentials of its own")
    if authority in ANY_TENANT:
        raise ProtocolError("invalid_request", "AADSTS53003: client credentials need the tenant's own endpoint")
    scopes = tuple(fields.get("scope", "").split())
    if len(scopes) != 1 or not scopes[0].endswith("/.default"):
        raise ProtocolError("invalid_scope", "AADSTS1002012: the scope must be the API's id with /.default")
    return Grant(authority.lower(), application, scopes)


def _remember(kept: dict[str, Any], key: str, value: object) -> None:
    kept[key] = value
    while len(kept) > _MOST_KEPT:
        kept.pop(next(iter(kept)))
