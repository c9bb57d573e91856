"""Answers to a phone's digest challenge (RFC 7616; RFC 3261 22.2), with the phone's own password.

Kamailio could answer itself, but only for its own realm and with a memory error on 5.6 (docs: ../research, section 7).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


class UnansweredChallenge(ValueError):
    """A challenge that cannot be answered: not Digest, no nonce, an unknown algorithm or quality of protection."""


@dataclass(frozen=True)
class Challenge:
    """A WWW-Authenticate or Proxy-Authenticate header: `Digest realm="phone", nonce="x", qop="auth", algorithm=MD5`."""

    realm: str
    nonce: str
    algorithm: str
    qop: str
    opaque: str


def parse_challenge(header: str) -> Challenge:
    """Raises UnansweredChallenge where we could not answer. Without an algorithm it is MD5, without qop RFC 2069's form."""
    scheme, _, rest = header.strip().partition(" ")
    parameters = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    algorithm = parameters.get("algorithm", "MD5").upper()
    offered = [item.strip() for item in parameters.get("qop", "").split(",") if item.strip()]
    if scheme.lower() != "digest" or "realm" not in parameters or not parameters.get("nonce"):
        raise UnansweredChallenge("no digest challenge with a realm and a nonce")
    if algorithm not in _HASHES or (offered and "auth" not in offered):
        raise UnansweredChallenge("an algorithm or qop that we do not speak")
    return Challenge(
        realm=parameters["realm"],
        nonce=parameters["nonce"],
        algorithm=algorithm,
        qop="auth" if offered else "",
        opaque=parameters.get("opaque", ""),
    )


@dataclass(frozen=True)
class Signer:
    """Who answers: the digest user and password, and a fresh client nonce."""

    username: str
    password: str
    cnonce: str


def render_authorization(challenge: Challenge, signer: Signer, *, method: str, uri: str) -> str:
    """The Authorization header's value for one request, nonce count 1."""
    hashed = _HASHES[challenge.algorithm]
    ha1 = hashed(f"{signer.username}:{challenge.realm}:{signer.password}".encode())
    ha2 = hashed(f"{method}:{uri}".encode())
    middle = f"{challenge.nonce}:00000001:{signer.cnonce}:auth" if challenge.qop else challenge.nonce
    response = hashed(f"{ha1}:{middle}:{ha2}".encode())
    parts = [
        f'username="{signer.username}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        parts += ["qop=auth", "nc=00000001", f'cnonce="{signer.cnonce}"']
    if challenge.opaque:
        parts.append(f'opaque="{challenge.opaque}"')
    return "Digest " + ", ".join(parts)
