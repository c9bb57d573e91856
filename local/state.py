"""The folder that a gateway on this machine keeps: secrets, certificates, database, logs. Survives restarts."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

EDGE_CREDENTIALS = 2  # two are valid at a time, so that they can be rotated


LONGEST_SOCKET_PATH = 100  # unix(7): a socket's path has at most 107 bytes


class StateInUse(RuntimeError):
    """Another gateway runs with this folder."""


class BadStateFolder(ValueError):
    """The folder cannot be used; the message says why."""


@dataclass(frozen=True)
class GatewayState:
    """Where everything is."""

    folder: Path

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def database(self) -> Path:
        return self.folder / "gateway.db"

    @property
    def certificates(self) -> Path:
        return self.folder / "tls"

    @property
    def run(self) -> Path:
        """Sockets and what else lives only as long as the processes do."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def agent_socket(self) -> Path:
        return self.run / "agent.sock"

    @property
    def outbox(self) -> Path:
        return self.folder / "edge" / "outbox.db"

    @property
    def identity_keys(self) -> Path:
        return self.folder / "identity" / "keys.json"

    def prepare(self) -> None:
        """Makes the folders and, once, the secrets. Raises BadStateFolder."""
        if len(os.fsencode(self.agent_socket)) > LONGEST_SOCKET_PATH:
            raise BadStateFolder(f"{self.folder} is too long for the socket in it; set GATEWAY_STATE to a shorter path")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.certificates, self.run, self.logs, self.outbox.parent, self.identity_keys.parent):
            folder.mkdir(exist_ok=True)
        if not self.secrets.exists():
            write_private(self.secrets, json.dumps(_new_secrets(), indent=2) + "\n")
        self.agent_socket.unlink(missing_ok=True)
        if not self.database.exists():
            self._seeded.unlink(missing_ok=True)  # a database that somebody deleted takes the record of its seeds along

    @property
    def must_be_seeded(self) -> bool:
        """True until the development tenant was put into this very database."""
        return not self._seeded.exists()

    def record_seeded(self) -> None:
        self._seeded.touch()

    @property
    def _seeded(self) -> Path:
        return self.folder / "seeded"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder for this process. Raises StateInUse, naming the other one."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise StateInUse(
                    f"a gateway already runs with {self.folder} (process {file.read().strip() or 'unknown'}); "
                    "stop it, or give this one its own folder and ports, such as GATEWAY_STATE=/tmp/second HTTPS_PORT=9443"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield


def _new_secrets() -> dict[str, object]:
    return {
        "region_key": secrets.token_urlsafe(32),
        "edge_credentials": [secrets.token_urlsafe(32) for _ in range(EDGE_CREDENTIALS)],
        "entra_client_secret": secrets.token_urlsafe(32),
    }


def write_private(path: Path, content: str) -> None:
    """Writes a file that its owner alone can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
