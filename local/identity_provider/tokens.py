"""The claims of Entra's tokens. Source: Microsoft, "ID token claims reference" and "Access token claims reference"."""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.identity_provider.accounts import Application, Person
from local.identity_provider.keys import SigningKeyFile

LIFETIME_SECONDS = 3600
ISSUER = "https://login.microsoftonline.com/{tid}/v2.0"
GRAPH = "https://graph.microsoft.com"
_GRAPH_BY_ID = "00000003-0000-0000-c000-000000000000"  # Microsoft Graph, whose tokens one gets who names no API
_DEFAULT = "/.default"


@dataclass(frozen=True)
class Grant:
    """What somebody has been allowed: the tenant, the application, the scopes, and the person unless it acts for itself."""

    tenant_id: str
    application: Application
    scopes: tuple[str, ...]
    person: Person | None = None
    nonce: str = ""


def token_answer(keys: SigningKeyFile, grant: Grant) -> dict[str, Any]:
    """The token endpoint's answer (RFC 6749 section 5.1), without a refresh token."""
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
        "ext_expires_in": LIFETIME_SECONDS,
        "access_token": keys.sign(_access_claims(grant)),
    }
    if grant.person:
        oid = grant.person.oid(grant.tenant_id)
        client_info = json.dumps({"uid": oid, "utid": grant.tenant_id}).encode()
        answer["scope"] = " ".join(grant.scopes)
        answer["client_info"] = base64.urlsafe_b64encode(client_info).rstrip(b"=").decode()
    if grant.person and "openid" in grant.scopes:
        answer["id_token"] = keys.sign(_id_claims(grant, grant.person))
    return answer


def _common_claims(grant: Grant) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER.format(tid=grant.tenant_id),
        "tid": grant.tenant_id,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "ver": "2.0",
        "uti": secrets.token_urlsafe(16),
    }


def _person_claims(grant: Grant, person: Person) -> dict[str, Any]:
    claims = {
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{grant.tenant_id}/{grant.application.id}/{person.upn}")),
        "oid": person.oid(grant.tenant_id),
        "name": person.name,
        "preferred_username": person.upn,
    }
    return {**claims, "roles": list(person.roles)} if person.roles else claims


def _id_claims(grant: Grant, person: Person) -> dict[str, Any]:
    claims = {**_common_claims(grant), "aud": grant.application.id, **_person_claims(grant, person)}
    return {**claims, "nonce": grant.nonce} if grant.nonce else claims


def _access_claims(grant: Grant) -> dict[str, Any]:
    audience, permissions = _audience_and_permissions(grant.scopes)
    is_secret = "1" if grant.application.secret else "0"
    claims = {**_common_claims(grant), "aud": audience, "azp": grant.application.id, "azpacr": is_secret}
    if grant.person:
        return {**claims, **_person_claims(grant, grant.person), "scp": " ".join(permissions)}
    oid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{grant.tenant_id}/{grant.application.id}"))
    app_claims = {**claims, "oid": oid, "sub": oid, "idtyp": "app"}
    roles = grant.application.graph_permissions if audience == GRAPH else grant.application.roles
    return {**app_claims, "roles": list(roles)} if roles else app_claims


def _audience_and_permissions(scopes: Sequence[str]) -> tuple[str, list[str]]:
    """`api://x/user_impersonation` is the permission `user_impersonation` at the API `api://x`."""
    of_an_api = [scope for scope in scopes if "://" in scope]
    if not of_an_api:
        return _GRAPH_BY_ID, ["openid", "profile"]
    audience = of_an_api[0].rpartition("/")[0]
    names = [scope.rpartition("/")[2] for scope in of_an_api]
    return audience, ["user_impersonation" if name == _DEFAULT.strip("/") else name for name in names]
