"""The world that tests of the functions work with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway import Phone, World, serving


@pytest.fixture
def world() -> Iterator[World]:
    with serving(World()) as world:
        yield world


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone()
