"""A function's cold start: what the zip does until it could answer, beside a bare Chalice app with a DynamoDB client.

The region's secrets come from a file here: reading them from Secrets Manager is a request over the network.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import tempfile
import zipfile
from pathlib import Path

from bench.figures import Figure
from infra.package.build import build_package

RUNS = 9
_CLIENT = "botocore.session.get_session().create_client('dynamodb', region_name='eu-central-1')"
_BARE = f"from chalice.app import Chalice; import botocore.session; app = Chalice(app_name='bare'); {_CLIENT}"
_OURS = "import chalicelib.entries.phones"
_TIMED = """import sys, time
sys.path.insert(0, {folder!r})
started = time.perf_counter()
{code}
print(time.perf_counter() - started)"""


def measure() -> list[Figure]:
    """Both in turn, each in a process of its own, from the unpacked zip and its byte code alone."""
    package = build_package("arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64")
    with tempfile.TemporaryDirectory(prefix="sip-gateway-cold-") as folder:
        with zipfile.ZipFile(package.path) as content:
            content.extractall(folder)
        settings = _settings(Path(folder) / "secrets.json")
        times: dict[str, list[float]] = {_BARE: [], _OURS: []}
        for _ in range(RUNS):
            for code, taken in times.items():
                taken.append(_time(package.interpreter.path, Path(folder), code, settings))
    bare, ours = statistics.median(times[_BARE]), statistics.median(times[_OURS])
    ratio = statistics.median(own / other for own, other in zip(times[_OURS], times[_BARE], strict=True))
    runtime = package.interpreter.runtime
    return [
        Figure("functions' zip", package.path.stat().st_size / 1e6, "MB", "<= 10", f"{runtime}, precompiled"),
        Figure("cold start of the phones' function, gateway and DynamoDB client built", ours * 1000, "ms", "", runtime),
        Figure("cold import of bare Chalice and a DynamoDB client", bare * 1000, "ms", "", "same zip"),
        Figure("ratio of the two, pair by pair", ratio, "", "<= 1.15", f"{RUNS} pairs"),
    ]


def _settings(secrets: Path) -> dict[str, str]:
    """The environment of the function that phones ask."""
    secrets.write_text(json.dumps({"region_key": "k" * 64, "edge_credentials": ["e"]}))
    return {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "SIPGW_STORE": "dynamodb",
        "SIPGW_REGION_TABLE": "region",
        "SIPGW_DIRECTORY_TABLE": "directory",
        "SIPGW_SECRETS_SOURCE": f"file:{secrets}",
        "SIPGW_COMMANDS_LINK": "sns:arn:aws:sns:eu-central-1:000000000000:commands",
    }


def _time(python: Path, folder: Path, code: str, environment: dict[str, str]) -> float:
    command = [str(python), "-I", "-S", "-B", "-c", _TIMED.format(folder=str(folder), code=code)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout)
