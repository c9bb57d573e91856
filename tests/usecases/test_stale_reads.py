"""Readings that cost half may be a second old. Nothing wrong is done upon them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from chalicelib.adapters.records import layout_of
from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.domain.device import Device
from chalicelib.domain.directory import User
from chalicelib.domain.installation import Installation
from tests.conftest import serving
from tests.gateway import ANNA, MAC, Clock, EdgeAgent, Phone, World


class LaggingStore(SqliteStore):
    """From `lag` on, readings that need not be fresh show records of these kinds as they were then."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(":memory:", clock.seconds)
        self._lagging: tuple[type, ...] = ()
        self._then: dict[tuple[Any, ...], Any] = {}

    def lag(self, *kinds: type) -> None:
        self._lagging = kinds

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        for record in (*records, *remove):
            kind, key = type(record), layout_of(type(record)).key(record)
            if kind in self._lagging:
                self._then.setdefault((kind, *key), self.load(kind, *key))
        super().save(*records, remove=remove)

    def load_many(self, kind: type, keys: Sequence[tuple[str, ...]], *, fresh: bool = True) -> list[Any]:
        found = super().load_many(kind, keys)
        return found if fresh else [self._then.get((kind, *key), now) for key, now in zip(keys, found, strict=True)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> LaggingStore:
    return LaggingStore(clock)


@pytest.fixture
def world(clock: Clock, store: LaggingStore) -> Iterator[World]:
    with serving(World(store=store, clock=clock)) as world:
        yield world


@pytest.fixture
def signed_in(world: World) -> Phone:
    phone = world.phone().enroll().sign_in()
    for command_id in world.device()["pending_commands"]:
        world.edge.report_finished(command_id, 200)
    phone.fetch()
    phone.register()
    world.clock.forward(minutes=15)
    return phone


KINDS = [(Device,), (Installation,), (Device, Installation)]


@pytest.mark.parametrize("kinds", KINDS)
def test_a_phone_that_was_removed_a_moment_ago_does_not_come_back(
    world: World, store: LaggingStore, signed_in: Phone, kinds: tuple[type, ...]
) -> None:
    store.lag(*kinds)
    world.admin.delete(f"/v1/devices/{MAC}")
    commands = signed_in.register()

    assert ["forget"] == [command["type"] for command in commands]
    assert store.load(Device, MAC) is None


@pytest.mark.parametrize("kinds", KINDS)
def test_a_phone_that_was_signed_out_a_moment_ago_stays_so(
    world: World, store: LaggingStore, signed_in: Phone, kinds: tuple[type, ...]
) -> None:
    store.lag(*kinds)
    world.admin.post(f"/v1/devices/{MAC}/sign-out")
    commands = signed_in.register()

    assert "enrolled" == world.device()["state"]
    assert ["resync"] == [command["type"] for command in commands]  # it registers with the account that has ended


def test_a_phone_that_was_signed_out_and_told_so_a_moment_ago_is_still_told_again(
    world: World, store: LaggingStore, signed_in: Phone
) -> None:
    store.lag(Installation)
    world.admin.post(f"/v1/devices/{MAC}/sign-out")
    for command_id in world.device()["pending_commands"]:
        world.edge.report_finished(command_id, 200)
    commands = signed_in.register()

    assert ["resync"] == [command["type"] for command in commands]


@pytest.mark.parametrize("kinds", KINDS)
def test_a_phone_that_was_blocked_a_moment_ago_is_forgotten(
    world: World, store: LaggingStore, signed_in: Phone, kinds: tuple[type, ...]
) -> None:
    store.lag(*kinds)
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})
    commands = signed_in.register()

    assert ["forget"] == [command["type"] for command in commands]
    assert "offline" == world.device()["connection"]


def test_a_phone_that_left_a_moment_ago_and_returns_over_the_same_connection_is_online(
    world: World, store: LaggingStore, signed_in: Phone
) -> None:
    world.edge.watch()
    signed_in.register()
    store.lag(Device)
    signed_in.unregister()
    signed_in.register()

    assert "online" == world.device()["connection"]


def test_a_command_that_was_given_a_moment_ago_is_not_lost(world: World, store: LaggingStore, signed_in: Phone) -> None:
    store.lag(Device)
    command = world.admin.post(f"/v1/devices/{MAC}/restart").json["id"]
    signed_in.register()

    assert [command] == world.device()["pending_commands"]


def test_a_phone_that_registered_a_moment_ago_at_another_edge_is_there(
    world: World, store: LaggingStore, signed_in: Phone
) -> None:
    late = signed_in.registered()
    store.lag(Device)
    world.clock.forward(seconds=1)
    EdgeAgent(world, "edge-2", numbers=world.edge.numbers).report(signed_in.registered())
    world.edge.report(late)

    device = store.load(Device, MAC)
    assert device is not None
    assert "edge-2" == device.edge_id


def test_a_user_who_was_renamed_a_moment_ago_is_not_named_back(world: World, store: LaggingStore, signed_in: Phone) -> None:
    store.lag(User)
    world.change_user(ANNA, display_name="Anna Berg-Lund")
    world.admin.post("/v1/sync")
    signed_in.register()

    assert "Anna Berg-Lund" == world.device()["user"]["display_name"]


def test_a_change_that_the_check_did_not_see_is_seen_by_the_next(world: World, store: LaggingStore, signed_in: Phone) -> None:
    store.lag(User)
    world.change_user(ANNA, display_name="Anna Berg-Lund")
    signed_in.register()
    unseen = world.device()["user"]["display_name"]
    store._then.clear()
    world.clock.forward(minutes=15)
    signed_in.register()

    assert ("Anna Berg", "Anna Berg-Lund") == (unseen, world.device()["user"]["display_name"])
