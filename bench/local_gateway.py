"""A gateway for a benchmark, on free ports of loopback, with a state folder of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 60.0


class LocalGateway:
    """`python -m local run` as a child."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sip-gateway-bench-")
        self.state = Path(self._folder.name) / "state"
        ports = _free_ports(5)
        self._arguments = [
            argument
            for name, port in zip(("https", "http", "sip", "idp", "evapi"), ports, strict=True)
            for argument in (f"--{name}-port", str(port))
        ]
        self.https_url = f"https://localhost:{ports[0]}"
        self.http_url = f"http://127.0.0.1:{ports[1]}"
        self.sign_in_url = f"http://127.0.0.1:{ports[3]}"
        self.trust_anchor = self.state / "tls" / "ca.pem"

    @property
    def process_id(self) -> int:
        """Of the supervisor."""
        return self._process.pid

    def __enter__(self) -> Self:
        log = Path(self._folder.name) / "gateway.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", "local", "run", "--state", str(self.state), *self._arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_SECONDS
        while "The gateway runs" not in log.read_text(encoding="utf-8", errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the gateway did not start:\n" + log.read_text(encoding="utf-8", errors="replace")[-2000:])
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [int(item.getsockname()[1]) for item in sockets]
    finally:
        for item in sockets:
            item.close()
