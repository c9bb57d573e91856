"""Ports of loopback for what tests start.

A port that the kernel names for bind(0) is one that it also gives to outgoing connections, so between the naming and the
server's own bind somebody else may have it. These lie below that range (Linux gives 32768 to 60999, ip_local_port_range), and
a counter in a file, under a lock, tells test processes apart.
"""

from __future__ import annotations

import fcntl
import socket
import tempfile
from pathlib import Path

FIRST, PORTS = 20_000, 12_000


def free_port() -> int:
    """Nobody listens there, over TCP or UDP, and no other test is given it for a long while."""
    while True:
        port = FIRST + _next("port") % PORTS
        if _is_free(port):
            return port


def media_address() -> str:
    """Loopback's, for one rtpengine alone: two with one address bind the same ports, and hear each other's calls."""
    number = _next("media") % (200 * 254)
    return f"127.1.{number // 254}.{number % 254 + 1}"


def _next(name: str) -> int:
    """A number that no process was given before, until it wraps."""
    with (Path(tempfile.gettempdir()) / f"sip-gateway-tests-next-{name}").open("a+", encoding="ascii") as counter:
        fcntl.flock(counter, fcntl.LOCK_EX)
        counter.seek(0)
        number = int(counter.read() or 0)
        counter.truncate(0)
        counter.write(str(number + 1))
        return number


def _is_free(port: int) -> bool:
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        try:
            stream.bind(("127.0.0.1", port))
            datagram.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
