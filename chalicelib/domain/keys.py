"""What is derived from the region's key and so is stored nowhere: tokens, SIP passwords, pairing codes, digests of codes.

One HMAC-SHA256 per purpose, the purpose in front of the message, so that no two uses can meet. A leaked table holds none of
these; a new region key ends them all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from chalicelib.contracts.edge import Ha1
from chalicelib.domain.identifiers import InstallationId, SipUsername
from chalicelib.domain.secret import Secret

PAIRING_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: 20 consonants, no words, no look-alikes
PAIRING_CODE_LENGTH = 8  # 20 ** 8: 34.5 bits, for 15 minutes, with few tries


class Keys:
    """Derives with the region's key. Values for the same arguments are always the same."""

    def __init__(self, region_key: Secret) -> None:
        self._key = region_key.reveal().encode()

    def _derive(self, purpose: str, *parts: object) -> bytes:
        message = "|".join((purpose, *(str(part) for part in parts)))
        return hmac.new(self._key, message.encode(), hashlib.sha256).digest()

    def token(self, seed: str) -> Secret:
        """The 256-bit token of an installation's URL, 43 URL-safe characters."""
        return Secret(base64.urlsafe_b64encode(self._derive("token", seed)).rstrip(b"=").decode())

    def sip_password(self, installation_id: InstallationId, account_version: int) -> Secret:
        """The SIP password of one account version, 32 URL-safe characters (192 bits)."""
        return Secret(base64.urlsafe_b64encode(self._derive("sip", installation_id, account_version)).decode()[:32])

    def admin_password(self, installation_id: InstallationId) -> Secret:
        """The password of the device's own settings menu, 16 characters of a-z2-7: typed by hand when it must be."""
        return Secret(base64.b32encode(self._derive("admin", installation_id)).decode().lower()[:16])

    def pairing_code(self, installation_id: InstallationId, nonce: str) -> Secret:
        """The pairing code of one pairing, eight consonants without a hyphen."""
        number = int.from_bytes(self._derive("pairing", installation_id, nonce), "big")
        letters = []
        for _ in range(PAIRING_CODE_LENGTH):
            number, index = divmod(number, len(PAIRING_ALPHABET))
            letters.append(PAIRING_ALPHABET[index])
        return Secret("".join(letters))

    def digest(self, purpose: str, *parts: str) -> str:
        """What is stored in place of a code: hex, 64 characters."""
        return self._derive(f"digest-{purpose}", *parts).hex()


def installation_id_of(token: str) -> InstallationId:
    """The installation that a token names: 26 characters of a-z2-7 (130 bits of its SHA-256). Says nothing about validity."""
    return InstallationId(base64.b32encode(hashlib.sha256(token.encode()).digest()).decode().lower()[:26])


def ha1(username: SipUsername, realm: str, password: Secret) -> Ha1:
    """H(A1) of RFC 7616 section 3.4.2 by MD5 and by SHA-256, lower-case hex."""
    a1 = f"{username}:{realm}:{password.reveal()}".encode()
    return Ha1(md5=hashlib.md5(a1, usedforsecurity=False).hexdigest(), sha256=hashlib.sha256(a1).hexdigest())


def format_pairing_code(code: Secret) -> str:
    """As shown on a screen: `BCDF-GHJK`."""
    text = code.reveal()
    return f"{text[:4]}-{text[4:]}"


def read_pairing_code(text: str) -> str:
    """What a person typed, as eight upper-case letters; blanks and hyphens dropped. May be no code at all."""
    return "".join(letter for letter in text.upper() if letter.isalnum())[:64]
