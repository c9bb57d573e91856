"""A real edge for tests: Kamailio and the agent as processes of their own, on free loopback ports.

They are this machine's, or with EDGE_ROOT=FOLDER those of an image's unpacked root, with this working copy's code.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.contracts.codec import to_json
from chalicelib.contracts.edge import EdgeCommand
from local.readiness import answers_ping
from sip_edge.agent.kamailio import kamailio_command, kamailio_environment, prepare_kamailio
from sip_edge.agent.rtpengine import rtpengine_command
from sip_edge.agent.settings import KamailioSettings, MediaSettings
from tests.ports import free_port, media_address
from tests.sip.functions_server import EDGE_CREDENTIAL, FunctionsServer
from tests.sip.phone import REALM
from tests.sip.waiting import wait_until

# Whatever happens to the test run, the kernel ends what it started (util-linux; prctl PR_SET_PDEATHSIG).
END_WITH_PARENT = ["setpriv", "--pdeathsig", "TERM"]
REPOSITORY = Path(__file__).resolve().parents[2]
IN_ROOT = REPOSITORY / "tests" / "sip" / "in_root.sh"


@dataclass
class Edge:
    """Everything of it lives under `folder`; the logs are kamailio.log and agent.log there."""

    folder: Path
    certificate: Path
    key: Path
    functions: FunctionsServer
    overrides: dict[str, str] = field(default_factory=dict)
    root: str = field(default_factory=lambda: os.environ.get("EDGE_ROOT", ""))
    kamailio: subprocess.Popen[bytes] | None = None
    agent: subprocess.Popen[bytes] | None = None
    rtpengine: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port = free_port()
        evapi = f"127.0.0.1:{free_port()}"
        self.commands_path = self.folder / "commands"
        self.environment = {
            "EDGE_SIP_HOST": REALM,
            "EDGE_TLS_PORT": str(self.port),
            "EDGE_TLS_CERTIFICATE": str(self.certificate),
            "EDGE_TLS_KEY": str(self.key),
            "EDGE_EVAPI": evapi,
            "EDGE_MEDIA_CONTROL": f"127.0.0.1:{free_port()}",
            "EDGE_ANNOUNCER": f"127.0.0.1:{free_port()}",
            "EDGE_MEDIA_ADDRESS": media_address(),
            "EDGE_RUN_DIRECTORY": str(self.folder / "run"),
            "EDGE_EXPIRES_MIN": "2",
            "EDGE_PIKE_DENSITY": "60000",
            "EDGE_SHARED_MEMORY_MB": "64",
            "EDGE_ID": "edge-under-test",
            "EDGE_FUNCTIONS_URL": self.functions.url,
            "EDGE_CREDENTIAL": EDGE_CREDENTIAL,
            "EDGE_TRUST_ANCHOR": str(self.certificate),
            "EDGE_OUTBOX": str(self.folder / "outbox.db"),
            "EDGE_COMMANDS": f"unix:{self.commands_path}",
            "EDGE_HEARTBEAT_SECONDS": "1",
            "EDGE_RENEWAL_SECONDS": "1",
            "EDGE_METRICS": f"127.0.0.1:{free_port()}",
            **self.overrides,
        }

    def waiting_events(self) -> int:
        """How many the agent has still to deliver."""
        with sqlite3.connect(self.folder / "outbox.db") as database:
            (count,) = database.execute("SELECT count(*) FROM events").fetchone()
        database.close()
        return int(count)

    def start(self) -> Edge:
        self.start_kamailio()
        self.start_agent()
        return self

    def start_kamailio(self) -> None:
        prepare_kamailio(KamailioSettings.from_environment(self.environment))
        command, environment = self.kamailio_start()
        self.kamailio = self._spawn("kamailio", command, environment)
        wait_until(self._answers)

    def kamailio_start(self) -> tuple[list[str], dict[str, str]]:
        """The command line that starts Kamailio, and its environment."""
        if self.root:
            return self.in_root("python3", "-m", "sip_edge.agent.kamailio"), self.environment
        settings = KamailioSettings.from_environment(self.environment)
        return [*END_WITH_PARENT, *kamailio_command(settings)], kamailio_environment(settings)

    def start_agent(self) -> None:
        links_before = self.log("agent").count('"link_up"')
        arguments = ["-W", "error", "-m", "sip_edge.agent"]
        command = self.in_root("python3", *arguments) if self.root else [*END_WITH_PARENT, sys.executable, *arguments]
        self.agent = self._spawn("agent", command, self.environment)
        wait_until(lambda: self._is_linked(links_before), describe=lambda: self.log("agent") + self.log("kamailio"))

    def in_root(self, *command: str) -> list[str]:
        """The command as it runs in the unpacked image, with the folders that this edge reads and writes."""
        folders = [str(self.folder), str(self.certificate.parent)]
        if "EDGE_ANNOUNCEMENTS" in self.overrides:
            folders.append(self.overrides["EDGE_ANNOUNCEMENTS"])
        return [str(IN_ROOT), self.root, *folders, "--", *command]

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """In a session of its own, with its output in NAME.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own command line
                command,
                env={**os.environ, **environment, "CODE": str(REPOSITORY)},
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def version(self) -> str:
        """Kamailio's, such as `6.0.1`."""
        command = self.in_root("kamailio", "-v") if self.root else ["kamailio", "-v"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command line
        return done.stdout.split()[2]

    def start_rtpengine(self) -> Edge:
        """Beside Kamailio, for tests of calls."""
        command = rtpengine_command(MediaSettings.from_environment(self.environment))
        self.rtpengine = self._spawn("rtpengine", [*END_WITH_PARENT, *command], {})
        wait_until(answers_ping(int(self.environment["EDGE_MEDIA_CONTROL"].rpartition(":")[2])))
        return self

    def kill_rtpengine(self) -> None:
        """SIGKILL."""
        if self.rtpengine is not None:
            self.rtpengine.kill()
            self.rtpengine.wait()
            self.rtpengine = None

    def kill_kamailio(self) -> None:
        """SIGKILL to Kamailio's own process group: its workers would live on otherwise."""
        if self.kamailio is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self.kamailio.pid, signal.SIGKILL)
            self.kamailio.wait()
            wait_until(lambda: not self._listens())  # its workers end a moment later
            self.kamailio = None

    def kill_agent(self) -> None:
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait()
            self.agent = None

    def stop_agent(self) -> int:
        """SIGTERM; the exit status."""
        assert self.agent is not None
        self.agent.terminate()
        status = self.agent.wait(timeout=10)
        self.agent = None
        return status

    def close(self) -> None:
        self.kill_agent()
        self.kill_kamailio()
        self.kill_rtpengine()

    def send_command(self, command: EdgeCommand) -> str:
        """Over the unix socket, as the local functions do; the agent's answer."""
        return self.send_line(json.dumps(to_json(command)).encode() + b"\n").decode()

    def send_line(self, line: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.commands_path))
            connection.sendall(line)
            return connection.recv(100)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _answers(self) -> bool:
        assert self.kamailio is not None
        assert self.kamailio.poll() is None, self.log("kamailio")
        return self._listens()

    def _is_linked(self, links_before: int) -> bool:
        assert self.agent is not None
        assert self.agent.poll() is None, self.log("agent")
        return self.log("agent").count('"link_up"') > links_before and self.commands_path.exists()

    def _listens(self) -> bool:
        try:
            address = self.environment.get("EDGE_LISTEN", "127.0.0.1")
            with socket.create_connection((address, self.port), timeout=1):
                return True
        except OSError:
            return False
