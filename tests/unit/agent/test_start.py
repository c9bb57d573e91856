"""An agent that cannot start says why in one line, and ends with status 2."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port


@pytest.mark.parametrize("variable", ["EDGE_METRICS", "EDGE_COMMANDS"])
def test_what_cannot_be_served_is_named(variable: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        wrong = {
            "EDGE_METRICS": "{}:{}".format(*taken.getsockname()),
            "EDGE_COMMANDS": f"unix:{tmp_path}/no-such-folder/commands",
        }
        ended = subprocess.run(
            [sys.executable, "-m", "sip_edge.agent"],
            env={
                "PATH": os.environ["PATH"],
                "EDGE_ID": "edge-1",
                "EDGE_FUNCTIONS_URL": "http://127.0.0.1:9",
                "EDGE_CREDENTIAL": "secret",
                "EDGE_OUTBOX": str(tmp_path / "outbox.db"),
                "EDGE_EVAPI": f"127.0.0.1:{free_port()}",
                "EDGE_RUN_DIRECTORY": str(tmp_path),
                variable: wrong[variable],
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    entries = [json.loads(line) for line in ended.stderr.splitlines()]
    assert 2 == ended.returncode
    (told,) = [entry for entry in entries if entry["event"] == "bad_setting"]
    assert told["problem"].startswith(f"{variable}={wrong[variable]} cannot be served: ")
