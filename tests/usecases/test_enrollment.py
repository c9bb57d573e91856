"""Enrollment: `*55*OTP` dialled on an onboarded phone, and zero touch."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.identifiers import Language
from chalicelib.domain.tenant import Tenant
from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.texts import translator
from tests.gateway import ELSEWHERE, MAC, OTHER_TENANT, START, TENANT, Phone, World


@pytest.fixture
def onboarded(phone: Phone) -> Phone:
    return phone.onboard()


def wrong(otp: str) -> str:
    return f"{(int(otp) + 1) % 1_000_000:06}"


def refusals(world: World) -> list[str]:
    """Why enrollments were refused."""
    return [detail["reason"] for kind, detail in world.history() if kind == "enrollment_refused"]


# --- right -------------------------------------------------------------------------------------------------------------


def test_the_right_code_enrolls(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()

    assert ("enrolled", 480, "Phone enrolled") == onboarded.dial(f"*55*{otp}")
    assert "enrolled" == world.device()["state"]


def test_a_one_time_password_has_six_digits(world: World) -> None:
    otp = world.issue_otp()

    assert (6, True) == (len(otp), otp.isdigit())


def test_a_hash_at_the_end_does_no_harm(world: World, onboarded: Phone) -> None:
    assert "enrolled" == onboarded.dial(f"*55*{world.issue_otp()}#")[0]


def test_the_enrollment_is_on_record_with_its_location(world: World, onboarded: Phone) -> None:
    world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 12"})
    onboarded.dial(f"*55*{world.issue_otp()}")

    assert ("enrolled", {"location": "Room 12"}) in world.history()


def test_the_phone_is_told_to_fetch_its_new_files(world: World, onboarded: Phone) -> None:
    onboarded.dial(f"*55*{world.issue_otp()}")

    expected = [("edge-1", "resync", onboarded.username), ("*", "refresh", onboarded.username)]
    assert expected == [(edge, c.type, c.username) for edge, c in world.link.sent]


def test_the_phone_keeps_its_url(onboarded: Phone) -> None:
    before = onboarded.base
    onboarded.dial(f"*55*{onboarded.world.issue_otp()}")

    assert (before, 200) == (onboarded.base, onboarded.fetch().status)


def test_an_enrolled_phone_gets_the_tenants_settings(world: World, onboarded: Phone) -> None:
    world.change_tenant(time_zone="Europe/Berlin")
    onboarded.dial(f"*55*{world.issue_otp()}")

    assert "Germany(Berlin)" == onboarded.settings()["local_time.time_zone_name"]


# --- wrong -------------------------------------------------------------------------------------------------------------


def test_a_wrong_code_is_refused(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()

    assert ("wrong_otp", 403, "Wrong code") == onboarded.dial(f"*55*{wrong(otp)}")
    assert (["wrong_otp"], "onboarded") == (refusals(world), world.device()["state"])


@pytest.mark.parametrize("dialled", ["*55*1", "*55*12345678901234567890"])
def test_what_is_no_one_time_password_is_wrong(world: World, onboarded: Phone, dialled: str) -> None:
    world.issue_otp()

    assert "wrong_otp" == onboarded.dial(dialled)[0]


def test_a_code_is_good_for_24_hours(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    world.clock.forward(hours=24, seconds=-1)

    assert "enrolled" == onboarded.dial(f"*55*{otp}")[0]


def test_after_24_hours_a_code_has_expired(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    world.clock.forward(hours=24)

    assert ("expired_otp", 403, "Code expired") == onboarded.dial(f"*55*{otp}")
    assert ["expired_otp"] == refusals(world)


def test_a_used_code_is_refused(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    onboarded.dial(f"*55*{otp}")
    again = world.phone(address=ELSEWHERE).onboard()

    assert ("used_otp", 403, "Code already used") == again.dial(f"*55*{otp}")
    assert ["used_otp"] == refusals(world)


def test_an_enrolled_phone_is_not_enrolled_again(world: World, onboarded: Phone) -> None:
    onboarded.dial(f"*55*{world.issue_otp()}")

    assert ("not_onboarded", 403, "Phone is not ready to be enrolled") == onboarded.dial(f"*55*{world.issue_otp()}")


def test_a_newer_code_voids_the_one_before(world: World, onboarded: Phone) -> None:
    old, new = world.issue_otp(), world.issue_otp()

    assert ["wrong_otp", "enrolled"] == [onboarded.dial(f"*55*{otp}")[0] for otp in (old, new)]


def test_another_devices_code_is_wrong(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp("805ec0ffffff")
    world.admin.post("/v1/devices", {"mac": MAC})

    assert "wrong_otp" == onboarded.dial(f"*55*{otp}")[0]


def test_a_phone_that_nobody_added_has_no_right_code(onboarded: Phone) -> None:
    assert "wrong_otp" == onboarded.dial("*55*123456")[0]


def test_a_phone_that_never_registered_is_not_onboarded(world: World, phone: Phone) -> None:
    phone.ask_stage_one()
    phone.fetch()

    assert ("not_onboarded", 403, "Phone is not ready to be enrolled") == phone.dial(f"*55*{world.issue_otp()}")


def test_a_tenant_that_has_not_enabled_the_gateway_enrolls_nothing(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    world.change_tenant(enabled=False)

    assert "tenant_disabled" == onboarded.dial(f"*55*{otp}")[0]
    assert ["tenant_disabled"] == refusals(world)


def test_a_code_that_a_disabled_tenant_refused_is_not_used_up(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    world.change_tenant(enabled=False)
    onboarded.dial(f"*55*{otp}")
    world.change_tenant(enabled=True)

    assert "enrolled" == onboarded.dial(f"*55*{otp}")[0]


def test_a_blocked_phones_other_installation_is_not_enrolled(world: World, onboarded: Phone) -> None:
    onboarded.dial(f"*55*{world.issue_otp()}")
    reset = world.phone(address=ELSEWHERE).onboard()
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert "not_onboarded" == reset.dial(f"*55*{world.issue_otp()}")[0]


@pytest.mark.parametrize("language", Language)
def test_the_reason_is_in_the_phones_language(world: World, language: Language) -> None:
    phone = world.phone(words=f"lang_{language}/").onboard()
    spoken = translator(language.value if language.value in vendor("yealink").languages else "en")

    assert spoken("Wrong code") == phone.dial("*55*123456")[2]
    assert spoken("Phone enrolled") == phone.dial(f"*55*{world.issue_otp()}")[2]


@pytest.mark.parametrize("language", Language)
def test_a_reason_fits_into_a_status_line(world: World, language: Language) -> None:
    phone = world.phone(words=f"lang_{language}/").onboard()
    reasons = [phone.dial(dialled)[2] for dialled in ("*55*123456", "*98*", "*51*", "*50*")]

    assert [] == [reason for reason in reasons if len(reason) > 120 or not reason.isprintable()]


# --- the lock ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(world: World, onboarded: Phone) -> str:
    """The right code of a phone on which five wrong ones were dialled."""
    otp = world.issue_otp()
    for _ in range(5):
        onboarded.dial(f"*55*{wrong(otp)}")
    return otp


def test_four_wrong_codes_lock_nothing(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    for _ in range(4):
        onboarded.dial(f"*55*{wrong(otp)}")

    assert "enrolled" == onboarded.dial(f"*55*{otp}")[0]


def test_five_wrong_codes_lock_enrollment(onboarded: Phone, locked: str) -> None:
    assert ("enrollment_locked", 503, "Too many wrong codes") == onboarded.dial(f"*55*{locked}")


def test_the_lock_is_on_record(world: World, locked: str) -> None:
    assert locked
    assert ["enrollment_locked", *["wrong_otp"] * 4] == sorted(refusals(world))


def test_the_lock_ends_after_15_minutes(world: World, onboarded: Phone, locked: str) -> None:
    world.clock.forward(minutes=15)

    assert "enrolled" == onboarded.dial(f"*55*{locked}")[0]


def test_the_lock_holds_until_then(world: World, onboarded: Phone, locked: str) -> None:
    world.clock.forward(minutes=15, seconds=-1)

    assert "enrollment_locked" == onboarded.dial(f"*55*{locked}")[0]


def test_after_the_lock_there_are_five_tries_again(world: World, onboarded: Phone, locked: str) -> None:
    world.clock.forward(minutes=15)
    verdicts = [onboarded.dial(f"*55*{wrong(locked)}")[0] for _ in range(4)]

    assert ["wrong_otp"] * 4 == verdicts
    assert "enrolled" == onboarded.dial(f"*55*{locked}")[0]


def test_a_stranger_locks_only_themselves(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    stranger = world.phone(address=ELSEWHERE).onboard()
    for _ in range(6):
        stranger.dial(f"*55*{wrong(otp)}")

    assert "enrolled" == onboarded.dial(f"*55*{otp}")[0]


def test_a_code_survives_25_wrong_tries_of_all_installations_together(world: World) -> None:
    otp = world.issue_otp()
    for number in range(5):
        guesser = world.phone(address=f"203.0.113.{number}").onboard()
        for _ in range(5):
            guesser.dial(f"*55*{wrong(otp)}")

    assert "expired_otp" == world.phone().onboard().dial(f"*55*{otp}")[0]


# --- several tenants ---------------------------------------------------------------------------------------------------


def test_claims_of_two_tenants_live_side_by_side_and_the_dialled_code_decides(world: World, onboarded: Phone) -> None:
    world.open_other_tenant()
    world.issue_otp()
    onboarded.dial(f"*55*{world.issue_otp(tenant=OTHER_TENANT)}")
    other = world.api(tenant=OTHER_TENANT).get(f"/v1/devices/{MAC}").json

    assert ("added", "enrolled") == (world.device()["state"], other["state"])


def test_the_tenant_that_lost_sees_nothing_of_the_phone(world: World, onboarded: Phone) -> None:
    world.open_other_tenant()
    world.issue_otp()
    onboarded.dial(f"*55*{world.issue_otp(tenant=OTHER_TENANT)}")

    assert (None, None, "never") == tuple(world.device()[name] for name in ("ip", "model", "connection"))


def test_the_tenant_that_lost_can_still_enroll_by_its_own_code(world: World, onboarded: Phone) -> None:
    """Presence decides: whoever stands at the phone resets it and dials."""
    world.open_other_tenant()
    onboarded.dial(f"*55*{world.issue_otp(tenant=OTHER_TENANT)}")
    world.phone(address=ELSEWHERE).enroll()

    assert "enrolled" == world.device()["state"]


# --- after a factory reset ---------------------------------------------------------------------------------------------


@pytest.fixture
def reset(world: World, onboarded: Phone) -> Phone:
    """The signed-in phone after a factory reset, enrolled again."""
    onboarded.enroll()
    onboarded.sign_in()
    world.link.sent.clear()
    onboarded.unregister("closed")
    return world.phone().enroll()


def test_a_factory_reset_phone_enrolls_again_and_is_signed_out(world: World, reset: Phone) -> None:
    assert reset.base
    assert ("enrolled", None) == (world.device()["state"], world.device()["user"])


def test_the_former_installation_ends(onboarded: Phone, reset: Phone) -> None:
    assert reset.base != onboarded.base
    assert (404, 404) == (onboarded.fetch().status, onboarded.credentials().status)


def test_the_edge_forgets_the_former_account(world: World, onboarded: Phone) -> None:
    onboarded.enroll()
    onboarded.sign_in()
    world.link.sent.clear()
    stranger_or_reset = world.phone(address=ELSEWHERE).onboard()
    stranger_or_reset.dial(f"*55*{world.issue_otp()}")

    assert onboarded.username in [command.username for _, command in world.link.sent if command.type == "forget"]


def test_the_edge_is_told_to_forget_when_the_former_account_registers_once_more(world: World, onboarded: Phone) -> None:
    onboarded.enroll()
    world.phone(address=ELSEWHERE).enroll()

    assert [("forget", onboarded.username)] == [(c["type"], c["username"]) for c in onboarded.register()]


# --- zero touch --------------------------------------------------------------------------------------------------------


def zero_touch(world: World, *, address: str = "192.0.2.77", **tenant: Any) -> Phone:
    world.change_tenant(trusted_networks=("192.0.2.0/24", "2001:db8::/32"), **tenant)
    return world.phone(words=f"tenantid/{TENANT}/", address=address)


@pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8::7"])
def test_a_claimed_phone_with_the_tenant_in_its_url_enrolls_from_a_trusted_network(world: World, address: str) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    zero_touch(world, address=address).onboard()

    assert "enrolled" == world.device()["state"]


def test_zero_touch_needs_the_trusted_network(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    zero_touch(world, address=ELSEWHERE).onboard()

    assert "onboarded" == world.device()["state"]


def test_zero_touch_needs_the_claim(world: World) -> None:
    zero_touch(world).onboard()
    world.admin.post("/v1/devices", {"mac": MAC})

    assert "onboarded" == world.device()["state"]


def test_zero_touch_needs_the_tenant_in_the_url(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    phone = zero_touch(world)
    phone.words = ""
    phone.onboard()

    assert "onboarded" == world.device()["state"]


def test_zero_touch_needs_an_enabled_tenant(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    zero_touch(world, enabled=False).onboard()

    assert "onboarded" == world.device()["state"]


def test_zero_touch_never_replaces_an_enrolled_phone(world: World) -> None:
    phone = world.phone().enroll()
    zero_touch(world).onboard()

    assert 200 == phone.fetch().status


def test_zero_touch_with_another_tenants_guid_does_nothing(world: World) -> None:
    world.open_other_tenant()
    world.change(Tenant, OTHER_TENANT, trusted_networks=("0.0.0.0/0",))
    world.admin.post("/v1/devices", {"mac": MAC})
    phone = world.phone(words=f"tenantid/{OTHER_TENANT}/").onboard()

    assert ("onboarded", False) == (world.device()["state"], phone.credentials().json["tenant_id"] == OTHER_TENANT)


def test_times_are_those_of_the_clock(world: World, onboarded: Phone) -> None:
    world.clock.now = START.replace(hour=15)
    onboarded.dial(f"*55*{world.issue_otp()}")

    assert "2026-11-22T15:00:00Z" == world.device()["enrolled_at"]
