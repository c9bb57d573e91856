"""The SIP account that a device's phone files describe, in the same words for every vendor.

It only holds values; each vendor's reader builds it whole, and sip_client.py registers with it and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Transport(StrEnum):
    """How SIP travels, in the spelling of a SIP URI's `transport` parameter."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class MediaEncryption(StrEnum):
    """Whether calls must use SRTP (RFC 4568 keys in SDP)."""

    OFF = "off"
    OPTIONAL = "optional"
    COMPULSORY = "compulsory"


@dataclass(frozen=True)
class SipServer:
    """A registrar or an outbound proxy."""

    address: str
    port: int
    transport: Transport

    @property
    def uri(self) -> str:
        return f"sip:{self.address}:{self.port};transport={self.transport}"


@dataclass(frozen=True)
class PhoneAccount:
    """One line of a device. `expires_seconds` is what it asks the registrar for; the password is never shown."""

    label: str
    display_name: str
    user_name: str
    auth_name: str
    password: str = field(repr=False)
    server: SipServer
    expires_seconds: int
    outbound_proxy: SipServer | None = None
    media_encryption: MediaEncryption = MediaEncryption.OFF

    @property
    def aor(self) -> str:
        """`sip:user@domain`. A user name that already holds a domain keeps it, as Microsoft's gateway serves them."""
        return f"sip:{self.user_name}" if "@" in self.user_name else f"sip:{self.user_name}@{self.server.address}"

    @property
    def domain(self) -> str:
        return self.aor.rpartition("@")[2]
