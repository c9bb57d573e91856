"""Policy sync: what changed in the directory reaches the phone, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.installation import Installation
from chalicelib.domain.tenant import Tenant
from tests.gateway import ANNA, BEN, OTHER_TENANT, START, TENANT, Phone, World, client


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    phone.enroll().sign_in()
    phone.world.link.sent.clear()
    return phone


def sync(world: World) -> dict[str, int]:
    return dict(world.admin.post("/v1/sync").json["counts"])


def record_of(world: World, phone: Phone) -> Installation | None:
    return world.store.load(Installation, phone.username.rpartition(".")[0])


LOSSES: list[tuple[dict[str, Any], str]] = [
    ({"number": ""}, "user_without_number"),
    ({"policy": ""}, "user_without_policy"),
    ({"policy": "Sales"}, "user_without_policy"),
]


def test_where_nothing_changed_nothing_is_written_or_sent(world: World, signed_in: Phone) -> None:
    before = record_of(world, signed_in)

    assert {"checked": 1, "changed": 0, "signed_out": 0} == sync(world)
    assert (before, []) == (record_of(world, signed_in), world.link.sent)


def test_a_second_sync_finds_nothing_to_do(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.change_user(display_name="Anna Berg-Lund")
    sync(world)

    assert {"checked": 1, "changed": 0, "signed_out": 0} == sync(world)


def test_another_display_name_reaches_the_phone(world: World, signed_in: Phone) -> None:
    world.change_user(display_name="Anna Berg-Lund")

    assert {"checked": 1, "changed": 1, "signed_out": 0} == sync(world)
    expected = [("resync", signed_in.username), ("refresh", signed_in.username)]
    assert expected == [(command.type, command.username) for _, command in world.link.sent]
    assert "Anna Berg-Lund +4989123401" == signed_in.settings()["account.1.label"]


def test_another_display_name_keeps_the_account(world: World, signed_in: Phone) -> None:
    before = signed_in.username
    world.change_user(display_name="Anna Berg-Lund")
    sync(world)
    signed_in.fetch()

    assert (before, True) == (signed_in.username, signed_in.credentials().json["may_call"])


def test_another_number_changes_the_account(world: World, signed_in: Phone) -> None:
    world.change_user(number="+4989123999")
    sync(world)

    assert "+4989123999" == signed_in.settings()["account.1.user_name"]


@pytest.mark.parametrize(("loss", "reason"), LOSSES)
def test_who_lost_the_right_is_signed_out_with_the_reason(
    world: World, signed_in: Phone, loss: dict[str, Any], reason: str
) -> None:
    world.change_user(**loss)

    assert {"checked": 1, "changed": 1, "signed_out": 1}.items() <= sync(world).items()
    assert ("enrolled", "Not signed in") == (world.device()["state"], signed_in.settings()["account.1.label"])
    assert ("signed_out", {"reason": reason}) in world.history()


def test_a_sync_says_how_many_lost_their_phone_because_nobody_imported_their_policy(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.phone("805ec0abcdef").enroll().sign_in(BEN)
    world.change_user(policy="Sales")
    world.change_user(BEN, number="")

    assert {"checked": 2, "changed": 2, "signed_out": 2, "policy_unknown": 1} == sync(world)
    assert 1 == world.admin.get("/v1/tenant").json["sync"]["policy_unknown"]


def test_a_user_who_left_is_signed_out(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.store.save(remove=[world.store.load(User, TENANT, ANNA)])
    sync(world)

    assert ("signed_out", {"reason": "user_unknown"}) in world.history()


def test_a_policy_that_changed_signs_its_users_out(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.admin.put("/v1/policies/SIP%20phones", {"sip_devices_for_calls": False})
    sync(world)

    assert "enrolled" == world.device()["state"]


def test_who_was_signed_out_may_not_call_from_then_on(world: World, signed_in: Phone) -> None:
    world.change_user(number="")
    sync(world)

    assert signed_in.credentials().json["may_call"] is False


def test_a_disabled_tenants_users_are_signed_out_at_once(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.admin.patch("/v1/tenant", {"enabled": False})

    assert ("signed_out", {"reason": "tenant_disabled"}) in world.history()


def test_the_tenants_settings_reach_signed_out_phones_too(world: World, phone: Phone) -> None:
    phone.enroll()
    world.admin.patch("/v1/tenant", {"time_zone": "Europe/Berlin"})

    assert "Germany(Berlin)" == phone.settings()["local_time.time_zone_name"]


def test_only_the_user_that_changed_is_touched(world: World, signed_in: Phone) -> None:
    other = world.phone("805ec0abcdef").enroll().sign_in(BEN)
    before = record_of(world, other)
    world.change_user(display_name="Anna Berg-Lund")
    sync(world)

    assert (before, True) == (record_of(world, other), signed_in.base != "")


def test_more_phones_than_a_page_holds_are_all_checked(world: World) -> None:
    phone = world.phone().enroll()
    blank = record_of(world, phone)
    assert blank is not None
    for part in range(2):
        world.store.save(*(replace(blank, id=f"copy{part}{number}", version=0) for number in range(75)))

    assert 151 == sync(world)["checked"]


def test_the_tenant_shows_its_last_sync(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    sync(world)

    assert {"checked": 1, "changed": 0, "signed_out": 0} == {
        name: world.admin.get("/v1/tenant").json["sync"][name] for name in ("checked", "changed", "signed_out")
    }


def test_a_sync_is_a_job_that_can_be_read(world: World) -> None:
    answer = world.admin.post("/v1/sync")
    job = world.admin.get(answer.headers["location"])

    assert (202, "succeeded", "policy_sync") == (answer.status, job.json["state"], job.json["type"])


# --- the check of one user, after a report of their phone --------------------------------------------------------------


def test_a_report_after_15_minutes_checks_the_user(world: World, signed_in: Phone) -> None:
    world.clock.forward(minutes=15)
    world.change_user(display_name="Anna Berg-Lund")
    signed_in.register()

    assert "Anna Berg-Lund" == world.device()["user"]["display_name"]


def test_a_report_before_that_does_not(world: World, signed_in: Phone) -> None:
    world.clock.forward(minutes=14)
    world.change_user(display_name="Anna Berg-Lund")
    signed_in.register()

    assert "Anna Berg" == world.device()["user"]["display_name"]


def test_the_check_itself_is_the_devices_last_sync(world: World, signed_in: Phone) -> None:
    world.clock.forward(minutes=15)
    signed_in.register()

    assert world.device()["last_seen_at"] == world.device()["last_sync_at"]


@pytest.mark.parametrize(("loss", "reason"), LOSSES)
def test_the_check_signs_out_who_lost_the_right(world: World, signed_in: Phone, loss: dict[str, Any], reason: str) -> None:
    world.clock.forward(minutes=15)
    world.change_user(**loss)
    signed_in.register()

    assert ("signed_out", {"reason": reason}) in world.history()


# --- the schedule ------------------------------------------------------------------------------------------------------


def run_schedule() -> Any:
    event = client().events.generate_cw_event(
        source="aws.events", detail_type="Scheduled Event", detail={}, resources=[], region="eu-central-1"
    )
    return client().lambda_.invoke("sync_policy", event).payload


def test_the_schedule_syncs_every_enabled_tenant(world: World, signed_in: Phone) -> None:
    world.open_other_tenant()
    world.change_user(display_name="Anna Berg-Lund")

    assert {"tenants": 2} == run_schedule()
    assert "Anna Berg-Lund +4989123401" == signed_in.settings()["account.1.label"]


def test_the_schedule_leaves_disabled_tenants_alone(world: World) -> None:
    world.open_other_tenant()
    world.change(Tenant, OTHER_TENANT, enabled=False)

    assert {"tenants": 1} == run_schedule()


def test_the_schedule_syncs_more_tenants_than_a_page_holds(world: World) -> None:
    for part in range(2):
        world.store.save(*(Tenant(f"tenant-{part}-{number}", enabled=True) for number in range(75)))

    assert {"tenants": 151} == run_schedule()


def test_a_policy_of_another_tenant_with_the_same_name_does_not_count(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.store.save(CallingPolicy(OTHER_TENANT, "SIP phones"))

    assert {"checked": 1, "changed": 0, "signed_out": 0} == sync(world)


def test_a_sync_takes_the_time_of_the_clock(world: World) -> None:
    world.clock.now = START.replace(hour=20)
    sync(world)

    assert "2026-11-22T20:00:00Z" == world.admin.get("/v1/tenant").json["sync"]["finished_at"]
