"""The entries that Lambda starts: together the routes of app.py, each no more than its own callers' need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import app

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = sorted(path.stem for path in (ROOT / "chalicelib/entries").glob("*.py") if path.stem not in {"__init__", "start"})
_PROGRAM = """
import importlib, gc, json, sys
entry = importlib.import_module("chalicelib.entries." + sys.argv[1])
from chalicelib import wiring
routes = [f"{method} {path}" for path, methods in entry.app.routes.items() for method in methods]
built = wiring._own_gateway.cache_info().currsize
print(json.dumps({"routes": routes, "modules": list(sys.modules), "built": built, "collects": gc.isenabled()}))
"""
Start = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts an entry in a process of its own; what it loaded and serves."""
    folder = tmp_path_factory.mktemp("entries")
    secrets = folder / "secrets.json"
    secrets.write_text(json.dumps({"region_key": "k" * 32, "edge_credentials": ["e"]}))
    settings = {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "PYTHONPATH": str(ROOT),
        "SIPGW_STORE": "dynamodb",
        "SIPGW_COMMANDS_LINK": "sns:arn:aws:sns:eu-central-1:000000000000:commands",
        "SIPGW_SECRETS_SOURCE": f"file:{secrets}",
    }

    def run(entry: str) -> dict[str, Any]:
        command = [sys.executable, "-c", _PROGRAM, entry]
        done = subprocess.run(command, env=settings, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - above
        started: dict[str, Any] = json.loads(done.stdout)
        return started

    return run


def test_the_entries_together_have_the_routes_of_the_app_each_once(start: Start) -> None:
    served = [route for entry in ENTRIES for route in start(entry)["routes"]]

    assert sorted(f"{method} {path}" for path, methods in app.routes.items() for method in methods) == sorted(served)


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_ready_before_its_first_request(start: Start, entry: str) -> None:
    started = start(entry)

    assert (1, True) == (started["built"], started["collects"])


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_leaves_to_the_first_file_or_page_what_only_that_needs(start: Start, entry: str) -> None:
    """docs/architecture.md, "A quick start"."""
    left = {"jinja2", "markupsafe", "chalicelib.vendors.templates", "zoneinfo"}
    left |= {"tomllib", "chalicelib.vendors.schema"}  # where the packaging has not read the vendors' tables already

    assert set() == left & set(start(entry)["modules"])


def test_the_phones_entry_loads_nothing_that_is_for_others(start: Start) -> None:
    loaded = set(start("phones")["modules"])
    others = {"msal", "requests", "jwt", "cryptography", "sqlite3", "aws_lambda_powertools", "chalicelib.adapters.graph"}
    others |= {f"chalicelib.handlers.{name}" for name in ("api", "openapi", "devices", "organisation", "people", "edges")}

    assert {"chalicelib.handlers.phones", "chalicelib.adapters.dynamodb.store"} <= loaded
    assert set() == others & loaded
