"""The command line's settings, read once from the environment into one typed object. Nothing else reads the environment."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from cli.failures import BadInput

_ROOT = Path(__file__).resolve().parents[1]
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1: b64token


@dataclass(frozen=True)
class Settings:
    """One field per variable. URLs carry no trailing slash; `ca_file` is None where the system's authorities are enough."""

    gateway_url: str
    token: str
    ca_file: Path | None
    identity_provider_url: str
    login_url: str
    login_client_id: str
    api_audience: str
    token_file: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, root: Path = _ROOT) -> "Settings":
        """Reads `SIPGW_…`. Raises BadInput that names the variable; a token's value is never repeated."""
        url = parse_url("SIPGW_URL", environment.get("SIPGW_URL") or "https://localhost:8443")
        home = Path(environment.get("HOME") or "~").expanduser()
        return cls(
            gateway_url=url,
            token=parse_token("SIPGW_TOKEN", environment.get("SIPGW_TOKEN") or ""),
            ca_file=_ca_file(environment.get("SIPGW_CA_FILE") or "", url, root),
            identity_provider_url=parse_url("SIPGW_IDP_URL", environment.get("SIPGW_IDP_URL") or "http://127.0.0.1:8001"),
            login_url=parse_url("SIPGW_LOGIN_URL", environment.get("SIPGW_LOGIN_URL") or "https://login.microsoftonline.com"),
            login_client_id=environment.get("SIPGW_LOGIN_CLIENT_ID") or "sip-gateway-cli",
            api_audience=environment.get("SIPGW_API_AUDIENCE") or "api://sip-gateway",
            token_file=home / ".config" / "sipgw" / "token.json",
        )


def parse_url(name: str, text: str) -> str:
    """The URL without a trailing slash. HTTPS, or HTTP to this machine alone: a bearer token travels in it."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
        httpx.URL(text.strip())
    except (ValueError, httpx.InvalidURL) as error:
        raise BadInput(
            f"{name} is no URL: {error}", advice=f"Set {name}, for example to https://gateway.example.org"
        ) from error
    if parts.scheme not in {"https", "http"} or not host or port == 0:
        raise BadInput(f"{name} is no https:// URL", advice=f"Set {name}, for example to https://gateway.example.org")
    if parts.username is not None or parts.query or parts.fragment:
        raise BadInput(f"{name} must be a plain URL, without user, query or fragment")
    if parts.scheme == "http" and not is_loopback(text):
        raise BadInput(f"{name} must begin with https://: a token would travel in the clear to {host}")
    return text.strip().rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the URL names this very machine."""
    host = urlsplit(url.strip()).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_token(name: str, text: str) -> str:
    """A bearer token that fits an HTTP header, or "" for none."""
    token = text.strip()
    if token and not _BEARER.fullmatch(token):
        raise BadInput(f"{name} is no bearer token", advice="Copy it again, on one line and without quotes.")
    return token


def _ca_file(named: str, url: str, root: Path) -> Path | None:
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise BadInput(f"SIPGW_CA_FILE: there is no file {path}")
        return path
    local = root / ".gateway" / "tls" / "ca.pem"
    return local if is_loopback(url) and local.is_file() else None
