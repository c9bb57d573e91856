"""A function's cold start: what the zip does until it could answer, beside a bare Chalice app with a DynamoDB client.

There the region's secrets come from a file: reading them from Secrets Manager is a request over the network. The figure of the
first file has that too: from the beginning to the answer to a settled phone, with its secrets and its record over HTTP from
this machine. What is not loaded at a start but by the first file is in it.

Times are the processor's: a start waits for nothing, and what else the machine does is not in them.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from bench.settled_phone import SettledPhone
from infra.package.build import build_package

RUNS = 21
_CLIENT = "botocore.session.get_session().create_client('dynamodb', region_name='eu-central-1')"
_BARE = f"from chalice.app import Chalice; import botocore.session; app = Chalice(app_name='bare'); {_CLIENT}"
_GROUPS = ("phones", "edge", "people", "admin")
_FIRST_FILE = """import json
from chalicelib.entries.phones import app
answer = app(json.loads(sys.argv[1]), None)
assert answer["statusCode"] == 200, answer"""
_TIMED = """import sys, time
sys.path.insert(0, {folder!r})
started = time.process_time()
{code}
print(time.process_time() - started)"""
_REGION_KEY = "k" * 64
_SECRETS = {"region_key": _REGION_KEY, "edge_credentials": ["e"]}


@dataclass(frozen=True)
class _Start:
    """A program, and the environment that it starts in."""

    code: str
    environment: dict[str, str]
    argument: str = ""


def measure() -> list[Figure]:
    """All in turn, each in a process of its own, from the unpacked zip and its byte code alone."""
    package = build_package("arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64")
    with tempfile.TemporaryDirectory(prefix="sip-gateway-cold-") as name, SettledPhone(_REGION_KEY, _SECRETS) as phone:
        folder = Path(name)
        with zipfile.ZipFile(package.path) as content:
            content.extractall(folder)
        starts = _starts(folder / "secrets.json", phone)
        times: dict[str, list[float]] = {start: [] for start in starts}
        for run in range(RUNS):
            order = list(starts) if run % 2 else list(reversed(starts))  # whoever comes first pays for what others have used up
            for start in order:
                times[start].append(_time(package.interpreter.path, folder, starts[start]))
    runtime = package.interpreter.runtime
    return [
        Figure("functions' zip", package.path.stat().st_size / 1e6, "MB", "<= 10", f"{runtime}, precompiled"),
        Figure("cold import of bare Chalice and a DynamoDB client", _median_ms(times["bare"]), "ms", "", "same zip"),
        *(
            Figure(
                f"cold start of the function for {group}, beside that",
                _ratio(times[group], times["bare"]),
                "",
                "<= 1.15" if group in {"phones", "edge"} else "",
                f"{_median_ms(times[group]):.0f} ms; {RUNS} pairs",
            )
            for group in _GROUPS
        ),
        Figure(
            "from nothing to a settled phone's first file, beside that",
            _ratio(times["first file"], times["bare"]),
            "",
            "",
            f"{_median_ms(times['first file']):.0f} ms; secrets and record over HTTP",
        ),
    ]


def _median_ms(times: Sequence[float]) -> float:
    return statistics.median(times) * 1000


def _ratio(own: Sequence[float], others: Sequence[float]) -> float:
    """Of the two, pair by pair."""
    return statistics.median(one / other for one, other in zip(own, others, strict=True))


def _starts(secrets: Path, phone: SettledPhone) -> dict[str, _Start]:
    """What is measured, by its name."""
    secrets.write_text(json.dumps(_SECRETS))
    with_file = _settings(f"file:{secrets}")
    over_http = {
        **_settings("secretsmanager:arn:aws:secretsmanager:eu-central-1:000000000000:secret:region"),
        "AWS_ENDPOINT_URL": phone.services_url,
    }
    return {
        "bare": _Start(_BARE, with_file),
        **{group: _Start(f"import chalicelib.entries.{group}", with_file) for group in _GROUPS},
        "first file": _Start(_FIRST_FILE, over_http, json.dumps(phone.file_request())),
    }


def _settings(secrets_source: str) -> dict[str, str]:
    """The environment of a function: Lambda has credentials in it, so botocore asks no other place for them."""
    return {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "SIPGW_STORE": "dynamodb",
        "SIPGW_REGION_TABLE": "region",
        "SIPGW_DIRECTORY_TABLE": "directory",
        "SIPGW_SECRETS_SOURCE": secrets_source,
        "SIPGW_COMMANDS_LINK": "sns:arn:aws:sns:eu-central-1:000000000000:commands",
    }


def _time(python: Path, folder: Path, start: _Start) -> float:
    command = [str(python), "-I", "-S", "-B", "-c", _TIMED.format(folder=str(folder), code=start.code), start.argument]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=start.environment)
    return float(done.stdout)
