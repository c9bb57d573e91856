"""The regions as they are synthesised, once for all tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.app import synthesise
from infra.region import Region, load_region, region_names


@dataclass(frozen=True)
class Templates:
    """A region's two templates."""

    region: Region
    data: Mapping[str, Any]
    gateway: Mapping[str, Any]

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of every resource of a type, by logical id."""
        return {name: item["Properties"] for name, item in self.resources(kind)}

    def resources(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Every resource of a type, whole."""
        for template in (self.data, self.gateway):
            yield from ((name, item) for name, item in template["Resources"].items() if item["Type"] == kind)

    def only(self, kind: str) -> Any:
        """The one resource of its type."""
        (found,) = self.of_type(kind).values()
        return found


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every region that has a file, synthesised with every rule of cdk-nag."""
    return synthesise(region_names(), tmp_path_factory.mktemp("synthesised"))


@pytest.fixture(scope="session", params=region_names())
def templates(request: pytest.FixtureRequest, assembly: Path) -> Templates:
    """One region's templates."""
    return read_templates(assembly, request.param)


@pytest.fixture(scope="session")
def emea(assembly: Path) -> Templates:
    """One region's templates, for what is the same in all."""
    return read_templates(assembly, "emea")


def read_templates(assembly: Path, name: str) -> Templates:
    """From the folder that the synthesis wrote."""
    found = {}
    for path in sorted((assembly / f"assembly-{name}").glob("*.template.json")):
        found["data" if "data" in path.name else "gateway"] = json.loads(path.read_text())
    return Templates(load_region(name), **found)
