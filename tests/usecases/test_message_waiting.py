"""The message lamp of a user's phones follows what the voicemail system tells."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.contracts.edge import CommandType
from chalicelib.domain.identifiers import InstallationId
from chalicelib.domain.installation import Installation
from tests.gateway import ANNA, BEN, EDGE, MAC, Phone, World

OTHER_MAC = "805ec0654321"
PATH = f"/v1/users/{ANNA}/message-waiting"


@pytest.fixture
def signed_in(world: World, phone: Phone) -> Phone:
    phone.enroll().sign_in()
    for command_id in world.device()["pending_commands"]:
        world.edge.report_finished(command_id, 200)
    world.link.sent.clear()
    return phone


def told(world: World) -> list[tuple[str, str, int, int]]:
    return [
        (edge, item.username, item.new_messages, item.old_messages)
        for edge, item in world.link.sent
        if item.type is CommandType.MESSAGES
    ]


def told_at_registration(receipt: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(item["new_messages"], item["old_messages"]) for item in receipt if item["type"] == "messages"]


def test_every_registered_phone_of_the_user_is_told(world: World, signed_in: Phone) -> None:
    second = world.phone(OTHER_MAC).enroll().sign_in()
    world.phone("805ec0111111").enroll().sign_in(BEN)
    answer = world.admin.put(PATH, {"new": 3, "old": 1})

    assert (200, {"new": 3, "old": 1}) == (answer.status, answer.json)
    assert sorted((EDGE, phone.username, 3, 1) for phone in (signed_in, second)) == sorted(told(world))


def test_the_command_is_a_message_summary_for_the_phones_address(world: World, signed_in: Phone) -> None:
    world.admin.put(PATH, {"new": 1})
    command = world.link.of_type(CommandType.MESSAGES)[0]

    assert ("message-summary", signed_in.aor, "") == (command.notify_event, command.aor, command.password)


def test_zero_puts_the_lamp_out(world: World, signed_in: Phone) -> None:
    world.admin.put(PATH, {"new": 3})
    world.admin.put(PATH, {})

    assert [(EDGE, signed_in.username, 3, 0), (EDGE, signed_in.username, 0, 0)] == told(world)


def test_the_count_is_kept(world: World) -> None:
    before = world.admin.get(PATH).json
    world.admin.put(PATH, {"new": 3, "old": 1})

    assert ({"new": 0, "old": 0}, {"new": 3, "old": 1}) == (before, world.admin.get(PATH).json)


def test_a_phone_that_is_not_registered_is_told_when_it_returns(world: World, signed_in: Phone) -> None:
    signed_in.unregister()
    world.admin.put(PATH, {"new": 2})

    assert [] == told(world)
    assert [(2, 0)] == told_at_registration(signed_in.register())


def test_a_phone_that_starts_again_is_told_again(world: World, signed_in: Phone) -> None:
    world.admin.put(PATH, {"new": 2})
    signed_in.source_port += 1

    assert [(2, 0)] == told_at_registration(signed_in.register())


def test_a_phone_that_missed_the_end_of_the_messages_is_told(world: World, signed_in: Phone) -> None:
    world.admin.put(PATH, {"new": 2})
    signed_in.unregister()
    world.admin.put(PATH, {"new": 0})

    assert [(0, 0)] == told_at_registration(signed_in.register())


def test_a_refresh_tells_nothing(world: World, signed_in: Phone) -> None:
    world.admin.put(PATH, {"new": 2})

    assert [] == told_at_registration(signed_in.register())


def test_a_user_of_whom_nobody_ever_told_has_no_lamp_to_set(signed_in: Phone) -> None:
    signed_in.unregister()

    assert [] == told_at_registration(signed_in.register())


def test_a_user_who_signs_in_is_told(world: World, phone: Phone) -> None:
    world.admin.put(PATH, {"new": 2})
    phone.enroll()
    world.browser().sign_in(ANNA).pair(phone.show_code())
    before = told_at_registration(phone.register())
    phone.fetch()

    assert ([], [(2, 0)]) == (before, told_at_registration(phone.register()))


def test_a_signed_out_phone_is_told_nothing(world: World, signed_in: Phone) -> None:
    world.admin.post(f"/v1/devices/{MAC}/sign-out")
    world.link.sent.clear()
    world.admin.put(PATH, {"new": 2})

    assert [] == told(world)
    assert [] == told_at_registration(signed_in.settle().register())


def test_while_the_edge_is_away_the_lamp_waits(world: World, signed_in: Phone) -> None:
    world.link.away = True
    world.admin.put(PATH, {"new": 2})

    assert signed_in.base
    assert [(2, 0)] == told_at_registration(world.edge.report())


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"new": -1}, "/new"), ({"old": 10000}, "/old"), ({"new": "2"}, "/new"), ({"urgent": 1}, "/urgent")],
)
def test_what_is_no_count_is_refused(world: World, body: dict[str, Any], pointer: str) -> None:
    answer = world.admin.put(PATH, body)

    assert (400, pointer) == (answer.status, answer.json["errors"][0]["pointer"])


def test_a_phone_that_challenges_a_notify_is_told_with_its_password(world: World, signed_in: Phone) -> None:
    name, _, version = signed_in.username.partition(".")
    world.change(Installation, name, vendor="cisco")
    world.admin.put(PATH, {"new": 2})

    expected = world.gateway.keys.sip_password(InstallationId(name), int(version)).reveal()
    assert expected == world.link.of_type(CommandType.MESSAGES)[0].password
