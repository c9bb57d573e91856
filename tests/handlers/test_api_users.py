"""`/v1/users`: who is in the directory, what they may, and which devices they are signed in on."""

from __future__ import annotations

from chalicelib.domain.directory import CallingPolicy
from tests.gateway import ANNA, BEN, MAC, OTHER_TENANT, TENANT, Phone, World

SECOND_MAC = "805ec0abcdef"


def test_a_user_is_shown_with_the_devices_they_are_signed_in_on(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.phone(SECOND_MAC, model="T46U", firmware="108.86.0.90").enroll().sign_in()
    world.phone("805ec0fedcba").enroll().sign_in(BEN)
    expected = {
        "upn": ANNA,
        "display_name": "Anna Berg",
        "number": "+4989123401",
        "policy": "SIP phones",
        "policy_known": True,
        "extension": None,
        "enabled": True,
        "devices": [
            {"mac": MAC, "vendor": "yealink", "model": "T46S", "state": "signed_in"},
            {"mac": SECOND_MAC, "vendor": "yealink", "model": "T46U", "state": "signed_in"},
        ],
    }
    shown = world.admin.get(f"/v1/users/{ANNA}").json

    assert expected == {**shown, "devices": sorted(shown["devices"], key=lambda device: device["mac"])}


def test_the_list_names_each_users_devices(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    listed = world.admin.get("/v1/users").json["items"]

    assert {ANNA: [MAC], BEN: [], "lobby@example.com": []} == {
        user["upn"]: [device["mac"] for device in user["devices"]] for user in listed
    }


def test_a_user_who_signed_out_has_no_device(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert [] == world.admin.get(f"/v1/users/{ANNA}").json["devices"]


def test_a_phone_that_changed_hands_is_the_new_users(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.admin.post(f"/v1/devices/{MAC}/sign-out")
    phone.settle().sign_in(BEN)

    assert ([], [MAC]) == tuple(
        [device["mac"] for device in world.admin.get(f"/v1/users/{upn}").json["devices"]] for upn in (ANNA, BEN)
    )


def test_another_tenants_devices_of_a_user_of_the_same_name_are_not_shown(world: World, phone: Phone) -> None:
    world.open_other_tenant()
    phone.enroll().sign_in()
    other = world.api(tenant=OTHER_TENANT)
    other.put(f"/v1/users/{ANNA}", {"number": "+33123456702"})

    assert [] == other.get(f"/v1/users/{ANNA}").json["devices"]


def test_a_policy_that_nobody_has_imported_is_said_so(world: World) -> None:
    shown = world.admin.put(f"/v1/users/{ANNA}", {"policy": "Sales"}).json
    world.store.save(CallingPolicy(TENANT, "Sales", sip_devices_for_calls=True))

    assert (False, True) == (shown["policy_known"], world.admin.get(f"/v1/users/{ANNA}").json["policy_known"])


def test_without_an_assigned_policy_the_global_one_counts(world: World) -> None:
    shown = world.admin.put(f"/v1/users/{ANNA}", {"policy": ""}).json

    assert (None, True) == (shown["policy"], shown["policy_known"])
