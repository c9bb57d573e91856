"""Forged, stale and foreign tokens at every route of `/v1`, with the real token check and a real identity provider's keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import app  # noqa: F401 - registers the routes
from chalicelib import wiring
from chalicelib.adapters.entra.token_check import EntraTokenCheck
from chalicelib.handlers.api import ROUTES
from local.identity_provider.in_process import running_identity_provider
from local.identity_provider.keys import SigningKeyFile
from tests.gateway import ANNA, MAC, TENANT, World

STRANGER = "d0000000-0000-4000-8000-00000000ffff"  # a tenant that this region does not serve
VALUES = {"mac": MAC, "id": "x", "name": "Lobby", "upn": ANNA}


def claims(seconds: int = 0, tenant: str = TENANT, **changed: Any) -> dict[str, Any]:
    """An administrator's, valid for ten minutes from `seconds` from now."""
    now = int(time.time()) + seconds
    issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
    names = {"iss": issuer, "aud": "api://sip-gateway", "tid": tenant, "ver": "2.0", "azp": "x", "roles": ["Gateway.Admin"]}
    return {**names, "nbf": now, "iat": now, "exp": now + 600, **changed}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def bad_tokens(keys: SigningKeyFile, other: SigningKeyFile) -> dict[str, str]:
    """Each with one thing wrong."""
    public = keys.key_set()["keys"][0]
    head = {"typ": "JWT", "kid": public["kid"]}
    unsigned = f"{part({**head, 'alg': 'HS256'})}.{part(claims())}"
    by_public_key = hmac.new(json.dumps(public).encode(), unsigned.encode(), hashlib.sha256).digest()
    return {
        "no token": "",
        "expired": keys.sign(claims(seconds=-3600)),
        "not valid yet": keys.sign(claims(seconds=3600)),
        "for another API": keys.sign(claims(aud="api://another")),
        "of another issuer": keys.sign(claims(iss="https://login.example/v2.0")),
        "of another tenant's issuer": keys.sign(claims(iss=f"https://login.microsoftonline.com/{STRANGER}/v2.0")),
        "by another key": other.sign(claims()),
        "by no key": f"{part({**head, 'alg': 'none'})}.{part(claims())}.",
        "HS256 by the public key": f"{unsigned}.{base64.urlsafe_b64encode(by_public_key).rstrip(b'=').decode()}",
        "of a tenant that is not served": keys.sign(claims(tenant=STRANGER)),
    }


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, EntraTokenCheck, dict[str, str]]]:
    """A good token, the check, and the bad ones."""
    folder = tmp_path_factory.mktemp("identity")
    with running_identity_provider(folder, "web-secret") as provider:
        settings = replace(World().gateway.settings, entra_url=provider.public_url, entra_client_id="sip-gateway")
        keys = provider.grants.keys
        yield keys.sign(claims()), EntraTokenCheck(settings), bad_tokens(keys, SigningKeyFile(folder / "others.json"))


@pytest.mark.parametrize("route", [route for route in ROUTES if route.roles], ids=lambda route: f"{route.method} {route.path}")
def test_a_token_with_anything_wrong_opens_no_route(
    world: World, signed: tuple[str, EntraTokenCheck, dict[str, str]], route: Any
) -> None:
    good, check, bad = signed
    wiring.use(replace(world.gateway, token_check=check))
    path = route.path.format(**VALUES)
    statuses = {
        wrong: world.request(route.method, path, headers={"Authorization": f"Bearer {token}"}).status
        for wrong, token in bad.items()
    }

    assert dict.fromkeys(bad, 401) == statuses
    assert 401 != world.request(route.method, path, headers={"Authorization": f"Bearer {good}"}).status
