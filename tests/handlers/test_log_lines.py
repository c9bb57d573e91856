"""What the functions log: one JSON line for each event, and nothing beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOGGING = "from chalicelib.observability import log\nlog().info('device_onboarded', extra={'mac': '805ec0123456'})\n"


@pytest.mark.parametrize("app", ["from app import app", "from chalicelib.entries.start import start\nstart()"])
def test_an_event_is_one_line(app: str, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"region_key": "k" * 32, "edge_credentials": ["e"], "entra_client_secret": "s"}))
    environment = {"SIPGW_SQLITE_PATH": str(tmp_path / "gateway.db"), "SIPGW_SECRETS_SOURCE": f"file:{secrets}"}
    ran = subprocess.run(  # noqa: S603 - our own code in a fresh interpreter: handlers of logs are the process's
        [sys.executable, "-c", f"{app}\n{LOGGING}"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    lines = [*ran.stdout.splitlines(), *ran.stderr.splitlines()]

    assert ["device_onboarded"] == [json.loads(line)["message"] for line in lines]
