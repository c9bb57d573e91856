"""HTTPS as a desk phone does it: its User-Agent, its trust store, ETags; every request is recorded for printing.

It decides nothing about files or screens. Tokens in URLs are masked in everything it records or says.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import httpx

from local.virtual_phone.errors import ProvisioningError

_TIMEOUT_SECONDS = 20.0
# A long path element without a dot is a credential: `/d/q3J…/lang_en/` (43 characters), `/mmiiaacc/9f3c…/`.
_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_~-]{20,}(?=[/?'\s]|$)|(?<=/d/)[^/]+")


@dataclass(frozen=True)
class SeenRequest:
    """One request that the device made; `url` has its token masked, `size` is the body's length in bytes."""

    method: str
    url: str
    status: int
    etag: str
    size: int


@dataclass(frozen=True)
class HttpAnswer:
    """What the server answered; `url` is where the content came from after redirections."""

    status: int
    url: str
    content: bytes
    content_type: str
    etag: str


class HttpClient:
    """The device's HTTPS client. Close it, or use it in a `with`."""

    def __init__(
        self, user_agent: str, *, factory_trust: Path | None = None, on_request: Callable[[SeenRequest], None] | None = None
    ) -> None:
        self.requests: list[SeenRequest] = []
        self.user_agent = user_agent
        self._factory_trust = factory_trust
        self._on_request = on_request
        self._served_trust: tuple[bytes, ...] = ()
        self._client = self._open_client()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, url: str, *, etag: str = "", user_agent: str = "") -> HttpAnswer:
        """One GET, redirections followed; sends If-None-Match where an ETag is given. Raises ProvisioningError."""
        headers = {"User-Agent": user_agent or self.user_agent} | ({"If-None-Match": etag} if etag else {})
        try:
            response = self._client.get(url, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise ProvisioningError(
                f"GET {mask_url(url)} got no answer: {mask_text(str(error)) or type(error).__name__}"
            ) from error
        answer = HttpAnswer(
            status=response.status_code,
            url=str(response.url),
            content=response.content,
            content_type=response.headers.get("Content-Type", ""),
            etag=response.headers.get("ETag", ""),
        )
        seen = SeenRequest("GET", mask_url(url), answer.status, answer.etag, len(answer.content))
        self.requests.append(seen)
        if self._on_request is not None:
            self._on_request(seen)
        return answer

    def trust(self, certificates: tuple[bytes, ...]) -> None:
        """From now on also trusts these PEM certificates. Raises ProvisioningError for one that is none."""
        if certificates == self._served_trust:
            return
        before, self._served_trust = self._served_trust, certificates
        try:
            client = self._open_client()
        except (ssl.SSLError, ValueError) as error:
            self._served_trust = before
            raise ProvisioningError(f"a served certificate is not PEM that can be trusted: {error}") from None
        self._client.close()
        self._client = client

    def close(self) -> None:
        self._client.close()

    def _open_client(self) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self._factory_trust) if self._factory_trust else None)
        for certificate in self._served_trust:
            context.load_verify_locations(cadata=certificate.decode("ascii"))
        return httpx.Client(
            headers={"Accept": "*/*"},
            verify=context,
            timeout=_TIMEOUT_SECONDS,
            follow_redirects=True,
            max_redirects=5,
            trust_env=False,  # a phone knows no proxy variables
        )


def mask_url(url: str) -> str:
    """The URL as it may be shown: tokens, user names and queries hidden."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, _TOKEN.sub("***", parts.path), "***" if parts.query else "", ""))


def mask_text(text: str) -> str:
    """A message that may quote a path, with tokens hidden."""
    return _TOKEN.sub("***", text)


def find_tokens(url: str) -> frozenset[str]:
    """The tokens in a URL's path: what mask_url hides."""
    return frozenset(_TOKEN.findall(urlsplit(url).path))
