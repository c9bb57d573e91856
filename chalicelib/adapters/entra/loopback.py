"""Lets MSAL talk to the development identity provider: MSAL insists on https, that provider speaks http on loopback.

MSAL keeps Entra's real URLs and calls this transport through its `http_client` hook; here their host is replaced. Any URL but
a loopback one is refused, so that no setting can send a client secret over a network in clear text.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.adapters.entra.issuer import AUTHORITY
from chalicelib.contracts.frozen import dataclass
from chalicelib.settings import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

TIMEOUT_SECONDS = 5
_CALLED_BY_MSAL = ("token_endpoint", "device_authorization_endpoint")  # MSAL accepts these with https only


def is_loopback_http(url: str) -> bool:
    """Whether this is `http://` on 127.0.0.0/8, ::1 or localhost."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost"


@dataclass(frozen=True)
class Reply:
    """What MSAL needs of an HTTP answer."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Raises requests.HTTPError for 4xx and 5xx."""
        import requests  # noqa: PLC0415 - loaded only where people sign in

        if self.status_code >= 400:  # noqa: PLR2004 - RFC 9110: the first of the errors
            raise requests.HTTPError(f"the identity provider answered {self.status_code}")


class LoopbackTransport:
    """MSAL's `http_client` for an identity provider at a loopback URL such as `http://127.0.0.1:8001`."""

    def __init__(self, base_url: str) -> None:
        if not is_loopback_http(base_url):
            raise BadSetting(f"SIPGW_ENTRA_URL is {base_url!r}; it must be {AUTHORITY} or http on a loopback address")
        import requests  # noqa: PLC0415 - loaded only where people sign in

        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between two processes of one machine

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Reply:
        answer = self._session.get(
            self._local(url), params=params, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        return self._reply(answer)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> Reply:
        answer = self._session.post(
            self._local(url), params=params, data=data, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        return self._reply(answer)

    def close(self) -> None:
        self._session.close()

    def _local(self, url: str) -> str:
        if not url.startswith(AUTHORITY + "/"):
            raise ValueError(f"{url!r} is not a URL of the identity provider")
        return self._base_url + url.removeprefix(AUTHORITY)

    def _reply(self, answer: requests.Response) -> Reply:
        text = answer.text
        if urlsplit(answer.url).path.endswith("/.well-known/openid-configuration") and answer.ok:
            document = json.loads(text)
            for name in _CALLED_BY_MSAL:
                if name in document:
                    document[name] = AUTHORITY + urlsplit(document[name]).path
            text = json.dumps(document)
        return Reply(answer.status_code, text, dict(answer.headers))
