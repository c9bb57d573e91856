"""A gateway that answers over HTTP: the real front under granian, the store on a file, real tokens of the identity provider."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from app import app
from chalicelib.adapters.entra.token_check import EntraTokenCheck
from local.front import Front, http_server
from local.identity_provider.in_process import running_identity_provider
from tests.gateway import TENANT, World, serving
from tests.openapi.formats import ENROLLED, LOG, SIGNED_IN

API = "api://sip-gateway"


@contextmanager
def live_gateway(folder: Path) -> Iterator[tuple[str, str]]:
    """Its URL and an administrator's token. Its tenant has a signed-in phone with an upload, and an enrolled one."""
    world = World(str(folder / "gateway.db"))
    with serving(world), running_identity_provider(folder, "web-secret") as provider:
        _prepare(world)
        settings = replace(world.gateway.settings, entra_url=provider.public_url, entra_client_id="sip-gateway")
        world.gateway = replace(world.gateway, settings=settings, token_check=EntraTokenCheck(settings))
        with serving(world), _listening() as url:
            yield url, _token(provider.public_url)


def _prepare(world: World) -> None:
    phone = world.phone(SIGNED_IN).enroll().sign_in()
    world.request("PUT", f"{phone.base}{LOG}", headers={"User-Agent": phone.user_agent}, body="a line")
    world.phone(ENROLLED).enroll()


def _token(provider_url: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": "development-admin",
        "client_secret": "development",
        "scope": f"{API}/.default",
    }
    answer = httpx.post(f"{provider_url}/{TENANT}/oauth2/v2.0/token", data=form)
    return str(answer.json()["access_token"])


@contextmanager
def _listening() -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    with ThreadPoolExecutor(4) as pool:
        server = http_server(Front(app, pool), port)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),))
        thread.start()
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/healthz")
            yield url
        finally:
            loop.call_soon_threadsafe(server.stop)
            thread.join(timeout=30)
            loop.close()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{url} does not answer")
