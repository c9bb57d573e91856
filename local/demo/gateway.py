"""The gateway that the demo starts for itself, in a state folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from local.demo.steps import NotSeen

START_SECONDS = 60.0
STOP_SECONDS = 20.0
READY = "The gateway runs"


class GatewayProcess:
    """`python -m local run` as a child; its output goes to `log`."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.log = state.parent / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it and waits until it says that it runs. Raises NotSeen with its last lines."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIPGW_")}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-u", "-m", "local", "run", "--state", str(self.state)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        deadline = time.monotonic() + START_SECONDS
        while READY not in self.read_log():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotSeen("the gateway did not start; its last lines:\n" + "\n".join(self.read_log().splitlines()[-15:]))
            time.sleep(0.1)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def read_log(self) -> str:
        """All that the gateway has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def all_logs(self) -> str:
        """The output and every log file of the state folder."""
        files = sorted((self.state / "logs").glob("*")) if (self.state / "logs").is_dir() else []
        return self.read_log() + "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
