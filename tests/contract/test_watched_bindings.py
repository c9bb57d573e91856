"""A phone that only refreshes is not written down: it is online because its edge watches it. Shown on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.device import Device
from chalicelib.domain.edge import Edge
from chalicelib.usecases.ports import Store
from chalicelib.usecases.sweep_devices import sweep_all_tenants
from tests.conftest import serving
from tests.gateway import BEN, MAC, EdgeAgent, Phone, World

OTHER_EDGE = "edge-2"
OTHER_MAC = "805ec0654321"


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    with serving(World(store=store)) as world:
        yield world


@pytest.fixture
def phone(world: World) -> Phone:
    """Signed in, with nothing on its way, registered at an edge that watches it."""
    phone = world.phone().enroll().sign_in()
    for command_id in world.device()["pending_commands"]:
        world.edge.report_finished(command_id, 200)
    world.edge.watch()
    phone.register()
    return phone


def live(world: World, minutes: int, *phones: Phone) -> None:
    """So long the edge lives, and these phones refresh every quarter of an hour."""
    for begun in range(0, minutes, 5):
        world.clock.forward(minutes=min(5, minutes - begun))
        refreshed = phones if begun % 15 == 10 else ()
        world.edge.report(*(phone.registered(refreshed=True) for phone in refreshed))


def shown(world: World, mac: str = MAC) -> tuple[str, datetime]:
    device = world.device(mac)
    return device["connection"], datetime.fromisoformat(device["last_seen_at"])


def connection(world: World) -> str:
    return str(world.device()["connection"])


def written_at(world: World) -> datetime:
    device = world.store.load(Device, MAC)
    assert device is not None
    assert device.last_seen_at is not None
    return device.last_seen_at


# --- while the edge lives ----------------------------------------------------------------------------------------------


def test_a_phone_that_refreshes_is_online_and_was_just_seen_though_nothing_was_written(world: World, phone: Phone) -> None:
    before = written_at(world)
    live(world, 180, phone)

    assert before == written_at(world)
    assert ("online", world.clock.now) == shown(world)


def test_a_phone_that_leaves_is_offline_at_once(world: World, phone: Phone) -> None:
    live(world, 180, phone)
    phone.unregister()
    left = world.clock.now
    live(world, 5)

    assert ("offline", left) == shown(world)
    assert ("unregistered", {"reason": "expired"}) in world.history()


def test_a_phone_that_leaves_and_returns_in_one_batch_is_online(world: World, phone: Phone) -> None:
    live(world, 30, phone)
    left = phone.unregistered()
    world.clock.forward(seconds=1)
    world.edge.report(left, phone.registered())

    assert "online" == connection(world)


def test_a_phone_whose_return_was_given_up_is_online_with_its_next_report(world: World, phone: Phone) -> None:
    live(world, 30, phone)
    left = phone.unregistered()
    world.clock.forward(seconds=1)
    world.edge.report(left, phone.registered(refreshed=True))

    assert "online" == connection(world)


def test_what_is_new_in_a_refresh_is_written(world: World, phone: Phone) -> None:
    live(world, 30, phone)
    phone.firmware = "66.86.9.9"
    phone.refresh()

    assert ("66.86.9.9", world.clock.now) == (world.device()["firmware"], written_at(world))


def test_a_refresh_of_a_binding_that_nobody_knows_is_written(world: World, phone: Phone) -> None:
    """The table may have been restored, or the first report been given up for want of room."""
    phone.source_port += 1
    phone.refresh()

    assert ("online", world.clock.now) == shown(world)


def test_a_command_that_brought_no_answer_is_sent_again_with_a_refresh(world: World, phone: Phone) -> None:
    command_id = world.admin.post(f"/v1/devices/{MAC}/restart").json["id"]
    live(world, 15)

    assert [command_id] == [command["id"] for command in phone.refresh()]


def test_refreshes_posted_twice_change_nothing_more(world: World, phone: Phone) -> None:
    live(world, 30, phone)
    refreshed = phone.registered(refreshed=True)
    world.edge.report(refreshed)
    before = (world.device(), world.history())
    world.edge.report(refreshed)

    assert before == (world.device(), world.history())


def test_a_calls_way_leads_to_a_phone_that_only_refreshes(world: World, phone: Phone) -> None:
    live(world, 180, phone)

    assert ["edge-1"] == [edge["edge_id"] for edge in world.edge.route("", "+4989123401")["edges"]]


def test_the_inventory_is_filtered_by_what_the_edge_watches_page_by_page(world: World, phone: Phone) -> None:
    other = world.phone(OTHER_MAC).enroll().sign_in(BEN)
    live(world, 180, phone, other)
    other.unregister()

    pages = {}
    for wanted in ("online", "offline"):
        first = world.admin.get(f"/v1/devices?connection={wanted}&limit=1").json
        cursor = f"&cursor={first['next_cursor']}" if first["next_cursor"] else ""
        second = world.admin.get(f"/v1/devices?connection={wanted}&limit=1{cursor}").json if cursor else {"items": []}
        pages[wanted] = [item["mac"] for item in (*first["items"], *second["items"])]

    assert {"online": [MAC], "offline": [OTHER_MAC]} == pages


def test_a_tenants_sync_counts_for_a_phone_whose_checks_found_nothing(world: World, phone: Phone) -> None:
    live(world, 60, phone)
    world.admin.post("/v1/sync")

    assert world.clock.now == datetime.fromisoformat(world.device()["last_sync_at"])


# --- when the edge is gone, or anew ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "expected"), [(600, "online"), (601, "offline")])
def test_the_phones_of_a_killed_edge_are_offline_after_ten_minutes(
    world: World, phone: Phone, seconds: int, expected: str
) -> None:
    live(world, 180, phone)
    killed = world.clock.now
    world.clock.forward(seconds=seconds)

    assert (expected, killed) == shown(world)


def test_a_phone_that_turned_to_another_edge_stays_online_when_the_first_is_gone(world: World, phone: Phone) -> None:
    live(world, 180, phone)
    world.edge = EdgeAgent(world, OTHER_EDGE, numbers=world.edge.numbers)
    world.edge.watch()
    phone.source_port += 1
    phone.register()
    live(world, 60, phone)

    assert ("online", world.clock.now) == shown(world)


def test_an_edge_that_lives_keeps_no_phone_online_that_turned_to_one_that_died(world: World, phone: Phone) -> None:
    first = world.edge
    live(world, 180, phone)
    world.edge = EdgeAgent(world, OTHER_EDGE, numbers=first.numbers)
    world.edge.watch()
    phone.source_port += 1
    phone.register()
    live(world, 60, phone)
    world.edge = first
    live(world, 11)

    assert "offline" == connection(world)


def test_an_edge_that_started_anew_has_no_phone_until_it_registers(world: World, phone: Phone) -> None:
    live(world, 180, phone)
    world.clock.forward(seconds=1)
    world.edge.watch()
    world.edge.report(world.edge.event("edge_started"))
    live(world, 1)
    before = connection(world)
    phone.register()

    assert ("offline", "online") == (before, connection(world))


def test_phones_that_are_reported_again_after_the_agents_start_were_online_throughout(world: World, phone: Phone) -> None:
    live(world, 180, phone)
    since = world.device()["online_since"]
    world.clock.forward(minutes=1)
    world.edge.watch()
    live(world, 3)
    between = connection(world)
    phone.register()
    live(world, 180, phone)

    assert ("online", "online", since) == (between, connection(world), world.device()["online_since"])


def test_phones_that_left_unheard_during_the_agents_start_are_offline_soon(world: World, phone: Phone) -> None:
    live(world, 180, phone)
    last = world.clock.now
    world.clock.forward(minutes=1)
    world.edge.watch()
    live(world, 10)

    assert ("offline", last) == shown(world)


def test_an_edge_that_stopped_watching_has_21_minutes_for_each_report(world: World, phone: Phone) -> None:
    """An agent of the release before, or one without a link."""
    live(world, 180, phone)
    world.edge.watched_since = None
    world.clock.forward(minutes=15)
    phone.register()
    states = []
    for _ in range(2):
        world.clock.forward(minutes=20)
        states.append(connection(world))

    assert ["online", "offline"] == states


# --- late --------------------------------------------------------------------------------------------------------------


def test_an_edge_that_comes_back_with_a_backlog_vouches_for_no_more_than_it_delivered(world: World, phone: Phone) -> None:
    """The end of this phone is still in the edge's outbox."""
    live(world, 180, phone)
    cut_off = world.clock.now
    world.clock.forward(minutes=30)
    world.edge.report(until=cut_off + timedelta(minutes=1))

    assert "offline" == connection(world)


def test_a_phone_that_refreshed_while_the_functions_were_away_never_left(world: World, phone: Phone) -> None:
    live(world, 180, phone)
    before = (world.device()["online_since"], world.history())
    world.clock.forward(minutes=30)
    phone.refresh()

    assert ("online", *before) == (connection(world), world.device()["online_since"], world.history())


def test_a_batch_of_an_agents_life_before_does_not_bring_its_watch_back(world: World, phone: Phone) -> None:
    live(world, 180, phone)
    first = world.edge.watched_since
    world.clock.forward(minutes=1)
    world.edge.watch()
    world.edge.report()
    world.edge.watched_since = first
    live(world, 15)

    assert "offline" == connection(world)


def test_an_edge_whose_clock_is_ahead_vouches_for_nothing_to_come(world: World, phone: Phone) -> None:
    assert phone.base
    world.edge.report(until=world.clock.now + timedelta(hours=5))
    world.clock.forward(hours=1)

    assert "offline" == connection(world)


def test_a_registration_at_another_edge_that_is_told_late_takes_no_phone_back(world: World, phone: Phone) -> None:
    live(world, 60, phone)
    late = EdgeAgent(world, OTHER_EDGE, numbers=world.edge.numbers)
    told_late = {**phone.registered(), "source": "198.51.100.7:39999"}
    world.clock.forward(seconds=1)
    phone.source_port += 1
    phone.register()
    late.report(told_late)

    assert f"198.51.100.7:{phone.source_port}" == bound(world)


def bound(world: World) -> str:
    device = world.store.load(Device, MAC)
    assert device is not None
    assert device.binding is not None
    return device.binding.source


# --- the sweep ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "state"), [(1, "signed_in"), (6, "offboarded")])
def test_the_weeks_of_a_device_count_from_when_its_edge_had_it_last(world: World, phone: Phone, hours: int, state: str) -> None:
    live(world, 300, phone)
    world.clock.now = written_at(world) + timedelta(days=30, hours=hours)
    sweep_all_tenants(world.gateway)

    assert state == world.device()["state"]


def test_what_is_known_of_a_dead_edge_outlives_the_weeks_of_its_phones(world: World, phone: Phone) -> None:
    live(world, 1, phone)
    edge = world.store.load(Edge, world.edge.edge_id)
    assert edge is not None
    world.clock.forward(days=31)
    world.store.remove_expired(1000)

    assert edge == world.store.load(Edge, world.edge.edge_id)
