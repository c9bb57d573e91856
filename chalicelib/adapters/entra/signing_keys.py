"""Entra's public signing keys, cached. Knows nothing of tokens but the key id that signed them.

A key that rotates in is picked up when its first token comes. An attacker who invents key ids cannot make us call Entra more
than a few times a minute, and while Entra is away the keys that we have keep working.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.entra.issuer import AUTHORITY
from chalicelib.adapters.entra.loopback import is_loopback_http
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import IdentityProviderAway
from chalicelib.settings import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable

FRESH_SECONDS = 3600  # a key that Entra withdrew is forgotten after this
MAX_FETCHES_PER_MINUTE = 4
TIMEOUT_SECONDS = 5
_MAX_DOCUMENT_BYTES = 1_000_000


@dataclass(frozen=True)
class SigningKey:
    """`issuer` is the form of the issuer that this key may sign for, with `{tenantid}` in it; empty: any."""

    key: Any  # cryptography's RSAPublicKey
    issuer: str = ""


class SigningKeys:
    """The keys by their id. `fetch` gives the JSON Web Key Set's bytes; `clock` gives monotonic seconds."""

    def __init__(self, fetch: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at = float("-inf")
        self._fetches: deque[float] = deque(maxlen=MAX_FETCHES_PER_MINUTE)
        self._lock = threading.Lock()

    def find_key(self, key_id: str) -> SigningKey | None:
        """None where no such key exists. Raises IdentityProviderAway where that cannot be known."""
        with self._lock:
            stale = self._clock() - self._fetched_at > FRESH_SECONDS
            if (stale or key_id not in self._keys) and self._may_fetch():
                self._refresh(key_id)
            if not self._keys:
                raise IdentityProviderAway
            return self._keys.get(key_id)

    def _may_fetch(self) -> bool:
        now = self._clock()
        return len(self._fetches) < MAX_FETCHES_PER_MINUTE or now - self._fetches[0] > 60  # noqa: PLR2004 - a minute

    def _refresh(self, key_id: str) -> None:
        self._fetches.append(self._clock())
        try:
            keys = parse_key_set(self._fetch())
        except (OSError, ValueError) as error:  # URLError and time-outs are OSErrors
            if key_id not in self._keys:
                raise IdentityProviderAway from error
            return
        self._keys = keys
        self._fetched_at = self._clock()


def parse_key_set(document: bytes) -> dict[str, SigningKey]:
    """The RSA signature keys of a JSON Web Key Set (RFC 7517). Raises ValueError where it is none, or empty."""
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415 - loaded only where administrators call

    keys: dict[str, SigningKey] = {}
    for entry in json.loads(document)["keys"]:
        if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or "kid" not in entry:
            continue
        try:
            keys[entry["kid"]] = SigningKey(PyJWK(entry, algorithm="RS256").key, entry.get("issuer", ""))
        except (PyJWTError, ValueError):
            continue  # one key that we cannot read must not hide the others
    if not keys:
        raise ValueError("the key set holds no RSA key")
    return keys


def fetch_key_set(entra_url: str) -> Callable[[], bytes]:
    """A function that reads the keys of all organisations at Entra, or at a loopback development identity provider."""
    if entra_url != AUTHORITY and not is_loopback_http(entra_url):
        raise BadSetting(f"SIPGW_ENTRA_URL is {entra_url!r}; it must be {AUTHORITY} or http on a loopback address")
    url = f"{entra_url}/common/discovery/v2.0/keys"

    def fetch() -> bytes:
        import urllib.request  # noqa: PLC0415 - it reads the system's roots: 30 ms of a start, for administrators alone

        proxies = urllib.request.ProxyHandler({} if is_loopback_http(entra_url) else None)
        with urllib.request.build_opener(proxies).open(url, timeout=TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read(_MAX_DOCUMENT_BYTES)
            return content

    return fetch
