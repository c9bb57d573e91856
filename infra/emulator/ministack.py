"""Starts the emulator on a free port of loopback and ends it again; its state is a folder that is thrown away."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from infra.package.build import ROOT

PYTHON = ROOT / ".venv-ministack/bin/python"
ACCOUNT = "123456789012"
START_SECONDS = 60.0
# All others would open ports of their own, on every address (IoT's MQTT among them).
SERVICES = (
    "apigateway,cloudformation,cloudwatch,dynamodb,ec2,ecs,elasticloadbalancing,events,iam,kms,lambda,logs,route53,s3,"
    "secretsmanager,sns,sqs,sts,wafv2"
)


class NoEmulator(RuntimeError):
    """The emulator cannot be started; the message says what to do."""


class MiniStack:
    """Use it in a `with`. `url` is its one endpoint for every service."""

    def __init__(self) -> None:
        if not PYTHON.exists():
            raise NoEmulator(f"{PYTHON.parent.parent} is missing: run bash local/setup.sh --emulator")
        self._folder = tempfile.TemporaryDirectory(prefix="sip-gateway-ministack-")
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = Path(self._folder.name) / "log"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client needs to talk to it."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    def __enter__(self) -> Self:
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "SERVICES": SERVICES,
            "STATE_DIR": f"{self._folder.name}/state",
            "TMPDIR": self._folder.name,
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "INFO",
        }
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [PYTHON, "-m", "ministack"], env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NoEmulator(f"the emulator did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/_ministack/health", timeout=2).is_success
        except httpx.HTTPError:
            return False


def _free_port() -> int:
    with socket.socket() as item:
        item.bind(("127.0.0.1", 0))
        return int(item.getsockname()[1])
