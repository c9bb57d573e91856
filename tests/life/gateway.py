"""The whole gateway as a child, `python -m local run`, with its processes by name so that a test can stop or kill each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.life.waiting import wait_until

READY = "The gateway runs"
# What stands in each process's command line.
PROCESSES = {
    "identity": "local.identity_provider",
    "functions": "local.front",
    "kamailio": "kamailio.cfg",
    "agent": "sip_edge.agent",
}


@dataclass(frozen=True)
class ProcessId:
    """A process for certain: a pid that is used again starts at another time."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        return _started(self.pid) == self.started


class Gateway:
    """One gateway and the folder that it keeps; every start has a log of its own."""

    def __init__(self, state: Path, settings: Mapping[str, str]) -> None:
        self.state = state
        self._settings = settings
        self._logs: list[Path] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def trust(self) -> Path:
        """The local authority that phones trust."""
        return self.state / "tls" / "ca.pem"

    def start(self) -> None:
        """Returns when it says that it runs."""
        self._logs.append(self.state.parent / f"gateway-{len(self._logs)}.log")
        with self._logs[-1].open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-u", "-m", "local", "run", "--state", str(self.state)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._settings},
            )
        self._process = process
        wait_until(lambda: READY in self.read_log() or process.poll() is not None, "a gateway that runs", self.read_log)
        assert process.poll() is None, self.read_log()

    def stop(self) -> int:
        """As Ctrl-C does; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(timeout=60)
        self._process = None
        return status

    def kill_supervisor(self) -> list[ProcessId]:
        """SIGKILL for the supervisor alone, as the kernel's memory killer would; all that ran below it at that moment."""
        assert self._process is not None
        below = self.descendants()
        self._process.kill()
        self._process.wait()
        self._process = None
        return below

    def close(self) -> None:
        """Ends whatever is left of it."""
        if self._process is None:
            return
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill_supervisor()

    def read_log(self) -> str:
        """All that the gateway has said since its last start."""
        return self._logs[-1].read_text(encoding="utf-8", errors="replace") if self._logs else ""

    def find(self, name: str) -> ProcessId | None:
        """The supervisor's child of that name; None while it is being started again."""
        assert self._process is not None
        for child in _children(self._process.pid):
            if PROCESSES[name] in _command_line(child.pid) and child.alive:
                return child
        return None

    def running(self, name: str) -> ProcessId:
        """The supervisor's child of that name, as soon as there is one."""
        wait_until(lambda: self.find(name) is not None, f"a running {name}", self.read_log)
        found = self.find(name)
        assert found is not None
        return found

    @contextmanager
    def killed(self, name: str) -> Iterator[None]:
        """SIGKILL for one process; leaves when the supervisor has started another and says that it works."""
        before, said = self.running(name), self.read_log().count(f"{name} is back")
        os.kill(before.pid, signal.SIGKILL)
        yield
        wait_until(lambda: self.read_log().count(f"{name} is back") > said, f"{name} back again", self.read_log)
        assert self.running(name) != before

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """The process hangs: it accepts connections and answers nothing."""
        pid = self.running(name).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def descendants(self) -> list[ProcessId]:
        """Every process below the supervisor."""
        assert self._process is not None
        found = _children(self._process.pid)
        for process in found:  # grows while it is walked
            found.extend(_children(process.pid))
        return found


def _children(pid: int) -> list[ProcessId]:
    try:
        pids = [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [ProcessId(child, started) for child in pids if (started := _started(child))]


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _started(pid: int) -> str:
    """When the process started, in clock ticks since boot (proc(5)); empty where it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]
