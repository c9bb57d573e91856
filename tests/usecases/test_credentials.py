"""What an edge is told of a digest user: whose it is, what it may dial, and the settings of its user's calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.contracts.edge import EVERY_EDGE, CallSettings, CommandType
from chalicelib.domain.calls import UserCalls
from chalicelib.domain.directory import CallingPolicy
from chalicelib.domain.installation import Installation
from tests.gateway import ANNA, MAC, TENANT, Phone, World

VOICEMAIL = "+4989123499"


@pytest.fixture
def signed_in(world: World, phone: Phone) -> Phone:
    world.change_tenant(voicemail=VOICEMAIL)
    phone.enroll().sign_in()
    world.link.sent.clear()
    return phone


def told(phone: Phone, *names: str) -> tuple[Any, ...]:
    credentials = phone.credentials().json
    return tuple(credentials[name] for name in names)


def change_policy(world: World, **fields: Any) -> None:
    """And the sync brings it to the phones."""
    world.change(CallingPolicy, TENANT, "SIP phones", **fields)
    world.admin.post("/v1/sync")


def test_a_signed_in_phone_has_its_users_name_and_number(signed_in: Phone) -> None:
    assert (ANNA, "+4989123401", "Anna Berg") == told(signed_in, "user", "number", "display_name")


def test_a_phone_without_a_user_has_none(phone: Phone) -> None:
    assert ("", "", "", "") == told(phone.enroll(), "user", "number", "voicemail", "display_name")


def test_the_account_before_is_nobodys(world: World, signed_in: Phone) -> None:
    world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert ("", "", "", "", False) == told(signed_in, "user", "number", "voicemail", "display_name", "may_call")


def test_a_signed_in_phone_dials_the_tenants_emergency_numbers(world: World, signed_in: Phone) -> None:
    world.admin.patch("/v1/tenant", {"emergency": {"numbers": ["110", "112"]}})

    assert ([*("110", "112")], True) == told(signed_in, "emergency_numbers", "emergency")


@pytest.mark.parametrize(("allowed", "numbers"), [(True, ["112"]), (False, [])])
def test_a_signed_out_phone_dials_them_where_the_tenant_allows(
    world: World,
    phone: Phone,
    allowed: bool,  # noqa: FBT001 - a table
    numbers: list[str],
) -> None:
    phone.enroll()
    world.admin.patch("/v1/tenant", {"emergency": {"numbers": ["112"], "when_signed_out": allowed}})

    assert (numbers, allowed) == told(phone, "emergency_numbers", "emergency")


def test_a_tenant_without_emergency_numbers_has_no_emergency_calls(world: World, signed_in: Phone) -> None:
    world.admin.patch("/v1/tenant", {"emergency": {"numbers": []}})

    assert ([], False) == told(signed_in, "emergency_numbers", "emergency")


def test_the_location_goes_along_with_emergency_calls(world: World, signed_in: Phone) -> None:
    world.admin.patch(f"/v1/devices/{MAC}", {"location": "Room 7"})

    assert ("Room 7",) == told(signed_in, "location")
    assert [(EVERY_EDGE, signed_in.username)] == [
        (edge, command.username) for edge, command in world.link.sent if command.type is CommandType.REFRESH
    ]


def test_a_stranger_is_told_no_location(world: World, phone: Phone) -> None:
    world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 7"})

    assert ("", [], None) == told(phone.onboard(), "location", "emergency_numbers", "tenant_id")


def test_the_tenants_voicemail_is_the_users(signed_in: Phone) -> None:
    assert (VOICEMAIL,) == told(signed_in, "voicemail")


def test_a_policy_without_voicemail_empties_it(world: World, signed_in: Phone) -> None:
    change_policy(world, voicemail="always_disabled")

    assert ("",) == told(signed_in, "voicemail")


@pytest.mark.parametrize(("word", "busy"), [("enabled", True), ("disabled", False), ("unanswered", False)])
def test_busy_on_busy_is_the_policys(world: World, signed_in: Phone, word: str, busy: bool) -> None:  # noqa: FBT001 - a table
    change_policy(world, busy_on_busy=word)

    assert busy is signed_in.credentials().json["call_settings"]["busy_on_busy"]


def test_a_policy_that_changes_reaches_every_edge(world: World, signed_in: Phone) -> None:
    change_policy(world, busy_on_busy="enabled")

    assert (EVERY_EDGE, "refresh", signed_in.username) in [(edge, item.type, item.username) for edge, item in world.link.sent]


def test_the_users_settings_go_along(world: World, signed_in: Phone) -> None:
    settings = CallSettings(do_not_disturb=True, forward_to="+4989123402", ring_seconds=30)
    world.store.save(UserCalls(TENANT, ANNA, settings))
    expected = {
        "do_not_disturb": True,
        "forward_to": "+4989123402",
        "forward_on_timeout_to": "",
        "also_ring": "",
        "ring_seconds": 30,
        "busy_on_busy": False,
    }

    assert (expected,) == told(signed_in, "call_settings")


def test_forwarding_that_was_set_before_the_policy_forbade_it_is_off_and_comes_back(world: World, signed_in: Phone) -> None:
    settings = CallSettings(do_not_disturb=True, forward_to="+4989123402", also_ring="+4989123403")
    world.store.save(UserCalls(TENANT, ANNA, settings))
    change_policy(world, call_redirect="disabled")
    forbidden = signed_in.credentials().json["call_settings"]
    change_policy(world, call_redirect="enabled")
    allowed = signed_in.credentials().json["call_settings"]

    assert ("", "", True) == tuple(forbidden[name] for name in ("forward_to", "also_ring", "do_not_disturb"))
    assert replace(settings) == CallSettings(**allowed)


@pytest.mark.parametrize(
    ("vendor", "model"),
    [
        ("poly", "VVX150"),
        ("poly", "VVX201"),
        *(("cisco", model) for model in ("6821", "7811", "7821", "7841", "7861")),
    ],
)
def test_a_small_screen_says_press_sign_in_in_every_language(world: World, phone: Phone, vendor: str, model: str) -> None:
    phone.enroll()
    world.change(Installation, phone.username.partition(".")[0], vendor=vendor, model=model)

    assert ("Press Sign In",) == told(phone, "emergency_refusal")


def test_other_screens_have_room_for_the_edge_s_own_words(phone: Phone) -> None:
    assert ("",) == told(phone.enroll(), "emergency_refusal")
