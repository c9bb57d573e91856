"""Where an administrator's bearer token comes from: the environment, the token file, or the development identity provider.

A token stays with the gateway it was issued for: another SIPGW_URL never gets to see it.
"""

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx

from cli.connection import JsonObject, expect_object, open_client, parse_object
from cli.failures import GET_A_TOKEN, BadInput, Failure, NotSignedIn, StrangeAnswer, Unreachable
from cli.settings import Settings, is_loopback, parse_token

DEVELOPMENT_TENANT = UUID("d0000000-0000-4000-8000-000000000001")
_ROLES = ("admin", "technician", "reader")


def parse_role(text: str) -> str:
    """`admin`, `technician` or `reader`, also from `Gateway.Admin` and so on."""
    role = text.strip().lower().removeprefix("gateway.")
    if role not in _ROLES:
        raise BadInput(f"There is no role {text!r}", advice="Roles: " + ", ".join(_ROLES))
    return role


def find_token(settings: Settings) -> str:
    """The token for this gateway; "" where a local gateway's identity provider is away. Raises NotSignedIn."""
    if settings.token:
        return settings.token
    stored = load_token(settings)
    if stored:
        return stored
    if is_loopback(settings.gateway_url):
        try:
            return request_development_token(settings, role="admin", tenant=DEVELOPMENT_TENANT)
        except Unreachable:
            return ""  # then the gateway is away too, which is the better thing to say
    raise NotSignedIn(f"There is no valid token for {settings.gateway_url}", advice=GET_A_TOKEN)


def request_development_token(settings: Settings, *, role: str, tenant: UUID) -> str:
    """A token of the development identity provider, which runs beside a local gateway alone."""
    base = settings.identity_provider_url
    form = {
        "grant_type": "client_credentials",
        "client_id": f"development-{role}",
        "client_secret": "development",
        "scope": f"{settings.api_audience}/.default",
    }
    try:
        with open_client(base, settings.ca_file) as client:
            response = client.post(f"{base}/{tenant}/oauth2/v2.0/token", data=form)
    except httpx.RequestError as error:
        raise Unreachable(
            f"No development identity provider answers at {base}",
            detail=str(error),
            advice="Start the local gateway with `make run`. For a deployed gateway use `./sipgw login`.",
        ) from error
    return issued_token(response, base)[0]


def issued_token(response: httpx.Response, url: str) -> tuple[str, datetime]:
    """The token and its end from an OAuth token answer. Raises NotSignedIn with the sign-in service's own words."""
    answer = expect_object(response)
    if not response.is_success:
        said = str(answer.get("error_description") or answer.get("error") or f"status {response.status_code}")
        raise NotSignedIn(f"The sign-in service at {url} issued no token", detail=said)
    text, lifetime = answer.get("access_token"), answer.get("expires_in", 3600)
    if not isinstance(text, str) or not isinstance(lifetime, int | float):
        raise StrangeAnswer(f"The sign-in service at {url} answered without a token")
    try:
        return parse_token("The issued token", text), datetime.now(UTC) + timedelta(seconds=lifetime)
    except OverflowError as error:
        raise StrangeAnswer(f"The sign-in service at {url} answered an impossible expires_in") from error


def load_token(settings: Settings) -> str:
    """The stored token for this gateway that is still good for a minute, else ""."""
    entry = _load_entries(settings.token_file).get(settings.gateway_url)
    if not isinstance(entry, dict):
        return ""
    try:
        expires_at = datetime.fromisoformat(str(entry.get("expires_at")))
        good = expires_at - timedelta(minutes=1) > datetime.now(UTC)
        return parse_token("The token file", str(entry.get("access_token") or "")) if good else ""
    except (ValueError, TypeError, OverflowError, BadInput):
        return ""


def save_token(settings: Settings, token: str, expires_at: datetime) -> None:
    """Stores the token for this gateway, readable by this user alone, in one step."""
    path = settings.token_file
    entries = {**_load_entries(path), settings.gateway_url: {"access_token": token, "expires_at": expires_at.isoformat()}}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)  # created with mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"gateways": entries}, file, indent=2)
        Path(name).replace(path)
    except OSError as error:
        raise Failure(f"The token cannot be stored in {path}", detail=str(error)) from error


def _load_entries(path: Path) -> JsonObject:
    try:
        entries = (parse_object(path.read_text(encoding="utf-8")) or {}).get("gateways")
    except (OSError, UnicodeDecodeError):
        return {}
    return entries if isinstance(entries, dict) else {}
