"""The signing keys of the development identity provider, kept in a file so that tokens survive a restart."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

_KEPT = 2  # the current key, and the one before it so that its tokens live on


class SigningKeyFile:
    """RSA keys in a file of mode 0600, newest first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        if path.exists():
            self._entries: list[dict[str, str]] = json.loads(path.read_text())
        else:
            self._entries = []
            self.rotate()

    def rotate(self) -> str:
        """Makes a new key the current one; its id."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        with self._lock:
            self._entries = [{"kid": uuid.uuid4().hex, "pem": pem}, *self._entries][:_KEPT]
            self._write()
            return self._entries[0]["kid"]

    def sign(self, claims: dict[str, Any]) -> str:
        """A JSON Web Token of these claims, by the current key."""
        current = self._entries[0]
        return jwt.encode(claims, current["pem"], "RS256", headers={"kid": current["kid"]})

    def key_set(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517), with Entra's `issuer` beside each."""
        return {"keys": [_public(entry) for entry in self._entries]}

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self._entries, file)
        draft.replace(self._path)


def _public(entry: dict[str, str]) -> dict[str, Any]:
    private = serialization.load_pem_private_key(entry["pem"].encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)  # noqa: S101 - rotate() writes no other kind
    issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
    return {
        **RSAAlgorithm.to_jwk(private.public_key(), as_dict=True),
        "kid": entry["kid"],
        "use": "sig",
        "alg": "RS256",
        "issuer": issuer,
    }
