"""Where a call goes, and what it takes along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.directory import CallingPolicy, User
from tests.gateway import ANNA, BEN, EDGE, MAC, OTHER_TENANT, TENANT, EdgeAgent, Phone, World

BENS_MAC = "805ec0654321"
BENS_NUMBER = "+4989123402"
VOICEMAIL = "+4989123499"
ZOE = "zoe@example.org"
OUTSIDE = "+12025550123"


@pytest.fixture
def anna(world: World, phone: Phone) -> Phone:
    world.edge.report(world.edge.event("edge_started", contact="sip:10.0.0.5:5060"))
    return phone.enroll().sign_in()


@pytest.fixture
def ben(world: World) -> Phone:
    return world.phone(BENS_MAC).enroll().sign_in(BEN)


def zoes(world: World) -> Phone:
    """A phone of the other tenant."""
    world.open_other_tenant()
    return world.phone("805ec0999999").enroll(OTHER_TENANT).sign_in(ZOE, OTHER_TENANT)


def brief(route: dict[str, Any]) -> tuple[str, ...]:
    return tuple(route[name] for name in ("outcome", "aor", "user"))


# --- inside the tenant -------------------------------------------------------------------------------------------------


def test_a_colleagues_number_leads_to_the_edge_that_holds_the_phone(anna: Phone, ben: Phone) -> None:
    expected = {
        "outcome": "user",
        "aor": BENS_NUMBER,
        "tenant_id": TENANT,
        "user": BEN,
        "display_name": "Ben Okafor",
        "number": BENS_NUMBER,
        "edges": [{"edge_id": EDGE, "contact": "sip:10.0.0.5:5060"}],
        "voicemail": "",
        "reason": "",
    }
    route = anna.call(BENS_NUMBER)

    assert expected == {name: route[name] for name in expected}
    assert (ben.aor, ben.username) == (route["aor"], route["username"])


@pytest.mark.parametrize(
    "dialled",
    [
        BENS_NUMBER,
        "+49 89 123-402",
        "089123402",
        "004989123402",
        BEN,
        "Ben@Example.com",
        "ben",
        f"{BENS_NUMBER}@sip.gateway.example",
        "ben@SIP.gateway.example",
        "ben@sip2.gateway.example",
        "ben@example.com@sip.gateway.example",
        "ben%40example.com@sip.gateway.example",  # RFC 3261 section 19.1.2
    ],
)
def test_a_colleague_is_reached_by_every_usual_spelling(anna: Phone, ben: Phone, dialled: str) -> None:
    assert ("user", ben.aor, BEN) == brief(anna.call(dialled))


def test_the_callees_settings_and_voicemail_go_along(world: World, anna: Phone, ben: Phone) -> None:
    world.admin.patch("/v1/tenant", {"voicemail": VOICEMAIL})
    world.change(CallingPolicy, TENANT, "SIP phones", busy_on_busy="enabled")
    world.admin.post("/v1/sync")
    ben.dial("*30*")
    ben.dial("*34*+4989123403")
    route = anna.call(BENS_NUMBER)
    settings = route["call_settings"]

    assert (True, "+4989123403", True, VOICEMAIL) == (
        settings["do_not_disturb"],
        settings["forward_on_timeout_to"],
        settings["busy_on_busy"],
        route["voicemail"],
    )


def test_forwarding_that_the_policy_forbids_does_not_go_along(world: World, anna: Phone, ben: Phone) -> None:
    ben.dial("*33*+4989123403")
    world.change(CallingPolicy, TENANT, "SIP phones", call_redirect="disabled")
    world.admin.post("/v1/sync")

    assert "" == anna.call(BENS_NUMBER)["call_settings"]["forward_to"]


def test_a_colleague_who_rings_along_is_named_with_the_edges_of_their_phones(world: World, anna: Phone, ben: Phone) -> None:
    ben.dial(f"*35*{anna.aor}")
    world.edge = EdgeAgent(world, "edge-2", numbers=world.edge.numbers)
    world.edge.report(world.edge.event("edge_started", contact="sip:10.0.0.6:5060"))
    anna.source_port += 1
    anna.register()
    route = anna.call(BENS_NUMBER)

    assert [EDGE] == [edge["edge_id"] for edge in route["edges"]]
    assert (anna.aor, ["edge-2"]) == (route["also_ring_aor"], [edge["edge_id"] for edge in route["also_ring_edges"]])


@pytest.mark.parametrize("also_ring", ["", OUTSIDE, "other tenant"])
def test_nobody_else_rings_along(world: World, anna: Phone, ben: Phone, also_ring: str) -> None:
    number = zoes(world).aor if also_ring == "other tenant" else also_ring
    if number:
        ben.dial(f"*35*{number}")
    route = anna.call(BENS_NUMBER)

    assert (number, "", []) == (route["call_settings"]["also_ring"], route["also_ring_aor"], route["also_ring_edges"])


def test_phones_at_several_edges_are_all_reached(world: World, anna: Phone, ben: Phone) -> None:
    assert ben.base
    world.edge = EdgeAgent(world, "edge-2", numbers=world.edge.numbers)
    world.edge.report(world.edge.event("edge_started", contact="sip:10.0.0.6:5060"))
    world.phone("805ec0111111").enroll().sign_in(BEN)

    expected = [{"edge_id": EDGE, "contact": "sip:10.0.0.5:5060"}, {"edge_id": "edge-2", "contact": "sip:10.0.0.6:5060"}]
    assert expected == anna.call(BENS_NUMBER)["edges"]


def test_a_phone_that_moved_is_where_it_is_now(world: World, anna: Phone, ben: Phone) -> None:
    world.edge = EdgeAgent(world, "edge-2", numbers=world.edge.numbers)
    ben.source_port += 1
    ben.register()

    assert ["edge-2"] == [edge["edge_id"] for edge in anna.call(BENS_NUMBER)["edges"]]


def _unregister(phone: Phone) -> None:
    phone.unregister()


def _fall_silent(phone: Phone) -> None:
    phone.world.clock.forward(minutes=22)


def _lose_the_edge(phone: Phone) -> None:
    phone.world.clock.forward(seconds=1)
    phone.world.edge.report(phone.world.edge.event("edge_started"))


@pytest.mark.parametrize("lose", [_unregister, _fall_silent, _lose_the_edge])
def test_a_user_whose_phones_are_all_gone_has_no_edge(anna: Phone, ben: Phone, lose: Callable[[Phone], None]) -> None:
    lose(ben)
    route = anna.call(BENS_NUMBER)

    assert ("user", []) == (route["outcome"], route["edges"])


def test_without_a_registered_phone_the_call_goes_to_voicemail(world: World, anna: Phone, ben: Phone) -> None:
    world.admin.patch("/v1/tenant", {"voicemail": VOICEMAIL})
    ben.unregister()
    route = anna.call(BENS_NUMBER)

    assert ("voicemail", VOICEMAIL, BEN) == (route["outcome"], route["voicemail"], route["user"])


@pytest.mark.parametrize("code", ["*33*", "*34*", "*35*"])
def test_without_a_registered_phone_forwarding_counts_more_than_voicemail(
    world: World, anna: Phone, ben: Phone, code: str
) -> None:
    world.admin.patch("/v1/tenant", {"voicemail": VOICEMAIL})
    ben.dial(f"{code}{OUTSIDE}")
    ben.unregister()
    route = anna.call(BENS_NUMBER)

    assert ("user", [], True) == (route["outcome"], route["edges"], OUTSIDE in route["call_settings"].values())


def test_a_user_without_any_phone_has_their_voicemail_and_forwarding(world: World, anna: Phone) -> None:
    world.admin.put(f"/v1/users/{BEN}", {"display_name": "Ben O."})
    world.admin.patch("/v1/tenant", {"voicemail": VOICEMAIL})
    by_number, by_name = anna.call(BENS_NUMBER), anna.call(BEN)
    world.admin.put(f"/v1/users/{BEN}/call-settings", {"forward_to": OUTSIDE})
    forwarded = anna.call(BENS_NUMBER)

    assert ("voicemail", "Ben O.") == (by_number["outcome"], by_number["display_name"])
    assert by_number == by_name
    assert ("user", [], OUTSIDE) == (forwarded["outcome"], forwarded["edges"], forwarded["call_settings"]["forward_to"])


def test_a_signed_out_phone_is_not_rung_with_its_former_account(world: World, anna: Phone, ben: Phone) -> None:
    second = world.phone("805ec0111111").enroll().sign_in(BEN)
    world.admin.post(f"/v1/devices/{BENS_MAC}/sign-out")
    second.unregister()
    ben.register()

    assert [] == anna.call(BENS_NUMBER)["edges"]


# --- who nobody knows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dialled",
    [
        "nobody@example.com",
        "nobody",
        "carl",
        "",
        "12",
        "@",
        "a b",
        "x" * 500,
        "ben@example.com@x",
        "ben%00",
        "%",
        "\ud83d",
        "\ud83d@x",
    ],
)
def test_who_is_unknown_is_not_found(anna: Phone, ben: Phone, dialled: str) -> None:
    assert ben.base
    route = anna.call(dialled)

    assert ("not_found", "Nobody has this number or name") == (route["outcome"], route["reason"])


def test_a_name_that_two_users_have_is_not_found(world: World, anna: Phone, ben: Phone) -> None:
    assert ben.base
    world.store.save(User(TENANT, "ben@branch.example.com", "Ben Two", "+4989123405", "SIP phones"))
    world.phone("805ec0111111").enroll().sign_in("ben@branch.example.com")

    assert ["not_found", "user"] == [anna.call(name)["outcome"] for name in ("ben", "ben@branch.example.com")]


def test_the_reason_is_in_the_callers_language(world: World) -> None:
    german = world.phone(words="lang_de/").enroll().sign_in()

    assert "Niemand hat diese Nummer oder diesen Namen" == german.call("nobody")["reason"]


# --- outside -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialled", "number"),
    [(OUTSIDE, OUTSIDE), ("0012025550123", OUTSIDE), ("089 555 123", "+4989555123"), ("116117", "116117"), ("112", "112")],
)
def test_other_numbers_go_out_to_the_trunk(anna: Phone, dialled: str, number: str) -> None:
    route = anna.call(dialled)

    assert ("trunk", number, "", []) == (route["outcome"], route["number"], route["user"], route["edges"])


def test_another_tenants_number_is_a_number_of_the_outside(world: World, anna: Phone) -> None:
    zoe = zoes(world)
    there, back = anna.call(zoe.aor), zoe.call(anna.aor)

    assert [("trunk", zoe.aor, ""), ("trunk", anna.aor, "")] == [
        (route["outcome"], route["number"], route["user"]) for route in (there, back)
    ]


@pytest.mark.parametrize("name", [ZOE, "zoe"])
def test_another_tenants_name_is_not_found(world: World, anna: Phone, name: str) -> None:
    zoes(world)

    assert "not_found" == anna.call(name)["outcome"]


def test_a_number_that_its_user_no_longer_has_is_of_the_outside(world: World, anna: Phone) -> None:
    world.admin.put(f"/v1/users/{BEN}", {"display_name": "Ben O."})
    world.change_user(BEN, number="")

    assert "trunk" == anna.call(BENS_NUMBER)["outcome"]


# --- who may not call --------------------------------------------------------------------------------------------------


def test_a_phone_without_a_user_may_not_call(world: World, phone: Phone) -> None:
    routes = [phone.onboard().call(OUTSIDE), world.phone(BENS_MAC).enroll().call(BENS_NUMBER)]

    assert [("refused", "Sign in to make calls")] * 2 == [(route["outcome"], route["reason"]) for route in routes]


def test_a_phone_that_was_signed_out_may_not_call(world: World, anna: Phone) -> None:
    world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert "refused" == anna.call(OUTSIDE)["outcome"]


@pytest.mark.parametrize("username", ["nobody.1", "x", "é.1"])
def test_a_stranger_may_not_call(world: World, username: str) -> None:
    assert "refused" == world.edge.route(username, OUTSIDE)["outcome"]


def test_a_blocked_phone_may_not_call_and_is_not_rung(world: World, anna: Phone, ben: Phone) -> None:
    world.admin.patch(f"/v1/devices/{BENS_MAC}", {"blocked": True})

    assert ("refused", []) == (ben.call(OUTSIDE)["outcome"], anna.call(BENS_NUMBER)["edges"])


# --- from the trunk ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["+4989123401", "4989123401", "+49 89 123401"])
def test_a_call_from_the_trunk_finds_its_user(world: World, anna: Phone, to: str) -> None:
    route = world.edge.route("", to)

    assert ("user", anna.aor, ANNA) == brief(route)
    assert (TENANT, [EDGE]) == (route["tenant_id"], [edge["edge_id"] for edge in route["edges"]])


def test_a_call_from_the_trunk_finds_users_of_every_tenant(world: World, anna: Phone) -> None:
    zoe = zoes(world)

    assert [TENANT, OTHER_TENANT] == [world.edge.route("", number)["tenant_id"] for number in (anna.aor, zoe.aor)]


@pytest.mark.parametrize("to", [OUTSIDE, "", "112", "ben", BEN, "+"])
def test_a_call_from_the_trunk_never_goes_out_again(world: World, anna: Phone, ben: Phone, to: str) -> None:
    assert anna.aor != ben.aor
    assert "not_found" == world.edge.route("", to)["outcome"]


def test_a_call_from_the_trunk_for_a_user_without_a_phone_goes_to_voicemail(world: World) -> None:
    world.admin.put(f"/v1/users/{BEN}", {"display_name": "Ben O."})
    world.admin.patch("/v1/tenant", {"voicemail": VOICEMAIL})
    route = world.edge.route("", BENS_NUMBER)

    assert ("voicemail", VOICEMAIL) == (route["outcome"], route["voicemail"])


def test_a_call_from_the_trunk_for_a_tenant_that_is_not_enabled_finds_nobody(world: World) -> None:
    world.admin.put(f"/v1/users/{BEN}", {"display_name": "Ben O."})
    world.admin.patch("/v1/tenant", {"enabled": False, "voicemail": VOICEMAIL})

    assert "not_found" == world.edge.route("", BENS_NUMBER)["outcome"]


def test_a_request_that_cannot_be_read_names_the_field(world: World) -> None:
    answer = world.edge.post("route", {"from": 1})

    assert (400, {"/from", "/to"}) == (answer.status, {error["pointer"] for error in answer.json["errors"]})
