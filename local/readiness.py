"""Whether a child does its work yet, asked from outside as its users ask. Each check is one quick try."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from collections.abc import Callable
from pathlib import Path

TRY_SECONDS = 2.0
_ESTABLISHED = "01"

Check = Callable[[], bool]


def answers_http(url: str) -> Check:
    """GET answers 200."""

    def check() -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=TRY_SECONDS) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004 - OK
        except OSError:
            return False

    return check


def speaks_tls(port: int, server_name: str, trust_anchor: Path | None) -> Check:
    """A TLS handshake succeeds, verified against the local authority; unverified with an operator's own certificate."""

    def check() -> bool:
        context = ssl.create_default_context(cafile=str(trust_anchor) if trust_anchor else None)
        if trust_anchor is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        try:
            with (
                socket.create_connection(("127.0.0.1", port), TRY_SECONDS) as raw,
                context.wrap_socket(raw, server_hostname=server_name),
            ):
                return True
        except OSError:
            return False

    return check


def is_linked(port: int) -> Check:
    """Somebody on this machine holds a TCP connection to this port of 127.0.0.1 (/proc/net/tcp, proc(5))."""
    listener = f"0100007F:{port:04X}"

    def check() -> bool:
        rows = (line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines())
        return any(remote == listener and state == _ESTABLISHED for _, _, remote, state, *_ in rows)

    return check


def answers_ping(port: int) -> Check:
    """Rtpengine answers on its control port (NG protocol: a cookie and a bencoded dictionary in a datagram)."""

    def check() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
            raw.settimeout(TRY_SECONDS)
            try:
                raw.connect(("127.0.0.1", port))
                raw.send(b"ready d7:command4:pinge")
                return b"4:pong" in raw.recv(1024)
            except OSError:
                return False

    return check


def own_address(host: str) -> str:
    """The IPv4 address of this machine that a phone reaches it at: what `host` means where that is ours, else the way out's."""
    if not host:
        return "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        try:
            raw.bind((host, 0))
        except OSError:
            pass  # not ours (a NAT's outside), or no such name here
        else:
            return str(raw.getsockname()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        try:
            raw.connect(("192.0.2.1", 9))  # TEST-NET-1: nothing is sent, the kernel only chooses an address
        except OSError:
            return "127.0.0.1"
        return str(raw.getsockname()[0])


def accepts_unix(path: Path) -> Check:
    """Somebody listens on the socket."""

    def check() -> bool:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(TRY_SECONDS)
            try:
                raw.connect(str(path))
            except OSError:
                return False
            return True

    return check


def all_of(*checks: Check) -> Check:
    """Every check, in order."""
    return lambda: all(check() for check in checks)


def is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            raw.bind((address, port))
        except OSError:
            return False
        return True
