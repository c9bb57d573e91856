"""A peer of the trunk for tests: a TLS server that demands the edge's certificate, and a client with its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from pathlib import Path

from tests.sip.messages import SipMessage, render_message
from tests.sip.phone import Account, Phone
from tests.sip.waiting import GENEROUS_SECONDS


class Peer(Phone):
    """Calls come in on the connection that the edge made; OPTIONS are answered and counted. `call_edge` opens our own."""

    def __init__(self, certificate: Path, key: Path, *, status: str = "200 OK", trust: Path | None = None) -> None:
        self._files = certificate, key
        self._trust = trust or certificate  # of the edge's
        self._server = socket.create_server(("127.0.0.1", 0))
        self.listening = self._server.getsockname()[1]
        self.account = Account("peer", "peer")
        self.user_agent = "peer"
        self.shown_as = ""
        self.tag = f"peer{self.listening}"
        self.options: list[SipMessage] = []
        self.options_status = status
        self.common_name = ""
        self._connections: list[ssl.SSLSocket] = []
        self._buffer, self._waiting, self._cseq, self._challenge = b"", [], 0, {}

    def close(self, *, reset: bool = False) -> None:  # noqa: ARG002 - as a phone's
        for connection in self._connections:
            connection.close()
        self._server.close()

    def accept(self) -> None:
        """The edge's connection; its certificate is checked by the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._files)
        context.load_verify_locations(self._trust)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server.settimeout(GENEROUS_SECONDS)
        plain, _ = self._server.accept()
        plain.settimeout(GENEROUS_SECONDS)
        self._use(context.wrap_socket(plain, server_side=True))

    def call_edge(self, port: int, *, with_certificate: bool = True) -> None:
        """Our own connection to the edge's trunk port; used from now on."""
        context = ssl.create_default_context(cafile=str(self._trust))
        context.check_hostname = False
        if with_certificate:
            context.load_cert_chain(*self._files)
        plain = socket.create_connection(("127.0.0.1", port), timeout=GENEROUS_SECONDS)
        self._use(context.wrap_socket(plain))

    def _use(self, connection: ssl.SSLSocket) -> None:
        self._connections.append(connection)
        self._socket = connection
        self.address = "{}:{}".format(*connection.getsockname())
        self.contact = f"sip:peer@{self.address};transport=tls"

    def _read(self, end: float) -> None:
        super()._read(end)
        for message in [found for found in self._waiting if found.method == "OPTIONS"]:
            self._waiting.remove(message)
            self.options.append(message)
            self.answer(message, self.options_status)

    def wait_for_options(self) -> SipMessage:
        end = time.monotonic() + GENEROUS_SECONDS
        while not self.options:
            self._read(end)
        return self.options[-1]

    def catch_up(self) -> None:
        """Until the edge surely takes us for alive: nobody answered its OPTIONS while other tests ran."""
        self.options.clear()
        with contextlib.suppress(TimeoutError):
            self.receive("what piled up", seconds=0.1)
        if len(self.options) > 1:
            for _ in range(2):  # the second is sent after the answer to the first
                self.options.clear()
                self.wait_for_options()

    def ask_options(self) -> SipMessage:
        headers = [
            ("Via", f"SIP/2.0/TLS {self.address};branch=z9hG4bKo{time.monotonic_ns()};rport"),
            ("Max-Forwards", "70"),
            ("From", "<sip:peer.test>;tag=p"),
            ("To", "<sip:edge.test>"),
            ("Call-ID", f"options-{time.monotonic_ns()}"),
            ("CSeq", "1 OPTIONS"),
        ]
        self.send(render_message("OPTIONS sip:edge.test SIP/2.0", headers))
        return self.receive()
