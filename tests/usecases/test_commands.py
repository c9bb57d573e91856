"""Commands tell the truth: queued, sent, acknowledged, failed, expired."""

from __future__ import annotations

import pytest

from tests.gateway import EDGE, MAC, OTHER_TENANT, Phone, World


@pytest.fixture
def enrolled(phone: Phone) -> Phone:
    phone.enroll()
    for command_id in phone.world.device()["pending_commands"]:
        phone.world.edge.report_finished(command_id, 200)
    phone.world.link.sent.clear()
    return phone


def restart(world: World) -> str:
    return str(world.admin.post(f"/v1/devices/{MAC}/restart").json["id"])


def state_of(world: World, command_id: str) -> str:
    return str(world.admin.get(f"/v1/commands/{command_id}").json["state"])


@pytest.mark.parametrize(("order", "notify"), [("restart", "check-sync;reboot=true"), ("resync", "check-sync;reboot=false")])
def test_a_command_for_an_online_phone_goes_to_its_edge_at_once(world: World, enrolled: Phone, order: str, notify: str) -> None:
    answer = world.admin.post(f"/v1/devices/{MAC}/{order}")

    assert (202, "sent") == (answer.status, answer.json["state"])
    assert [(EDGE, order, notify, enrolled.username)] == [(e, c.type, c.notify_event, c.username) for e, c in world.link.sent]


def test_a_command_can_be_read_where_its_answer_says(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    answer = world.admin.post(f"/v1/devices/{MAC}/restart")

    assert answer.json == world.admin.get(answer.headers["location"]).json


def test_a_command_says_who_asked(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    command_id = world.api("technician").post(f"/v1/devices/{MAC}/restart").json["id"]

    assert "technician@example.com" == world.admin.get(f"/v1/commands/{command_id}").json["requested_by"]
    assert ("command_requested", {"command": "restart", "by": "technician@example.com"}) in world.history()


@pytest.mark.parametrize(
    ("sip_status", "state"),
    [(200, "acknowledged"), (202, "acknowledged"), (408, "failed"), (401, "failed"), (503, "failed")],
)
def test_the_phones_answer_is_the_commands_state(world: World, enrolled: Phone, sip_status: int, state: str) -> None:
    assert enrolled.base
    command_id = restart(world)
    world.edge.report_finished(command_id, sip_status)
    command = world.admin.get(f"/v1/commands/{command_id}").json

    assert (state, sip_status) == (command["state"], command["sip_status"])
    assert (f"command_{state}", {"command": "restart", "sip_status": str(sip_status)}) in world.history()


def test_a_finished_command_is_no_longer_pending(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    command_id = restart(world)
    before = world.device()["pending_commands"]
    world.edge.report_finished(command_id, 200)

    assert ([command_id], []) == (before, world.device()["pending_commands"])


def test_a_finished_command_stays_as_it_is(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    command_id = restart(world)
    world.edge.report_finished(command_id, 200)
    world.edge.report_finished(command_id, 408)

    assert "acknowledged" == state_of(world, command_id)


def test_a_report_on_a_command_that_nobody_gave_is_taken(world: World) -> None:
    assert [] == world.edge.report_finished("nobody", 200)


# --- offline -----------------------------------------------------------------------------------------------------------


def test_a_command_for_an_offline_phone_waits(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    command_id = restart(world)

    assert ("queued", [command_id], []) == (state_of(world, command_id), world.device()["pending_commands"], world.link.sent)


def test_a_waiting_command_is_in_the_receipt_of_the_phones_next_registration(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    command_id = restart(world)
    receipt = enrolled.register()

    assert [(command_id, "restart", enrolled.username)] == [(c["id"], c["type"], c["username"]) for c in receipt]
    assert "sent" == state_of(world, command_id)


def test_waiting_commands_come_in_the_order_given(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    ids = [restart(world) for _ in range(3)]

    assert ids == [command["id"] for command in enrolled.register()]


def test_a_command_is_delivered_once(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    restart(world)
    enrolled.register()

    assert [] == enrolled.register()


def test_a_phone_that_was_not_registered_after_all_gets_the_command_when_it_returns(world: World, enrolled: Phone) -> None:
    command_id = restart(world)
    world.edge.report_finished(command_id, 480)

    assert "queued" == state_of(world, command_id)
    assert [command_id] == [command["id"] for command in enrolled.register()]


def test_a_report_of_480_that_is_posted_again_with_what_followed_is_taken(world: World, enrolled: Phone) -> None:
    command_id = restart(world)
    world.clock.forward(seconds=1)
    batch = [world.edge.event("command_finished", command_id=command_id, sip_status=480)]
    world.clock.forward(seconds=1)
    batch.append(enrolled.registered())
    world.edge.report(*batch)
    world.edge.report(*batch)

    assert [command_id] == world.device()["pending_commands"]


def test_a_command_expires_after_24_hours(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    command_id = restart(world)
    world.clock.forward(hours=24)

    assert "expired" == state_of(world, command_id)


def test_an_expired_command_is_not_delivered_and_no_longer_pending(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    restart(world)
    world.clock.forward(hours=24)

    assert ([], []) == (enrolled.register(), world.device()["pending_commands"])


def test_a_sent_command_without_an_answer_expires_too(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    command_id = restart(world)
    world.clock.forward(hours=24)

    assert "expired" == state_of(world, command_id)


def test_a_device_that_was_silent_for_21_minutes_is_offline_and_its_command_waits(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.clock.forward(minutes=22)

    assert ("offline", "queued") == (world.device()["connection"], state_of(world, restart(world)))


# --- the agent is away -------------------------------------------------------------------------------------------------


def test_while_the_agent_is_away_a_command_waits_for_its_next_batch(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.link.away = True
    command_id = restart(world)

    assert [command_id] == [command["id"] for command in world.edge.report()]


def test_what_waited_for_the_agent_is_collected_once(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.link.away = True
    restart(world)
    world.edge.report()

    assert [] == world.edge.report()


def test_another_edge_does_not_collect_it(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.link.away = True
    restart(world)
    world.edge.edge_id = "edge-2"

    assert [] == world.edge.report()


def test_what_waited_too_long_for_the_agent_is_dropped(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.link.away = True
    restart(world)
    world.clock.forward(hours=24)

    assert [] == world.edge.report()


def test_several_commands_wait_for_the_agent_in_order(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.link.away = True
    ids = []
    for _ in range(3):
        ids.append(restart(world))
        world.clock.forward(seconds=1)

    assert ids == [command["id"] for command in world.edge.report()]


# --- devices that nobody owns yet --------------------------------------------------------------------------------------


@pytest.fixture
def onboarded(world: World, phone: Phone) -> Phone:
    world.admin.post("/v1/devices", {"mac": MAC})
    return phone.onboard()


def test_an_onboarded_phone_is_restarted_and_the_command_can_be_read(world: World, onboarded: Phone) -> None:
    assert onboarded.base

    assert "sent" == state_of(world, restart(world))


def test_another_claimant_does_not_see_who_gave_the_command(world: World, onboarded: Phone) -> None:
    assert onboarded.base
    other = world.api(tenant=OTHER_TENANT)
    other.post("/v1/devices", {"mac": MAC})
    restart(world)

    assert "admin@example.com" not in other.get(f"/v1/devices/{MAC}/events").text.replace('"by": "admin@example.com", "loc', "")


def test_a_device_without_contact_takes_no_command(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert 409 == world.admin.post(f"/v1/devices/{MAC}/restart").status
