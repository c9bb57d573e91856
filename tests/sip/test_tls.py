"""What the edge negotiates: TLS 1.2 and newer, with ciphers that keep what was said secret later on.

The hellos are written byte by byte: a current OpenSSL cannot offer what is refused here. RFC 5246 section 7.4.1.2, RFC 8446.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct

import pytest

from tests.sip.edge import Edge

pytestmark = pytest.mark.sip
ALERT, HANDSHAKE = 21, 22
PROTOCOL_VERSION, HANDSHAKE_FAILURE = 70, 40
ECDHE_ECDSA_AES128_GCM, ECDHE_RSA_AES128_GCM = 0xC02B, 0xC02F


def hello(version: int, ciphers: list[int]) -> bytes:
    """A ClientHello of at most this version (0x0303 is TLS 1.2) with these cipher suites."""
    extensions = b"".join(
        struct.pack("!HH", kind, len(body)) + body
        for kind, body in (
            (10, struct.pack("!HHHH", 6, 29, 23, 24)),  # groups: x25519, secp256r1, secp384r1
            (11, b"\x01\x00"),  # points: uncompressed
            (13, struct.pack("!HHHH", 6, 0x0403, 0x0804, 0x0401)),  # signatures: ECDSA, RSA-PSS, RSA, each with SHA-256
        )
    )
    suites = b"".join(struct.pack("!H", cipher) for cipher in ciphers)
    body = struct.pack("!H", version) + os.urandom(32) + b"\x00" + struct.pack("!H", len(suites)) + suites + b"\x01\x00"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack("!BHH", HANDSHAKE, 0x0301, len(message)) + message


def answer_to(edge: Edge, version: int, ciphers: list[int]) -> tuple[int, int]:
    """The type of the answer's record and, of an alert, its description."""
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as connection:
        connection.sendall(hello(version, ciphers))
        answer = connection.recv(7)
    return answer[0], answer[6] if answer[0] == ALERT else 0


def test_tls_1_2_with_forward_secrecy_is_spoken(edge: Edge) -> None:
    assert HANDSHAKE == answer_to(edge, 0x0303, [ECDHE_ECDSA_AES128_GCM, ECDHE_RSA_AES128_GCM])[0]


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302], ids=["SSL 3", "TLS 1.0", "TLS 1.1"])
def test_older_versions_are_refused(edge: Edge, version: int) -> None:
    kind, description = answer_to(edge, version, [ECDHE_ECDSA_AES128_GCM, 0xC009, 0xC013, 0x002F])

    assert (ALERT, True) == (kind, description in {PROTOCOL_VERSION, HANDSHAKE_FAILURE})


@pytest.mark.parametrize(
    "ciphers",
    [
        [0x0004, 0x0005, 0xC007, 0xC011],
        [0x000A, 0xC008, 0xC012, 0x0016],
        [0x0000, 0x0001, 0x0002, 0x003B, 0xC006],
        [0x0018, 0x0034, 0x006C, 0x00A6, 0xC018],
        [0x0003, 0x0008, 0x0014],
        [0x002F, 0x0035, 0x003C, 0x009C],
    ],
    ids=["RC4", "3DES", "no encryption", "anonymous", "export", "no forward secrecy"],
)
def test_weak_ciphers_are_refused(edge: Edge, ciphers: list[int]) -> None:
    assert (ALERT, HANDSHAKE_FAILURE) == answer_to(edge, 0x0303, ciphers)


def test_a_current_client_gets_tls_1_3(edge: Edge) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as plain, context.wrap_socket(plain) as connection:
        assert "TLSv1.3" == connection.version()
