"""Many SIP phones in one process, for load: one TLS connection each, non-blocking, with requests prepared in advance.

Not asyncio: a quarter of its cost for each message, and the phones must not be what is measured. `PhoneProcesses` runs several.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

REALM = "edge.test"
PASSWORD = "correct horse"  # noqa: S105 - of accounts that exist while a benchmark runs
_URI = f"sip:{REALM}"
_HA2 = hashlib.md5(f"REGISTER:{_URI}".encode(), usedforsecurity=False).hexdigest()
_TRY_SECONDS = 0.25
_ANSWER_SECONDS = 10.0
COMEBACK_SECONDS = 600.0


@dataclass
class Tally:
    """What a run of a process came to."""

    registered: int = 0
    challenged: int = 0
    failed: int = 0


class LoadPhone:
    """One phone; `username` and AOR are the same name."""

    def __init__(self, port: int, name: str, context: ssl.SSLContext) -> None:
        self.name = name
        self.socket: ssl.SSLSocket | None = None
        self._port = port
        self._context = context
        self._ha1 = hashlib.md5(f"{name}:{REALM}:{PASSWORD}".encode(), usedforsecurity=False).hexdigest()
        self._cseq = 0
        self._authorization = b""
        self.buffer = b""

    def connect(self) -> None:
        """A new TLS connection. Raises OSError."""
        plain = socket.create_connection(("127.0.0.1", self._port), timeout=_ANSWER_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = self._context.wrap_socket(plain)
        address = (
            "{}:{}".format(*plain.getsockname()[:2]) if plain.fileno() >= 0 else "{}:{}".format(*self.socket.getsockname())
        )
        self._address = address
        self.buffer = b""
        self._authorization = b""

    def close(self, *, reset: bool = False) -> None:
        """Ends the connection; with `reset` as a power cut does, with an RST instead of a FIN."""
        if self.socket is None:
            return
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.socket = None

    def send_register(self, *, authorized: bool) -> None:
        """A refresh; `authorized` answers the last challenge again."""
        self._cseq += 1
        head = (
            f"REGISTER {_URI} SIP/2.0\r\nVia: SIP/2.0/TLS {self._address};branch=z9hG4bK{self.name}{self._cseq};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.name}@{REALM}>;tag={self.name}\r\nTo: <sip:{self.name}@{REALM}>\r\n"
            f"Call-ID: {self.name}-{self._address}\r\nCSeq: {self._cseq} REGISTER\r\nUser-Agent: load/1\r\n"
            f"Contact: <sip:{self.name}@{self._address};transport=tls>\r\nExpires: 120\r\n"
        )
        authorization = self._authorization if authorized else b""
        self._send(head.encode() + authorization + b"Content-Length: 0\r\n\r\n")

    def answer_challenge(self, response: bytes) -> None:
        """Computes the digest (RFC 2617, qop=auth) that the following requests carry."""
        nonce = response.partition(b'nonce="')[2].partition(b'"')[0].decode()
        digest = hashlib.md5(f"{self._ha1}:{nonce}:00000001:abcdef01:auth:{_HA2}".encode(), usedforsecurity=False).hexdigest()
        self._authorization = (
            f'Authorization: Digest username="{self.name}", realm="{REALM}", nonce="{nonce}", uri="{_URI}", '
            f'response="{digest}", algorithm=MD5, qop=auth, nc=00000001, cnonce="abcdef01"\r\n'
        ).encode()

    def register(self) -> bool:
        """Blocks until registered; whether it is. Raises OSError where the connection ends."""
        self.send_register(authorized=bool(self._authorization))
        message = self.receive()
        if status_of(message) == 401:  # noqa: PLR2004 - RFC 3261
            self.answer_challenge(message)
            self.send_register(authorized=True)
            message = self.receive()
        return status_of(message) == 200  # noqa: PLR2004 - RFC 3261

    def receive(self) -> bytes:
        """The next whole message, blocking. Raises OSError."""
        while True:
            message = self.take()
            if message:
                return message
            self.fill()

    def take(self) -> bytes:
        """A whole message from the buffer, or nothing; no message here has a body."""
        message, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return b""
        self.buffer = rest
        return message + end

    def fill(self) -> None:
        """Reads what is there. Raises OSError; SSLWantReadError where nothing is."""
        assert self.socket is not None
        data = self.socket.recv(8192)
        if not data:
            raise ConnectionResetError
        self.buffer += data

    def answer_ok(self, request: bytes) -> None:
        """200 to a NOTIFY."""
        kept = [line for line in request.split(b"\r\n")[1:] if line.split(b":")[0].lower() in _ECHOED]
        self._send(b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""]))

    def _send(self, data: bytes) -> None:
        assert self.socket is not None
        self.socket.send(data)


_ECHOED = {b"via", b"from", b"to", b"call-id", b"cseq"}


def status_of(message: bytes) -> int:
    """0 for a request."""
    return int(message[8:11]) if message.startswith(b"SIP/2.0 ") else 0


class Herd:
    """The phones of one process. Each method is one command of `PhoneProcesses`."""

    def __init__(self, port: int, names: list[str]) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._phones = [LoadPhone(port, name, context) for name in names]

    def register_all(self, within: float = COMEBACK_SECONDS) -> Tally:
        """Connects and registers every phone that is not connected, again and again for at most `within` seconds."""
        tally = Tally()
        end = time.monotonic() + within
        waiting = [phone for phone in self._phones if phone.socket is None]
        while waiting and time.monotonic() < end:
            again = [phone for phone in waiting if not self._comes_back(phone)]
            tally.registered += len(waiting) - len(again)
            if again:
                time.sleep(_TRY_SECONDS)
            waiting = again
        tally.failed = len(waiting)
        return tally

    def _comes_back(self, phone: LoadPhone) -> bool:
        try:
            phone.connect()
            if phone.register():
                return True
        except OSError:
            pass
        phone.close()
        return False

    def refresh(self, seconds: float, full: bool) -> Tally:  # noqa: FBT001 - a command's argument
        """Every phone refreshes again and again; `full`: each time without credentials first, so that it is challenged."""
        tally = Tally()
        by_number = {phone.socket.fileno(): phone for phone in self._phones if phone.socket is not None}
        poll = select.epoll()
        for number, phone in by_number.items():
            phone.socket.setblocking(False)  # type: ignore[union-attr]
            poll.register(number, select.EPOLLIN)
            phone.send_register(authorized=not full)
        end = time.monotonic() + seconds
        outstanding = len(by_number)
        while outstanding:
            ready = poll.poll(_ANSWER_SECONDS)
            if not ready:
                tally.failed += outstanding
                break
            go_on = time.monotonic() < end
            for number, _ in ready:
                outstanding -= self._advance(by_number[number], tally, full=full, go_on=go_on)
        poll.close()
        for phone in by_number.values():
            if phone.socket is not None:
                phone.socket.setblocking(True)
        return tally

    def _advance(self, phone: LoadPhone, tally: Tally, *, full: bool, go_on: bool) -> bool:
        """Takes the answers that are there and sends the next request. Whether this phone is done."""
        try:
            phone.fill()
        except ssl.SSLWantReadError:
            return False
        except OSError:  # the edge ended the connection
            phone.close()
            tally.failed += 1
            return True
        message = phone.take()
        while message and not status_of(message):  # the end of a call whose phone had this port before
            message = phone.take()
        if not message:
            return False
        match status_of(message):
            case 200:
                tally.registered += 1
            case 401:
                tally.challenged += 1
                phone.answer_challenge(message)
                phone.send_register(authorized=True)
                return False
            case _:
                tally.failed += 1
        if go_on:
            phone.send_register(authorized=not full)
        return not go_on

    def await_notify(self, name: str) -> float:
        """When the phone `name` got its NOTIFY, on this machine's monotonic clock; it is answered with 200."""
        phone = next(phone for phone in self._phones if phone.name == name)
        request = phone.receive()
        arrived = time.monotonic()
        phone.answer_ok(request)
        return arrived

    def drop(self, share: float, reset_share: float) -> int:
        """Ends this share of the connections, of those a share by RST. How many."""
        leaving = self._phones[: int(len(self._phones) * share)]
        for index, phone in enumerate(leaving):
            phone.close(reset=index < len(leaving) * reset_share)
        self._phones = self._phones[len(leaving) :] + leaving
        return len(leaving)

    def note_closed(self) -> int:
        """Waits until the edge has ended every connection, and forgets them. How many."""
        for phone in self._phones:
            try:
                while phone.socket is not None:
                    phone.fill()
            except OSError:
                phone.close()
        return len(self._phones)


class PhoneProcesses:
    """The phones, shared out over processes that work side by side. Use as a context manager."""

    def __init__(self, port: int, names: list[str], processes: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        self._workers: list[tuple[Any, Connection]] = []
        for index in range(processes):
            ours, theirs = context.Pipe()
            worker = context.Process(target=_serve, args=(theirs, port, names[index::processes]), daemon=True)
            worker.start()
            self._workers.append((worker, ours))

    def __enter__(self) -> PhoneProcesses:  # noqa: PYI034 - Self is no clearer
        return self

    def __exit__(self, *_: object) -> None:
        for worker, ours in self._workers:
            ours.close()
            worker.join(5)
            worker.kill()

    def begin(self, method: str, *arguments: Any, only: int | None = None) -> None:
        """Starts a command in every process, or in one."""
        for _, ours in self._workers if only is None else [self._workers[only]]:
            ours.send((method, arguments))

    def finish(self, only: int | None = None) -> list[Any]:
        """The results of the command that was begun."""
        return [ours.recv() for _, ours in (self._workers if only is None else [self._workers[only]])]

    def run(self, method: str, *arguments: Any) -> list[Any]:
        """Begins and finishes."""
        self.begin(method, *arguments)
        return self.finish()


def add_up(tallies: list[Tally]) -> Tally:
    """Of several processes."""
    return Tally(sum(t.registered for t in tallies), sum(t.challenged for t in tallies), sum(t.failed for t in tallies))


def _serve(commands: Connection, port: int, names: list[str]) -> None:
    herd = Herd(port, names)
    while True:
        try:
            method, arguments = commands.recv()
        except EOFError:
            return
        commands.send(getattr(herd, method)(*arguments))
