import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.application import app
from tests.unit.cli.fake_gateway import FakeGateway, serve


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def row(self, key: str) -> list[str]:
        """The words of the first line that begins with this key."""
        return next(line.split() for line in self.stdout.splitlines() if line.startswith(key))


class Sipgw:
    """The command line in process, with an environment of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith("SIPGW_")}
        self.environment |= environment

    def __call__(self, *arguments: str, typed: str | None = None) -> Outcome:
        result = CliRunner().invoke(app, list(arguments), input=typed, env=self.environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with serve() as running:
        yield running


@pytest.fixture
def sipgw(gateway: FakeGateway, tmp_path: Path) -> Sipgw:
    return Sipgw({"SIPGW_URL": gateway.url, "SIPGW_TOKEN": "aaa.bbb.ccc", "SIPGW_IDP_URL": gateway.url, "HOME": str(tmp_path)})
