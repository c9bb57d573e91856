"""The world that tests of the functions work with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.gateway import Phone, World, serving

# No deadline: machines are shared. Thirty examples: the properties run often, and each run draws new ones.
settings.register_profile("project", deadline=None, max_examples=30)
settings.load_profile("project")


@pytest.fixture
def world() -> Iterator[World]:
    with serving(World()) as world:
        yield world


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone()


@pytest.fixture(scope="session")
def identity_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the development identity provider keeps its signing keys; making some takes a second."""
    return tmp_path_factory.mktemp("identity")
