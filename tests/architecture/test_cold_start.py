"""What a phone's request loads: neither MSAL nor requests, wherever the users come from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = """
import json, os, sys
import app
from chalice.test import Client
from chalicelib import wiring
phone = {"User-Agent": "Yealink SIP-T46S 66.86.5.1 80:5e:c0:12:34:56"}
with Client(app.app) as client:
    status = client.http.get("/805ec0123456.cfg", headers=phone).status_code
loaded = [name for name in ("requests", "msal", "jwt", "cryptography") if name in sys.modules]
print(json.dumps({"status": status, "directory": type(wiring.gateway().directory).__name__, "loaded": loaded}))
"""


@pytest.mark.parametrize(("directory", "kind"), [("local", "LocalDirectory"), ("graph", "GraphDirectory")])
def test_a_phones_file_is_served_without_the_clients_of_microsofts_services(tmp_path: Path, directory: str, kind: str) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"region_key": "k" * 32, "edge_credentials": ["e"], "entra_client_secret": "s"}))
    settings = {
        "SIPGW_DIRECTORY": directory,
        "SIPGW_ENTRA_CLIENT_ID": "sip-gateway",
        "SIPGW_SECRETS_SOURCE": f"file:{secrets}",
        "SIPGW_SQLITE_PATH": str(tmp_path / "gateway.db"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, env=settings, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - above

    assert {"status": 200, "directory": kind, "loaded": []} == json.loads(done.stdout.splitlines()[-1])
