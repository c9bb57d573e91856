"""A function's cold start: what the zip imports until it could answer, beside a bare Chalice app with a DynamoDB client."""

from __future__ import annotations

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
_OURS = """import app
from chalicelib.adapters.dynamodb import DynamoStore
DynamoStore('region', 'directory', aws_region='eu-central-1')"""
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
        times: dict[str, list[float]] = {_BARE: [], _OURS: []}
        for _ in range(RUNS):
            for code, taken in times.items():
                taken.append(_time(package.interpreter.path, Path(folder), code))
    bare, ours = statistics.median(times[_BARE]), statistics.median(times[_OURS])
    ratio = statistics.median(own / other for own, other in zip(times[_OURS], times[_BARE], strict=True))
    runtime = package.interpreter.runtime
    return [
        Figure("functions' zip", package.path.stat().st_size / 1e6, "MB", "<= 10", f"{runtime}, precompiled"),
        Figure("cold import of the app and its DynamoDB client", ours * 1000, "ms", "", runtime),
        Figure("cold import of bare Chalice and a DynamoDB client", bare * 1000, "ms", "", "same zip"),
        Figure("ratio of the two, pair by pair", ratio, "", "<= 1.15", f"{RUNS} pairs"),
    ]


def _time(python: Path, folder: Path, code: str) -> float:
    command = [str(python), "-I", "-S", "-B", "-c", _TIMED.format(folder=str(folder), code=code)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
