"""A virtual SIP phone: one TLS connection, a digest user, and whatever bytes a test wants to send."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.sip.messages import SipMessage, digest_parameters, render_message, take_message
from tests.sip.waiting import GENEROUS_SECONDS

REALM = "edge.test"
_numbers = itertools.count(1)


def hash_of(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Account:
    """A digest user and the AOR that it registers."""

    username: str
    aor: str
    password: str = "correct horse"
    algorithm: str = "md5"


@dataclass
class Phone:
    """Connects at once. `contact` stays the same over connections where it is given. `shown_as`: another From than its own."""

    account: Account
    port: int
    user_agent: str = "Yealink SIP-T46U 108.86.0.90"
    contact: str = ""
    domain: str = REALM
    shown_as: str = ""
    call_id: str = field(default_factory=lambda: f"reg-{next(_numbers)}-{time.monotonic_ns()}")

    def __post_init__(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=GENEROUS_SECONDS)
        self._socket = context.wrap_socket(plain)
        self.address = "{}:{}".format(*self._socket.getsockname())
        self.contact = self.contact or f"sip:{self.account.aor}@{self.address};transport=tls"
        self.tag = f"phone{next(_numbers)}"  # of its answers: no two callees have the same (RFC 3261 section 19.3)
        self._buffer = b""
        self._waiting: list[SipMessage] = []
        self._cseq = 0
        self._challenge: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self, *, reset: bool = False) -> None:
        """With `reset` as a power cut does: RST in place of TLS's and TCP's goodbye."""
        if reset and self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    @property
    def connection(self) -> ssl.SSLSocket:
        return self._socket

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, method: str = "", *, seconds: float = GENEROUS_SECONDS) -> SipMessage:
        """The next final response, or the next request of `method`; others wait. TimeoutError where none comes."""
        end = time.monotonic() + seconds
        while True:
            for message in self._waiting:
                if message.method == method and (method or message.status >= 200):
                    self._waiting.remove(message)
                    return message
            self._read(end)

    def _read(self, end: float) -> None:
        self._socket.settimeout(max(0.001, end - time.monotonic()))
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError
        self._buffer += data
        while True:
            found, self._buffer = take_message(self._buffer)
            if found is None:
                break
            self._waiting.append(found)

    def has_received(self, method: str = "") -> bool:
        """Whether a final response, or a request of `method`, can be received at once."""
        with contextlib.suppress(TimeoutError):
            self._read(time.monotonic())
        return any(message.method == method and (method or message.status >= 200) for message in self._waiting)

    def register(self, *, expires: int | None = 120, contact: str | None = None, to_user: str = "") -> SipMessage:
        """REGISTER, answering one challenge; the final answer."""
        extra = [("Contact", contact if contact is not None else f"<{self.contact}>")]
        if expires is not None:
            extra.append(("Expires", str(expires)))
        return self._authenticated("REGISTER", f"sip:{self.domain}", extra, to_user=to_user or self.account.aor)

    def register_without_waiting(self) -> None:
        """REGISTER with the answer to a challenge; the final answer is left to be received."""
        extra = [("Contact", f"<{self.contact}>"), ("Expires", "120")]
        uri = f"sip:{self.domain}"
        response = self._request("REGISTER", uri, extra, to_user=self.account.aor)
        self.take_challenge(response)
        self._send_request("REGISTER", uri, [*extra, self.authorization("REGISTER", uri)], to_user=self.account.aor)

    def register_raw(self, extra: list[tuple[str, str]]) -> SipMessage:
        return self._authenticated("REGISTER", f"sip:{self.domain}", extra, to_user=self.account.aor)

    def dial(self, number: str) -> SipMessage:
        """INVITE and ACK; the final answer. Answers a 407 once."""
        return self._authenticated("INVITE", f"sip:{number}@{self.domain}", [("Contact", f"<{self.contact}>")], to_user=number)

    def dial_without_credentials(self, number: str) -> SipMessage:
        return self._request("INVITE", f"sip:{number}@{self.domain}", [("Contact", f"<{self.contact}>")], to_user=number)

    def provisional(self, *, seconds: float = GENEROUS_SECONDS) -> SipMessage:
        """The next 18x. TimeoutError where none comes."""
        end = time.monotonic() + seconds
        while True:
            for message in self._waiting:
                if 180 <= message.status < 200:
                    self._waiting.remove(message)
                    return message
            self._read(end)

    def send_invite(self, uri: str, extra: list[tuple[str, str]], body: bytes, *, to_user: str = "") -> list[tuple[str, str]]:
        """An INVITE that nobody waits for yet; the headers that its ACK or CANCEL repeats."""
        named = to_user or uri.removeprefix("sip:").partition("@")[0]
        return self._send_request("INVITE", uri, extra, to_user=named, body=body)

    def answer(self, request: SipMessage, status: str, extra: list[tuple[str, str]] | None = None, body: bytes = b"") -> None:
        """Answers a request that came in, such as `answer(notify, "200 OK")`."""
        headers = [("Via", via) for via in request.all("via")]
        headers += [(name, request.header(name)) for name in ("From", "Call-ID", "CSeq")]
        to = request.header("To")
        headers.append(("To", to if ";tag=" in to else f"{to};tag={self.tag}"))
        self.send(render_message(f"SIP/2.0 {status}", headers + (extra or []), body))

    def _authenticated(self, method: str, uri: str, extra: list[tuple[str, str]], *, to_user: str) -> SipMessage:
        authorization = [self.authorization(method, uri)] if self._challenge and method == "REGISTER" else []
        response = self._request(method, uri, extra + authorization, to_user=to_user)
        if response.status not in {401, 407}:
            return response
        self.take_challenge(response)
        return self._request(method, uri, [*extra, self.authorization(method, uri)], to_user=to_user)

    def _request(self, method: str, uri: str, extra: list[tuple[str, str]], *, to_user: str) -> SipMessage:
        shared = self._send_request(method, uri, extra, to_user=to_user)
        response = self.receive()
        if method == "INVITE":
            unchanged = [header for header in shared if header[0] not in {"To", "CSeq"}]
            ack = [*unchanged, ("To", response.header("To")), ("CSeq", f"{self._cseq} ACK")]
            self.send(render_message(f"ACK {uri} SIP/2.0", ack))
        return response

    def _send_request(
        self, method: str, uri: str, extra: list[tuple[str, str]], *, to_user: str, body: bytes = b""
    ) -> list[tuple[str, str]]:
        self._cseq += 1
        headers = [
            ("Via", f"SIP/2.0/TLS {self.address};branch=z9hG4bK{next(_numbers)}{time.monotonic_ns()};rport"),
            ("Max-Forwards", "70"),
            ("From", f"{self.shown_as or f'<sip:{self.account.aor}@{self.domain}>'};tag=t{next(_numbers)}"),
            ("To", f"<sip:{to_user}@{self.domain}>"),
            ("Call-ID", self.call_id if method == "REGISTER" else f"call-{next(_numbers)}-{time.monotonic_ns()}"),
            ("CSeq", f"{self._cseq} {method}"),
        ]
        self.send(render_message(f"{method} {uri} SIP/2.0", [*headers, ("User-Agent", self.user_agent), *extra], body))
        return headers

    def take_challenge(self, response: SipMessage) -> None:
        """What `authorization` answers from now on."""
        self._challenge = digest_parameters(response.header("WWW-Authenticate") or response.header("Proxy-Authenticate"))

    def authorization(self, method: str, uri: str) -> tuple[str, str]:
        account, challenge = self.account, self._challenge
        ha1 = hash_of(account.algorithm, f"{account.username}:{challenge['realm']}:{account.password}")
        ha2 = hash_of(account.algorithm, f"{method}:{uri}")
        cnonce, count = "abcdef01", f"{next(_numbers):08x}"
        response = hash_of(account.algorithm, f"{ha1}:{challenge['nonce']}:{count}:{cnonce}:auth:{ha2}")
        value = (
            f'Digest username="{account.username}", realm="{challenge["realm"]}", nonce="{challenge["nonce"]}", '
            f'uri="{uri}", response="{response}", algorithm={challenge.get("algorithm", "MD5")}, '
            f'qop=auth, nc={count}, cnonce="{cnonce}"'
        )
        return ("Authorization" if method == "REGISTER" else "Proxy-Authorization", value)
