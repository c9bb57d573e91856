"""Phones move between edges: each edge learns what it must forget or ask anew, and gets the commands of its own phones."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import EVERY_EDGE, CommandType
from chalicelib.domain.edge import Edge
from tests.gateway import EDGE, MAC, EdgeAgent, Phone, World

OTHER_EDGE = "edge-2"


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    """Signed in and registered at the first edge; nothing is on its way."""
    phone.enroll().sign_in()
    for command_id in phone.world.device()["pending_commands"]:
        phone.world.edge.report_finished(command_id, 200)
    phone.world.link.sent.clear()
    return phone


def move_to(world: World, edge_id: str) -> EdgeAgent:
    """Phones register there from now on; the edge before."""
    before = world.edge
    world.edge = EdgeAgent(world, edge_id, numbers=before.numbers)
    return before


def told(world: World, kind: CommandType) -> list[tuple[str, str]]:
    return [(edge, command.username) for edge, command in world.link.sent if command.type is kind]


@pytest.mark.parametrize(
    "end",
    [
        lambda world: world.admin.post(f"/v1/devices/{MAC}/sign-out"),
        lambda world: world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True}),
        lambda world: world.admin.delete(f"/v1/devices/{MAC}"),
        lambda world: world.change_tenant(enabled=False) or world.admin.post("/v1/sync"),
    ],
    ids=["signed out", "blocked", "removed", "policy lost"],
)
def test_every_edge_forgets_what_ended_wherever_the_phone_has_been(world: World, signed_in: Phone, end: object) -> None:
    move_to(world, OTHER_EDGE)
    signed_in.register()
    end(world)  # type: ignore[operator]

    assert (EVERY_EDGE, signed_in.username) in told(world, CommandType.FORGET)


def test_the_account_before_is_forgotten_at_every_edge_when_the_new_one_registers(world: World, phone: Phone) -> None:
    phone.enroll()
    before = phone.username
    phone.sign_in()
    move_to(world, OTHER_EDGE)
    world.change_user(number="+4989123999")
    world.admin.post("/v1/sync")
    signed_in_before = phone.username
    world.link.sent.clear()
    phone.fetch()
    receipt = phone.register()

    assert [("forget", signed_in_before)] == [(item["type"], item["username"]) for item in receipt if item["type"] == "forget"]
    assert [(EVERY_EDGE, signed_in_before)] == told(world, CommandType.FORGET)
    assert before != signed_in_before


def test_an_edge_and_its_receipt_name_the_same_command(world: World, phone: Phone) -> None:
    phone.enroll()
    world.browser().sign_in().pair(phone.show_code())
    phone.fetch()
    receipt = phone.register()

    assert [item["id"] for item in receipt if item["type"] == "forget"] == [
        command.id for command in world.link.of_type(CommandType.FORGET)
    ]


def test_a_phone_that_another_user_takes_over_may_not_call_as_the_one_before(world: World, signed_in: Phone) -> None:
    before = signed_in.username
    world.admin.post(f"/v1/devices/{MAC}/sign-in", {"user": "lobby@example.com"})

    assert (EVERY_EDGE, before) in told(world, CommandType.REFRESH)
    assert not signed_in.credentials().json["may_call"]


def test_an_account_that_the_phone_never_fetched_is_forgotten(world: World, signed_in: Phone) -> None:
    numbers = ("+4989123998", "+4989123999")
    for number in numbers:
        world.change_user(number=number)
        world.admin.post("/v1/sync")
    name, version = signed_in.username.rsplit(".", 1)

    assert (EVERY_EDGE, f"{name}.{int(version) + 1}") in told(world, CommandType.FORGET)


def test_the_end_of_a_binding_at_the_edge_before_leaves_the_phone_online(world: World, signed_in: Phone) -> None:
    first = move_to(world, OTHER_EDGE)
    signed_in.register()  # a NAT may give both connections the same source
    world.clock.forward(minutes=2)
    first.report(signed_in.unregistered())

    assert "online" == world.device()["connection"]


def test_a_command_goes_to_the_edge_where_the_phone_is_now(world: World, signed_in: Phone) -> None:
    move_to(world, OTHER_EDGE)
    signed_in.register()
    world.admin.post(f"/v1/devices/{MAC}/restart")

    assert [(OTHER_EDGE, signed_in.username)] == told(world, CommandType.RESTART)


# --- edges that cannot be reached --------------------------------------------------------------------------------------


def test_what_every_edge_should_forget_waits_for_each(world: World, signed_in: Phone) -> None:
    first = move_to(world, OTHER_EDGE)
    signed_in.register()
    username = signed_in.username
    world.link.away = True
    world.admin.delete(f"/v1/devices/{MAC}")

    for edge in (first, world.edge):
        assert [("forget", username)] == [(item["type"], item["username"]) for item in edge.report()]
        assert [] == edge.report()


def test_nothing_waits_for_an_edge_that_was_silent_for_a_day(world: World, signed_in: Phone) -> None:
    first = move_to(world, OTHER_EDGE)
    world.clock.forward(hours=26)
    signed_in.register()
    world.link.away = True
    world.admin.delete(f"/v1/devices/{MAC}")

    assert ([], ["forget"]) == (first.report(), [item["type"] for item in world.edge.report()])


def test_what_waited_for_an_edge_expires_with_the_day(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.link.away = True
    world.admin.delete(f"/v1/devices/{MAC}")
    world.clock.forward(hours=24)

    assert [] == world.edge.report()


def test_the_phones_of_an_edge_that_never_returns_are_offline(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.clock.forward(minutes=22)

    assert "offline" == world.device()["connection"]


# --- what is known of an edge ------------------------------------------------------------------------------------------


def test_an_edge_says_where_other_edges_reach_it(world: World) -> None:
    world.edge.report(world.edge.event("edge_started", contact="sip:10.0.0.5:5060;transport=udp"))
    edge = world.store.load(Edge, EDGE)

    assert ("sip:10.0.0.5:5060;transport=udp", world.clock.now) == (edge.contact, edge.started_at)


def test_an_edge_that_lives_keeps_its_contact(world: World) -> None:
    world.edge.report(world.edge.event("edge_started", contact="sip:10.0.0.5:5060"))
    world.clock.forward(days=2)
    world.edge.report()
    edge = world.store.load(Edge, EDGE)

    assert ("sip:10.0.0.5:5060", world.clock.now) == (edge.contact, edge.seen_at)
