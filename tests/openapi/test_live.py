"""The document held against the running API by schemathesis: every operation, every check, as an administrator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.openapi.live import live_gateway

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_the_running_api_keeps_what_its_document_says(tmp_path: Path) -> None:
    with live_gateway(tmp_path) as (url, token):
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")]
        command += ["run", f"{url}/v1/openapi.json", "--url", url, "--checks", "all", "--no-color"]
        done = subprocess.run(  # noqa: S603 - our own command line
            [*command, "--header", f"Authorization: Bearer {token}"],
            cwd=tmp_path,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.openapi.formats", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert all(f"✅ {phase}" in done.stdout for phase in ("Examples", "Coverage", "Fuzzing", "Stateful")), done.stdout
