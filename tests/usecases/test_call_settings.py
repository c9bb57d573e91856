"""Do not disturb and forwarding: set on any phone of the user, or by an administrator."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.contracts.edge import EVERY_EDGE, CommandType
from chalicelib.domain.directory import CallingPolicy
from tests.gateway import ANNA, BEN, MAC, OTHER_TENANT, TENANT, Phone, World

OTHER_MAC = "805ec0654321"
PATH = f"/v1/users/{ANNA}/call-settings"


@pytest.fixture
def signed_in(world: World, phone: Phone) -> Phone:
    phone.enroll().sign_in()
    world.link.sent.clear()
    return phone


def settings(world: World) -> dict[str, Any]:
    """Those that are set."""
    return {name: value for name, value in world.admin.get(PATH).json.items() if value and name != "ring_seconds"}


@pytest.mark.parametrize(
    ("dialled", "outcome", "reason", "expected"),
    [
        ("*30*", "do_not_disturb_on", "Do not disturb is on", {"do_not_disturb": True}),
        ("*31*", "do_not_disturb_off", "Do not disturb is off", {}),
        ("*32*", "forwarding_reset", "Call forwarding is off", {}),
        ("*33*+4989123402", "forwarding_set", "Calls are forwarded to +4989123402", {"forward_to": "+4989123402"}),
        ("*33*089123402#", "forwarding_set", "Calls are forwarded to +4989123402", {"forward_to": "+4989123402"}),
        (
            "*34*004989123402",
            "forwarding_on_timeout_set",
            "Unanswered calls are forwarded to +4989123402",
            {"forward_on_timeout_to": "+4989123402"},
        ),
        ("*35*116117", "also_ring_set", "116117 rings as well", {"also_ring": "116117"}),
    ],
)
def test_a_code_sets_what_it_says(signed_in: Phone, dialled: str, outcome: str, reason: str, expected: dict[str, Any]) -> None:
    assert (outcome, 480, reason) == signed_in.dial(dialled)
    assert expected == settings(signed_in.world)


def test_the_verdict_names_the_announcement(world: World, signed_in: Phone) -> None:
    verdict = world.edge.post("feature-codes", {"username": signed_in.username, "dialled": "*30*"}).json

    assert "do_not_disturb_on" == verdict["announce"]


def test_teams_shows_who_does_not_want_to_be_disturbed(world: World, signed_in: Phone) -> None:
    signed_in.dial("*30*")
    shown = dict(world.presence.shown)
    signed_in.dial("*31*")

    assert ({(TENANT, ANNA): True}, {(TENANT, ANNA): False}) == (shown, world.presence.shown)


def test_do_not_disturb_holds_here_while_teams_cannot_be_told(world: World, signed_in: Phone) -> None:
    world.presence.away = True

    assert "do_not_disturb_on" == signed_in.dial("*30*")[0]
    assert {"do_not_disturb": True} == settings(world)


def test_codes_add_up_and_are_taken_back(world: World, signed_in: Phone) -> None:
    for code in ("*30*", "*33*+4989123402", "*34*+4989123403", "*35*+4989123404"):
        signed_in.dial(code)
    whole = settings(world)
    signed_in.dial("*32*")
    without = settings(world)
    signed_in.dial("*31*")

    assert (4, {"do_not_disturb": True}, {}) == (len(whole), without, settings(world))


@pytest.mark.parametrize(
    ("dialled", "outcome", "reason"),
    [
        ("*33*", "number_not_usable", "This number cannot be used"),
        ("*34*12", "number_not_usable", "This number cannot be used"),
        ("*33*+4989123401", "own_number", "This is your own number"),
        ("*35*089123401", "own_number", "This is your own number"),
        ("*33*112", "emergency_number", "This is an emergency number"),
        ("*99*", "no_voicemail", "You have no voicemail"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    world: World, signed_in: Phone, dialled: str, outcome: str, reason: str
) -> None:
    assert (outcome, 403, reason) == signed_in.dial(dialled)
    assert ({}, []) == (settings(world), world.link.sent)


@pytest.mark.parametrize("dialled", ["*33*+4989123402", "*34*+4989123402", "*35*+4989123402", "*33*"])
def test_a_policy_without_call_redirect_refuses_in_the_phones_language(world: World, dialled: str) -> None:
    world.change(CallingPolicy, TENANT, "SIP phones", call_redirect="disabled")
    german = world.phone(words="lang_de/").enroll().sign_in()

    assert ("forwarding_not_allowed", 403, "Rufumleitung ist nicht erlaubt") == german.dial(dialled)


def test_do_not_disturb_needs_no_call_redirect(world: World, signed_in: Phone) -> None:
    world.change(CallingPolicy, TENANT, "SIP phones", call_redirect="disabled")
    world.admin.post("/v1/sync")

    assert ["do_not_disturb_on", "forwarding_reset"] == [signed_in.dial(code)[0] for code in ("*30*", "*32*")]


@pytest.mark.parametrize("dialled", ["*30*", "*31*", "*32*", "*33*+4989123402", "*34*1", "*35*1", "*99*"])
def test_a_phone_without_a_user_is_told_to_sign_in(phone: Phone, dialled: str) -> None:
    assert ("not_signed_in", 403, "Sign in first") == phone.enroll().dial(dialled)


def test_a_phone_that_was_signed_out_sets_nothing_any_more(world: World, signed_in: Phone) -> None:
    world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert "not_signed_in" == signed_in.dial("*30*")[0]
    assert {} == settings(world)


def test_a_phone_that_another_user_took_over_sets_nothing_of_theirs(world: World, signed_in: Phone) -> None:
    world.admin.post(f"/v1/devices/{MAC}/sign-in", {"user": "lobby@example.com"})

    assert "not_signed_in" == signed_in.dial("*33*+4989123402")[0]
    assert None is world.admin.get("/v1/users/lobby@example.com/call-settings").json["forward_to"]


def test_a_blocked_phone_sets_nothing(world: World, signed_in: Phone) -> None:
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert "not_signed_in" == signed_in.dial("*30*")[0]


def test_every_edge_asks_anew_for_every_phone_of_the_user(world: World, signed_in: Phone) -> None:
    second = world.phone(OTHER_MAC).enroll().sign_in()
    world.phone("805ec0111111").enroll().sign_in(BEN)
    world.link.sent.clear()
    signed_in.dial("*30*")

    assert sorted([signed_in.username, second.username]) == sorted(
        item.username for item in world.link.of_type(CommandType.REFRESH)
    )
    assert {EVERY_EDGE} == {edge for edge, _ in world.link.sent}


def test_a_code_dialled_again_tells_no_edge(world: World, signed_in: Phone) -> None:
    signed_in.dial("*30*")
    world.link.sent.clear()

    assert ("do_not_disturb_on", []) == (signed_in.dial("*30*")[0], world.link.sent)


def test_settings_are_the_users_on_every_phone_and_after_a_sign_out(world: World, signed_in: Phone) -> None:
    signed_in.dial("*33*+4989123402")
    world.admin.post(f"/v1/devices/{MAC}/sign-out")
    second = world.phone(OTHER_MAC).enroll().sign_in()

    assert "+4989123402" == second.credentials().json["call_settings"]["forward_to"]


def test_a_code_is_on_record_without_the_number(world: World, signed_in: Phone) -> None:
    signed_in.dial("*33*+4989123402")
    line = world.admin.get("/v1/audit").json["items"][0]

    assert ("call_settings_changed", {"dialled": "*33*", "by": ANNA}) == world.history()[0]
    assert ("feature_code", ANNA, "DIAL", "*33*", MAC) == tuple(
        line[name] for name in ("type", "actor", "method", "path", "target")
    )


def test_an_edge_that_knows_no_voicemail_yet_learns_of_it(world: World, signed_in: Phone) -> None:
    world.admin.patch("/v1/tenant", {"voicemail": "+4989123499"})
    world.link.sent.clear()

    assert "voicemail_known" == signed_in.dial("*99*")[0]
    assert [(EVERY_EDGE, "refresh")] == [
        (edge, item.type) for edge, item in world.link.sent if item.username == signed_in.username
    ]


# --- administrators ----------------------------------------------------------------------------------------------------


def test_an_administrator_sets_and_takes_back(world: World, signed_in: Phone) -> None:
    change = {"do_not_disturb": True, "forward_to": "089 123402", "ring_seconds": 30}
    answer = world.admin.put(PATH, change)
    told = [item.username for item in world.link.of_type(CommandType.REFRESH)]
    cleared = world.admin.put(PATH, {"forward_to": ""}).json

    expected = {
        "do_not_disturb": True,
        "forward_to": "+4989123402",
        "forward_on_timeout_to": None,
        "also_ring": None,
        "ring_seconds": 30,
    }
    assert (200, expected, [signed_in.username]) == (answer.status, answer.json, told)
    assert expected | {"forward_to": None} == cleared


def test_a_user_who_set_nothing_has_the_defaults(world: World) -> None:
    expected = {
        "do_not_disturb": False,
        "forward_to": None,
        "forward_on_timeout_to": None,
        "also_ring": None,
        "ring_seconds": 20,
    }

    assert expected == world.admin.get(PATH).json


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"forward_to": "+4989123401"}, 422, "own_number"),
        ({"also_ring": "911"}, 422, "emergency_number"),
        ({"forward_on_timeout_to": "x"}, 422, "number_not_usable"),
        ({"ring_seconds": 4}, 400, "bad_request"),
        ({"ring_seconds": 121}, 400, "bad_request"),
        ({"ring_seconds": "long"}, 400, "bad_request"),
        ({"busy_on_busy": True}, 400, "bad_request"),
    ],
)
def test_what_cannot_be_set_is_refused(world: World, body: dict[str, Any], status: int, code: str) -> None:
    answer = world.admin.put(PATH, body)

    assert (status, code, {}) == (answer.status, answer.json["code"], settings(world))


def test_the_policy_binds_an_administrator_too(world: World) -> None:
    world.change(CallingPolicy, TENANT, "SIP phones", call_redirect="disabled")
    answer = world.admin.put(PATH, {"forward_to": "+4989123402"})

    assert (422, "forwarding_not_allowed") == (answer.status, answer.json["code"])
    assert 200 == world.admin.put(PATH, {"do_not_disturb": True, "forward_to": ""}).status


@pytest.mark.parametrize("what", ["call-settings", "message-waiting"])
def test_a_user_whom_the_directory_lacks_is_not_found(world: World, what: str) -> None:
    path = f"/v1/users/nobody@example.com/{what}"

    assert [404, 404] == [world.admin.get(path).status, world.admin.put(path, {}).status]


@pytest.mark.parametrize("what", ["call-settings", "message-waiting"])
def test_another_tenants_user_is_not_found(world: World, what: str) -> None:
    world.open_other_tenant()

    assert 404 == world.api(tenant=OTHER_TENANT).put(f"/v1/users/{ANNA}/{what}", {}).status
