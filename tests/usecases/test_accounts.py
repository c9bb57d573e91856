"""A device's SIP account through sign-in, change and sign-out: each has its own, and the former ends when it is not needed."""

from __future__ import annotations

import pytest

from chalicelib.domain.keys import ha1
from tests.gateway import BEN, ELSEWHERE, MAC, Phone, World


@pytest.fixture
def enrolled(phone: Phone) -> Phone:
    return phone.enroll()


def pair(phone: Phone) -> str:
    """Anna signs in; the phone has not heard of it yet. Its former username."""
    phone.world.browser().sign_in().pair(phone.show_code())
    return phone.username


def version(phone: Phone) -> int:
    return int(phone.username.rpartition(".")[2])


def test_a_sign_in_gives_another_username_and_password(enrolled: Phone) -> None:
    before = enrolled.settings()
    after = enrolled.sign_in().settings()

    assert 1 + int(before["account.1.auth_name"].rpartition(".")[2]) == version(enrolled)
    assert before["account.1.password"] != after["account.1.password"]


def test_the_edge_gets_ha1_of_the_password_in_the_file(world: World, enrolled: Phone) -> None:
    settings = enrolled.sign_in().settings()
    name, _, number = enrolled.username.rpartition(".")
    expected = ha1(enrolled.username, "sip.gateway.example", world.gateway.keys.sip_password(name, int(number)))

    assert settings["account.1.password"] == world.gateway.keys.sip_password(name, int(number)).reveal()
    assert vars_of(expected) == enrolled.credentials().json["ha1"]


def vars_of(value: object) -> dict[str, str]:
    return {name: getattr(value, name) for name in ("md5", "sha256")}


def test_the_signed_in_account_may_call_as_the_users_number(enrolled: Phone) -> None:
    told = enrolled.sign_in().credentials().json

    assert (True, "+4989123401", "Anna Berg", True) == tuple(
        told[name] for name in ("may_call", "aor", "display_name", "emergency")
    )


def test_credentials_name_tenant_mac_and_language(enrolled: Phone) -> None:
    told = enrolled.credentials().json

    assert ("d0000000-0000-4000-8000-000000000001", MAC, "en") == tuple(told[n] for n in ("tenant_id", "mac", "language"))


def test_credentials_are_good_for_24_hours(enrolled: Phone) -> None:
    assert "2026-11-23T12:00:01Z" == enrolled.credentials().json["expires_at"]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_signed_out_phone_dials_emergency_numbers_where_the_tenant_says_so(
    world: World, enrolled: Phone, *, allowed: bool
) -> None:
    world.admin.patch("/v1/tenant", {"emergency": {"numbers": ["112"], "when_signed_out": allowed}})

    assert (False, allowed) == tuple(enrolled.credentials().json[name] for name in ("may_call", "emergency"))


def test_until_the_phone_follows_its_former_account_stays_without_calls(world: World, enrolled: Phone) -> None:
    former = pair(enrolled)
    told = world.edge.credentials(former)

    assert (200, False) == (told.status, told.json["may_call"])


def test_a_phone_that_still_uses_its_former_account_is_told_again(world: World, enrolled: Phone) -> None:
    world.link.away = True
    former = pair(enrolled)
    world.edge.report()
    world.link.away = False

    assert [("resync", former)] == [(command["type"], command["username"]) for command in enrolled.register()]


def test_when_the_new_account_registers_the_former_is_forgotten(world: World, enrolled: Phone) -> None:
    former = pair(enrolled)
    enrolled.fetch()
    receipt = enrolled.register()

    assert [("forget", former)] == [(command["type"], command["username"]) for command in receipt]
    assert 404 == world.edge.credentials(former).status


def test_another_user_gets_another_account(world: World, enrolled: Phone) -> None:
    enrolled.sign_in()
    enrolled.screen("sign-out-confirmed")
    enrolled.settle().sign_in(BEN)

    assert ("+4989123402", BEN) == (enrolled.aor, world.device()["user"]["upn"])


def test_a_sign_out_at_the_phone_takes_calls_away_at_once(enrolled: Phone) -> None:
    enrolled.sign_in()
    enrolled.screen("sign-out-confirmed")

    assert enrolled.credentials().json["may_call"] is False


def test_a_sign_out_is_told_to_phone_and_edge_in_that_order(world: World, enrolled: Phone) -> None:
    enrolled.sign_in()
    world.link.sent.clear()
    enrolled.screen("sign-out-confirmed")

    assert [("resync", enrolled.username), ("forget", enrolled.username)] == [(c.type, c.username) for _, c in world.link.sent]


def test_a_sign_out_at_the_phone_is_on_record(world: World, enrolled: Phone) -> None:
    enrolled.sign_in()
    enrolled.screen("sign-out-confirmed")

    assert ("signed_out", {"reason": "at_the_phone"}) in world.history()


def test_an_administrator_signs_out(world: World, enrolled: Phone) -> None:
    enrolled.sign_in()
    answer = world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert (202, "sent", "enrolled") == (answer.status, answer.json["state"], world.device()["state"])
    assert ("signed_out", {"reason": "by admin@example.com"}) in world.history()


def test_nobody_is_signed_out_where_nobody_is_signed_in(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    answer = world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert (409, "illegal_state") == (answer.status, answer.json["code"])


def test_after_a_sign_out_the_phone_shows_nobody(enrolled: Phone) -> None:
    enrolled.sign_in()
    enrolled.screen("sign-out-confirmed")

    assert "Not signed in" == enrolled.settings()["account.1.label"]


def test_a_personal_phone_is_signed_in_without_enrollment_and_joins_the_inventory(world: World, phone: Phone) -> None:
    phone.onboard().sign_in()

    assert ("signed_in", None, "anna@example.com") == (
        world.device()["state"],
        world.device()["enrolled_at"],
        world.device()["user"]["upn"],
    )


def test_a_personal_phone_is_onboarded_again_after_the_sign_out(world: World, phone: Phone) -> None:
    phone.onboard().sign_in()
    phone.screen("sign-out-confirmed")

    assert "onboarded" == world.device()["state"]


def test_a_personal_phone_signed_in_after_a_factory_reset_is_not_disturbed_by_its_former_life(world: World) -> None:
    former = world.phone().onboard().sign_in()
    former.screen("sign-out-confirmed")
    former.unregister()
    phone = world.phone(address=ELSEWHERE).onboard().sign_in()
    world.admin.patch("/v1/tenant", {"time_zone": "Europe/Berlin"})

    assert ("signed_in", "anna@example.com") == (world.device()["state"], world.device()["user"]["upn"])
    assert "Germany(Berlin)" == phone.settings()["local_time.time_zone_name"]


# --- common-area accounts ----------------------------------------------------------------------------------------------


def test_an_administrator_signs_a_common_area_account_in(world: World, enrolled: Phone) -> None:
    answer = world.admin.post(f"/v1/devices/{MAC}/sign-in", {"user": "lobby@example.com"})

    assert (202, "lobby@example.com") == (answer.status, world.device()["user"]["upn"])
    assert "+4989123403" == enrolled.settings()["account.1.user_name"]


def test_a_refused_sign_in_tells_an_administrator_what_an_administrator_can_do(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    answer = world.admin.post(f"/v1/devices/{MAC}/sign-in", {"user": "nobody@example.com"})

    assert "The directory has no such account. Check its spelling, or add it." == answer.json["detail"]


@pytest.mark.parametrize(
    ("upn", "status", "code"),
    [("anna@example.com", 422, "not_common_area"), ("nobody@example.com", 422, "user_unknown"), ("nobody", 400, "bad_request")],
)
def test_other_accounts_sign_in_by_themselves(world: World, enrolled: Phone, upn: str, status: int, code: str) -> None:
    assert enrolled.base
    answer = world.admin.post(f"/v1/devices/{MAC}/sign-in", {"user": upn})

    assert (status, code, "enrolled") == (answer.status, answer.json["code"], world.device()["state"])


def test_an_account_is_signed_in_only_on_an_enrolled_phone(world: World, phone: Phone) -> None:
    phone.onboard()
    world.admin.post("/v1/devices", {"mac": MAC})
    answer = world.admin.post(f"/v1/devices/{MAC}/sign-in", {"user": "lobby@example.com"})

    assert (409, "illegal_state") == (answer.status, answer.json["code"])
