"""What edges report: in any order, twice, late, by whomever holds the credential."""

from __future__ import annotations

import pytest

from tests.gateway import EDGE_CREDENTIALS, ELSEWHERE, HOME, MAC, Phone, World


@pytest.fixture
def enrolled(phone: Phone) -> Phone:
    return phone.enroll()


def shown(world: World) -> tuple[object, ...]:
    return tuple(world.device()[name] for name in ("connection", "last_seen_at", "online_since", "ip"))


# --- registrations -----------------------------------------------------------------------------------------------------


def test_a_registered_phone_is_online_with_its_address(world: World, enrolled: Phone) -> None:
    enrolled.register()

    assert ("online", "2026-11-22T12:00:02Z", "2026-11-22T12:00:01Z", HOME) == shown(world)


def test_an_address_of_version_6_is_shown_without_brackets(world: World, enrolled: Phone) -> None:
    enrolled.address = "[2001:db8::7]"
    enrolled.register()

    assert "2001:db8::7" == world.device()["ip"]


def test_a_refresh_keeps_the_time_since_when_it_is_online(world: World, enrolled: Phone) -> None:
    since = world.device()["online_since"]
    world.clock.forward(minutes=15)
    enrolled.register()

    assert since == world.device()["online_since"]


def test_a_refresh_makes_no_line_in_the_history(world: World, enrolled: Phone) -> None:
    before = world.history()
    enrolled.register()

    assert before == world.history()


def test_a_lost_binding_takes_the_phone_offline_with_the_reason(world: World, enrolled: Phone) -> None:
    enrolled.unregister("closed")

    assert "offline" == world.device()["connection"]
    assert ("unregistered", {"reason": "closed"}) in world.history()


def test_a_phone_that_returns_is_online_since_then(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    enrolled.register()

    assert "2026-11-22T12:00:03Z" == world.device()["online_since"]


def test_the_firmware_of_the_sip_user_agent_is_recorded(world: World, enrolled: Phone) -> None:
    enrolled.firmware = "66.86.9.9"
    enrolled.register()

    assert "66.86.9.9" == world.device()["firmware"]


def test_a_late_end_of_an_old_connection_does_not_take_the_phone_offline(world: World, enrolled: Phone) -> None:
    enrolled.source_port = 40002
    world.clock.forward(seconds=5)
    world.edge.report(enrolled.registered())
    enrolled.source_port = 40001
    enrolled.unregister("closed")

    assert "online" == world.device()["connection"]


def test_an_end_reported_from_before_the_registration_does_not_count(world: World, enrolled: Phone) -> None:
    ended = enrolled.unregistered()
    enrolled.register()
    world.edge.report(ended)

    assert "online" == world.device()["connection"]


def test_a_registration_of_an_ended_installation_is_told_to_be_forgotten(world: World, enrolled: Phone) -> None:
    world.admin.delete(f"/v1/devices/{MAC}")

    assert [("forget", enrolled.username)] == [(c["type"], c["username"]) for c in enrolled.register()]


def test_a_registration_of_an_account_version_that_never_was_is_told_to_be_forgotten(world: World, enrolled: Phone) -> None:
    enrolled.username = enrolled.username.replace(".1", ".7")

    assert [("forget", enrolled.username)] == [(c["type"], c["username"]) for c in enrolled.register()]
    assert "2026-11-22T12:00:01Z" == world.device()["last_seen_at"]


# --- twice -------------------------------------------------------------------------------------------------------------


def test_a_registration_posted_twice_changes_nothing_more(world: World, enrolled: Phone) -> None:
    world.clock.forward(seconds=1)
    event = enrolled.registered()
    world.edge.report(event)
    before = (world.device(), world.history())
    world.edge.report(event)

    assert before == (world.device(), world.history())


def test_an_end_posted_twice_changes_nothing_more(world: World, enrolled: Phone) -> None:
    world.clock.forward(seconds=1)
    event = enrolled.unregistered()
    world.edge.report(event)
    before = (world.device(), world.history())
    world.edge.report(event)

    assert before == (world.device(), world.history())


def test_coming_and_going_posted_twice_leaves_the_phone_offline(world: World, enrolled: Phone) -> None:
    enrolled.unregister()
    world.clock.forward(seconds=1)
    came = enrolled.registered()
    world.clock.forward(seconds=1)
    batch = (came, enrolled.unregistered())
    world.edge.report(*batch)
    before = (world.device(), world.history())
    world.edge.report(*batch)

    assert before == (world.device(), world.history())


def test_a_refresh_and_an_end_posted_twice_leave_the_phone_offline(world: World, enrolled: Phone) -> None:
    world.clock.forward(seconds=1)
    refreshed = enrolled.registered()
    world.clock.forward(seconds=1)
    batch = (refreshed, enrolled.unregistered())
    world.edge.report(*batch)
    world.edge.report(*batch)

    assert "offline" == world.device()["connection"]


def test_a_strangers_registration_posted_twice_is_one_line(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    stranger = world.phone(address=ELSEWHERE)
    stranger.ask_stage_one()
    stranger.fetch()
    event = stranger.registered()
    world.edge.report(event)
    world.edge.report(event)

    assert 1 == [kind for kind, _ in world.history()].count("candidate_registered")


def test_a_finished_command_posted_twice_is_one_line(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    command_id = world.admin.post(f"/v1/devices/{MAC}/restart").json["id"]
    event = world.edge.event("command_finished", command_id=command_id, sip_status=200)
    world.edge.report(event)
    world.edge.report(event)

    assert 1 == [kind for kind, _ in world.history()].count("command_acknowledged")


# --- an edge starts anew -----------------------------------------------------------------------------------------------


def test_an_edge_that_started_anew_holds_no_binding(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.clock.forward(seconds=1)
    world.edge.report(world.edge.event("edge_started"))

    assert "offline" == world.device()["connection"]


def test_a_phone_that_registers_after_the_start_is_online(world: World, enrolled: Phone) -> None:
    world.clock.forward(seconds=1)
    world.edge.report(world.edge.event("edge_started"))
    enrolled.register()

    assert "online" == world.device()["connection"]


def test_another_edges_start_does_not_matter(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.clock.forward(seconds=1)
    world.edge.edge_id = "edge-2"
    world.edge.report(world.edge.event("edge_started"))

    assert "online" == world.device()["connection"]


def test_a_start_posted_twice_leaves_later_registrations_alone(world: World, enrolled: Phone) -> None:
    world.clock.forward(seconds=1)
    started = world.edge.event("edge_started")
    world.edge.report(started)
    enrolled.register()
    world.edge.report(started)

    assert "online" == world.device()["connection"]


# --- the door ----------------------------------------------------------------------------------------------------------

CALLS = [
    ("events", {"edge_id": "edge-1", "events": []}),
    ("credentials", {"username": "x.1"}),
    ("feature-codes", {"username": "x.1", "dialled": "*50*"}),
    ("route", {"from": "x.1", "to": "+4989123402"}),
]


@pytest.mark.parametrize(("path", "body"), CALLS, ids=[path for path, _ in CALLS])
@pytest.mark.parametrize("credential", ["", "wrong", "edge-secret-ne", "edge-secret-newer", f"admin@{MAC}", "é"])
def test_every_edge_call_needs_the_credential(world: World, path: str, body: dict[str, object], credential: str) -> None:
    world.edge.credential = credential
    answer = world.edge.post(path, body)

    assert (401, "not_authenticated", "Bearer") == (answer.status, answer.json["code"], answer.headers["www-authenticate"])


@pytest.mark.parametrize("credential", EDGE_CREDENTIALS)
def test_both_credentials_open(world: World, credential: str) -> None:
    world.edge.credential = credential

    assert 200 == world.edge.post("events", {"edge_id": "edge-1"}).status


def test_an_administrators_token_does_not_open_the_edges_door(world: World) -> None:
    assert 401 == world.admin.post("/edge/v1/credentials", {"username": "x.1"}).status


def test_an_edge_credential_does_not_open_the_administrators_door(world: World) -> None:
    answer = world.request("GET", "/v1/devices", headers={"Authorization": f"Bearer {EDGE_CREDENTIALS[0]}"})

    assert 401 == answer.status


@pytest.mark.parametrize("username", ["", "x", "x.1", ".1", "x.", "x.1.1", "x" * 3000 + ".1", "é.1", "x.999999999999"])
def test_credentials_of_nobody_are_not_found(world: World, username: str) -> None:
    assert (404, "not_found") == ((answer := world.edge.credentials(username)).status, answer.json["code"])


def test_a_batch_has_at_most_100_events(world: World) -> None:
    events = [world.edge.event("edge_started") for _ in range(101)]

    assert [200, 400] == [world.edge.post("events", {"edge_id": "edge-1", "events": events[:n]}).status for n in (100, 101)]


def test_an_edge_may_be_a_release_ahead(world: World) -> None:
    batch = {"edge_id": "edge-1", "new_word": 1, "events": [world.edge.event("edge_started", another_word=[1])]}

    assert 200 == world.edge.post("events", batch).status


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/edge_id"), ({"edge_id": 1}, "/edge_id"), ({"edge_id": "e", "events": [{"id": "1"}]}, "/events/0/type"), ([], "")],
)
def test_a_batch_that_cannot_be_read_names_the_field(world: World, body: object, pointer: str) -> None:
    answer = world.edge.post("events", body)

    assert (400, pointer) == (answer.status, answer.json["errors"][0]["pointer"])


def test_credentials_of_a_blocked_device_are_not_found(world: World, enrolled: Phone) -> None:
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert 404 == enrolled.credentials().status


def test_credentials_of_an_expired_candidate_are_not_found(world: World, phone: Phone) -> None:
    phone.ask_stage_one()
    phone.fetch()
    world.clock.forward(hours=24)

    assert 404 == phone.credentials().status


def test_a_candidate_whose_registration_is_reported_late_can_still_be_enrolled(world: World, phone: Phone) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    late = world.phone(address=ELSEWHERE)
    late.ask_stage_one()
    late.fetch()
    event = late.registered()
    phone.onboard()
    world.edge.report(event)

    assert "enrolled" == late.dial(f"*55*{world.issue_otp()}")[0]
