"""A region inside the emulator: synthesised for this machine's processor, deployed by the command's own code, and visited."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aws_cdk as cdk
import boto3
import httpx

from infra.account import Account
from infra.app import RegionStage
from infra.deployment import deploy
from infra.emulator.ministack import ACCOUNT, PYTHON, MiniStack
from infra.emulator.reduced import reduce_assembly
from infra.package.build import Package, build_package
from infra.package.interpreter import Interpreter
from infra.region import REGIONS, Region, load_region

NAME = "test"
TENANT = "d0000000-0000-4000-8000-000000000001"
NOTHING = "00000000-0000-0000-0000-000000000000"


class EmulatedRegion:
    """`region` in `emulator`; `said` is what the deployment told."""

    def __init__(self, emulator: MiniStack, folder: Path) -> None:
        self.emulator = emulator
        self.folder = folder
        self.region = _test_region(folder)
        self.account = Account(self.region, poll_seconds=0.2)
        self.said: list[str] = []

    def synthesise(self) -> set[str]:
        """Writes the templates and takes out what the emulator does not know; the types of that."""
        app = cdk.App(outdir=str(self.folder / "synthesised"), analytics_reporting=False)
        RegionStage(app, self.region, _package())
        app.synth()
        return reduce_assembly(self.assembly)

    @property
    def assembly(self) -> Path:
        return self.folder / "synthesised" / f"assembly-{NAME}"

    def deploy(self) -> None:
        """As `make deploy` does."""
        deploy(self.account, self.region, self.assembly, self.said.append)

    def client(self, service: str) -> Any:
        """An AWS client for the emulator."""
        return boto3.client(service, region_name=self.region.aws_region)  # type: ignore[call-overload]

    def secret(self, name: str) -> dict[str, Any]:
        """A secret's JSON."""
        value = self.client("secretsmanager").get_secret_value(SecretId=f"{self.region.prefix}/{name}")
        found: dict[str, Any] = json.loads(value["SecretString"])
        return found

    def change_settings(self, **settings: str) -> None:
        """Gives every function that has settings some more of them."""
        functions = self.client("lambda")
        for item in functions.list_functions()["Functions"]:
            before = item.get("Environment", {}).get("Variables", {})
            if before:
                functions.update_function_configuration(
                    FunctionName=item["FunctionName"], Environment={"Variables": {**before, **settings}}
                )

    def visitor(self, **headers: str) -> httpx.Client:
        """Calls the region's own host names, which lead to the emulator."""
        return httpx.Client(transport=_ToEmulator(self.emulator.port), headers=headers, timeout=60)


@contextmanager
def emulated_region(folder: Path) -> Iterator[EmulatedRegion]:
    """A region that is synthesised and not yet deployed. The caller's environment leads AWS clients to the emulator."""
    with MiniStack() as emulator:
        yield EmulatedRegion(emulator, folder)


class _ToEmulator(httpx.BaseTransport):
    """Every host is the emulator, over HTTP on loopback; it tells them apart by their Host header, as API Gateway does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if urlsplit(str(request.url)).hostname != "127.0.0.1":  # the development identity provider is itself
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def _test_region(folder: Path) -> Region:
    text = (REGIONS / "emea.toml").read_text(encoding="utf-8").replace("000000000000", ACCOUNT)
    text = text.replace(f'allowed_tenants = ["{NOTHING[:24]}{ACCOUNT}"]', f'allowed_tenants = ["{TENANT}"]')
    (folder / f"{NAME}.toml").write_text(text, encoding="utf-8")
    return load_region(NAME, folder)


def _package() -> Package:
    """For the Python that the emulator runs functions with, and this machine's processor."""
    version = next((PYTHON.parent.parent / "lib").glob("python3.*")).name.removeprefix("python")
    architecture = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
    return build_package(architecture, interpreter=Interpreter(version, PYTHON))
