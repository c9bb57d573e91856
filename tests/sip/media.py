"""A phone's audio for tests: RTP or SRTP (RFC 3711, AES_CM_128_HMAC_SHA1_80) on one UDP socket, G.711 µ-law."""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import re
import socket
import struct
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PACKET_SAMPLES = 160  # 20 ms
_SUITE = "AES_CM_128_HMAC_SHA1_80"
_TAG_BYTES = 10


class WrongTag(ValueError):
    """A packet that was not sealed with this key."""


class SrtpKey:
    """Both directions' session keys from one master key and salt; sequence numbers never wrap here."""

    def __init__(self, master: bytes) -> None:
        self.inline = base64.b64encode(master).decode()
        key, salt = master[:16], master[16:30]
        self._cipher_key = _derive(key, salt, 0, 16)
        self._auth_key = _derive(key, salt, 1, 20)
        self._salt = _derive(key, salt, 2, 14)

    def seal(self, packet: bytes) -> bytes:
        body = packet[:12] + self._xor(packet[:12], packet[12:])
        return body + self._tag(body)

    def open(self, packet: bytes) -> bytes:
        """The packet as it was before it was sealed. Raises WrongTag."""
        body, tag = packet[:-_TAG_BYTES], packet[-_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(body)):
            raise WrongTag
        return body[:12] + self._xor(body[:12], body[12:])

    def _tag(self, body: bytes) -> bytes:
        return hmac.new(self._auth_key, body + b"\0\0\0\0", "sha1").digest()[:_TAG_BYTES]

    def _xor(self, header: bytes, payload: bytes) -> bytes:
        sequence, ssrc = struct.unpack("!2xH4xI", header)
        start = (int.from_bytes(self._salt, "big") << 16) ^ (ssrc << 64) ^ (sequence << 16)
        return _counter(self._cipher_key, start.to_bytes(16, "big"), payload)


def _counter(key: bytes, start: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CTR(start)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _derive(key: bytes, salt: bytes, label: int, length: int) -> bytes:
    """RFC 3711 section 4.3.1 with a key derivation rate of 0."""
    start = (int.from_bytes(salt, "big") ^ (label << 48)) << 16
    return _counter(key, start.to_bytes(16, "big"), bytes(length))


class Media:
    """`encrypted` or not; `connect` it with the other side's SDP."""

    def __init__(self, *, encrypted: bool = True) -> None:
        self.encrypted = encrypted
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._port = self._socket.getsockname()[1]
        self._ours = SrtpKey(os.urandom(30))
        self._theirs: SrtpKey | None = None
        self._target = ("", 0)
        self._ssrc = int.from_bytes(os.urandom(4), "big")
        self._sent = 0
        self.payload_types: list[int] = []

    def __del__(self) -> None:
        self._socket.close()

    def sdp(self, direction: str = "sendrecv") -> bytes:
        """An offer or answer with µ-law and telephone-event (RFC 4733)."""
        lines = [
            "v=0",
            f"o=- {self._port} 1 IN IP4 127.0.0.1",
            "s=-",
            "c=IN IP4 127.0.0.1",
            "t=0 0",
            f"m=audio {self._port} RTP/{'SAVP' if self.encrypted else 'AVP'} 0 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            f"a={direction}",
        ]
        if self.encrypted:
            lines.append(f"a=crypto:1 {_SUITE} inline:{self._ours.inline}")
        return ("\r\n".join(lines) + "\r\n").encode()

    def connect(self, sdp: bytes) -> None:
        """Takes address, port and key from what the edge says."""
        text = sdp.decode()
        port = re.search(r"m=audio (\d+) RTP/(S?)AVP ", text)
        address = re.search(r"c=IN IP4 (\S+)", text)
        assert port is not None, text
        assert address is not None, text
        assert self.encrypted == bool(port[2]), text
        if port[1] == "0":  # the stream is refused: no address, no key
            return
        self._target = (address[1], int(port[1]))
        if self.encrypted:
            keys = re.findall(rf"a=crypto:\d+ {_SUITE} inline:([A-Za-z0-9+/=]+)", text)
            assert keys, text
            self._theirs = SrtpKey(base64.b64decode(keys[0])[:30])

    @property
    def own_port(self) -> int:
        """Where we take packets."""
        return self._port

    @property
    def port(self) -> int:
        """Where the edge takes our packets."""
        return self._target[1]

    def send(self, payloads: list[bytes], *, payload_type: int = 0) -> None:
        for payload in payloads:
            self.send_packet(self.next_packet(payload, payload_type=payload_type))
            time.sleep(0.002)

    def next_packet(self, payload: bytes, *, payload_type: int = 0) -> bytes:
        """As it goes out."""
        self._sent += 1
        packet = struct.pack("!BBHII", 0x80, payload_type, self._sent, self._sent * PACKET_SAMPLES, self._ssrc) + payload
        return self._ours.seal(packet) if self.encrypted else packet

    def send_packet(self, packet: bytes) -> None:
        self._socket.sendto(packet, self._target)

    def count_waiting(self) -> int:
        """How many packets have come in and were not read; they are now."""
        self._socket.settimeout(0)
        count = 0
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(2048):
                count += 1
        return count

    def receive(self, count: int, *, seconds: float = 5.0) -> list[bytes]:
        """The payloads of the next `count` packets that open with the other side's key, or as many as came in time.

        What does not open is discarded (RFC 3711 section 3.3): a port that somebody else had before may still be sent to.
        """
        payloads: list[bytes] = []
        end = time.monotonic() + seconds
        while len(payloads) < count and (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                packet = self._socket.recv(2048)
            except TimeoutError:
                break
            if 64 <= packet[1] & 0x7F < 96:  # RTCP
                continue
            if self._theirs is not None:
                try:
                    packet = self._theirs.open(packet)
                except WrongTag:
                    continue
            self.payload_types.append(packet[1] & 0x7F)
            payloads.append(packet[12:])
        return payloads


def talk(one: Media, other: Media, packets: int = 20) -> tuple[int, int]:
    """Both send; how many of `packets` arrived unchanged at the other, and at the one."""
    ours = [bytes([number]) * PACKET_SAMPLES for number in range(packets)]
    theirs = [bytes([number + 100]) * PACKET_SAMPLES for number in range(packets)]
    one.send(ours[:1])  # rtpengine learns each side's address from its first packet
    other.send(theirs[:1])
    one.send(ours[1:])
    other.send(theirs[1:])
    heard_by_other, heard_by_one = other.receive(packets, seconds=3), one.receive(packets, seconds=3)
    return len(set(heard_by_other) & set(ours)), len(set(heard_by_one) & set(theirs))
