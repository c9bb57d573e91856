"""The development tenant's first content, put in through the gateway's own HTTP API as an administrator would."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from local.identity_provider.accounts import DEVELOPMENT_TENANT

TIMEOUT_SECONDS = 10
_TENANT = "/v1/tenant"
_CONTENT: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("PUT", "/v1/policies/Global", {"sip_devices_for_calls": False}),
    ("PUT", "/v1/policies/SIP phones", {"sip_devices_for_calls": True}),
    (
        "PUT",
        "/v1/users/anna@example.com",
        {"number": "+4989123401", "display_name": "Anna Berg", "policy": "SIP phones"},
    ),
    (
        "PUT",
        "/v1/users/ben@example.com",
        {"number": "+4989123402", "display_name": "Ben Okafor", "policy": "SIP phones"},
    ),
    ("PATCH", _TENANT, {"enabled": True}),
)  # the tenant last: it is enabled only when everything is there


@dataclass(frozen=True)
class GatewayApi:
    """The gateway's and the identity provider's URLs as seen on this machine, and what to trust."""

    url: str
    identity_provider_url: str
    audience: str = "api://sip-gateway"
    context: ssl.SSLContext | None = None
    writes_users: bool = True  # not where they come from Microsoft Graph


def seed_development_tenant(api: GatewayApi) -> bool:
    """False where the tenant was enabled already, and then nothing is touched. Raises OSError where an answer is an error."""
    headers = {"Authorization": f"Bearer {_request_admin_token(api)}", "Content-Type": "application/json"}
    if _request(api, "GET", api.url + _TENANT, headers)["enabled"]:
        return False
    for method, path, content in _CONTENT:
        if path.startswith("/v1/users/") and not api.writes_users:
            continue
        _request(api, method, api.url + quote(path, safe="/@"), headers, json.dumps(content).encode())
    return True


def _request_admin_token(api: GatewayApi) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": "development-admin",
        "client_secret": "development",
        "scope": f"{api.audience}/.default",
    }
    url = f"{api.identity_provider_url}/{DEVELOPMENT_TENANT}/oauth2/v2.0/token"
    return str(_request(api, "POST", url, {}, urlencode(form).encode())["access_token"])


def _request(
    api: GatewayApi, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> Mapping[str, Any]:
    https = urllib.request.HTTPSHandler(context=api.context)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
    request = urllib.request.Request(url, body, dict(headers), method=method)  # noqa: S310 - our own loopback URLs
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        content: Mapping[str, Any] = json.loads(answer.read() or b"{}")
        return content
