"""The CommandLink port on one machine: the agent listens on a unix socket, one JSON line a command, `ok` for each."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

from chalicelib.contracts.codec import to_json
from chalicelib.contracts.edge import EdgeCommand

TIMEOUT_SECONDS = 2.0


class UnixSocketLink:
    """Sends over `path`. An agent that is away or silent means False, and nothing is lost: the caller keeps the command."""

    def __init__(self, path: str) -> None:
        self._path = path

    def send(self, edge_id: str, commands: Sequence[EdgeCommand]) -> bool:
        """There is one edge on one machine, so `edge_id` needs no routing."""
        del edge_id
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT_SECONDS)
                connection.connect(self._path)
                for command in commands:
                    connection.sendall(json.dumps(to_json(command)).encode() + b"\n")
                return _all_confirmed(connection, len(commands))
        except OSError:
            return False


def _all_confirmed(connection: socket.socket, count: int) -> bool:
    received = b""
    while received.count(b"\n") < count:
        part = connection.recv(1024)
        if not part:
            return False
        received += part
    return received == b"ok\n" * count


class NoLink:
    """No way to push: every command waits for the edge's next batch of events."""

    def send(self, edge_id: str, commands: Sequence[EdgeCommand]) -> bool:
        """Always False."""
        del edge_id, commands
        return False
