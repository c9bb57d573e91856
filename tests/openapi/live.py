"""A gateway that answers over HTTP: the real front under granian, the store on a file, real tokens of the identity provider.

A process of its own, `python -m tests.openapi.live FOLDER`: it prints its URL and an administrator's token and runs until it is
killed. Its tenant has a signed-in phone with an upload, and an enrolled one.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import httpx

from app import app
from chalicelib import wiring
from chalicelib.adapters.entra.token_check import EntraTokenCheck
from local.front import Front, http_server
from local.identity_provider.in_process import running_identity_provider
from tests.gateway import TENANT, World
from tests.openapi.formats import ENROLLED, LOG, SIGNED_IN
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@contextmanager
def live_gateway(folder: Path) -> Iterator[tuple[str, str]]:
    """The URL and the token of such a process; it is gone at the end."""
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.openapi.live", str(folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield told["url"], told["token"]
    finally:
        process.kill()
        process.communicate()


async def _serve(folder: Path, provider_url: str, told: TextIO) -> None:
    world = World(str(folder / "gateway.db"))
    wiring.use(world.gateway)
    _prepare(world)
    settings = replace(world.gateway.settings, entra_url=provider_url, entra_client_id="sip-gateway")
    wiring.use(replace(world.gateway, settings=settings, token_check=EntraTokenCheck(settings)))
    port = free_port()
    serving = asyncio.create_task(http_server(Front(app, ThreadPoolExecutor(4)), port).serve())
    await asyncio.to_thread(_wait_for, f"http://127.0.0.1:{port}/healthz")
    told.write(json.dumps({"url": f"http://127.0.0.1:{port}", "token": _token(provider_url)}) + "\n")
    told.flush()
    await serving


def _prepare(world: World) -> None:
    phone = world.phone(SIGNED_IN).enroll().sign_in()
    world.request("PUT", f"{phone.base}{LOG}", headers={"User-Agent": phone.user_agent}, body="a line")
    world.phone(ENROLLED).enroll()


def _wait_for(url: str) -> None:
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return


def _token(provider_url: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": "development-admin",
        "client_secret": "development",
        "scope": "api://sip-gateway/.default",
    }
    return str(httpx.post(f"{provider_url}/{TENANT}/oauth2/v2.0/token", data=form).json()["access_token"])


if __name__ == "__main__":
    own_output, sys.stdout = sys.stdout, sys.stderr  # the front and the identity provider log what they answer
    with running_identity_provider(Path(sys.argv[1]), "web-secret") as provider:
        asyncio.run(_serve(Path(sys.argv[1]), provider.public_url, own_output))
