"""Tenant, policies, users, network and the catalogue through the API."""

from __future__ import annotations

import pytest

from chalicelib.vendors.catalogue import vendors
from tests.gateway import OTHER_TENANT, Phone, World


def test_a_tenant_that_nobody_has_set_up_is_not_enabled(world: World) -> None:
    assert world.api(tenant=OTHER_TENANT).get("/v1/tenant").json["enabled"] is False


def test_settings_that_are_not_given_stay(world: World) -> None:
    world.admin.patch("/v1/tenant", {"time_zone": "Europe/Berlin"})
    changed = world.admin.patch("/v1/tenant", {"voicemail": "+4989123400"}).json

    assert ("Europe/Berlin", "+4989123400", True) == tuple(changed[name] for name in ("time_zone", "voicemail", "enabled"))


def test_the_first_settings_bring_a_global_policy_that_lets_nobody_in(world: World) -> None:
    other = world.api(tenant=OTHER_TENANT)
    other.patch("/v1/tenant", {"enabled": True})

    assert [("Global", False)] == [(p["name"], p["sip_devices_for_calls"]) for p in other.get("/v1/policies").json["items"]]


@pytest.mark.parametrize(
    "settings",
    [
        {"voicemail": "two words"},
        {"emergency": {"numbers": ["1"]}},
        {"emergency": {"numbers": ["1234567"]}},
        {"emergency": {"numbers": ["١١٢"]}},
        {"emergency": {}, "x": 1},
        {"trusted_networks": ["10.0.0.1/8"]},
        {"trusted_networks": "10.0.0.0/8"},
        {"default_language": "xx"},
    ],
)
def test_settings_that_a_phone_could_not_use_are_refused(world: World, settings: dict[str, object]) -> None:
    before = world.admin.get("/v1/tenant").json

    assert 400 == world.admin.patch("/v1/tenant", settings).status
    assert before == world.admin.get("/v1/tenant").json


def test_the_emergency_numbers_reach_the_phone(world: World, phone: Phone) -> None:
    phone.enroll()
    world.admin.patch("/v1/tenant", {"emergency": {"numbers": ["112", "110"]}})

    assert "112,110" == phone.settings()["phone_setting.emergency.number"]


def test_a_policy_is_created_with_its_defaults(world: World) -> None:
    expected = {
        "name": "Sales EMEA",
        "sip_devices_for_calls": False,
        "call_redirect": "enabled",
        "voicemail": "user_override",
        "common_area": False,
        "busy_on_busy": "disabled",
    }

    assert expected == world.admin.put("/v1/policies/Sales%20EMEA", {}).json


def test_a_policy_is_changed_in_what_is_given(world: World) -> None:
    changed = world.admin.put("/v1/policies/Lobby", {"busy_on_busy": "enabled"}).json

    assert ("enabled", True) == (changed["busy_on_busy"], changed["common_area"])


@pytest.mark.parametrize("name", ["%20", "x" * 129, "a%0Ab", "%00"])
def test_a_policy_needs_a_name_that_can_be_read(world: World, name: str) -> None:
    assert 400 == world.admin.put(f"/v1/policies/{name}", {}).status


@pytest.mark.parametrize("name", ["import", ".", ".."])
def test_a_policy_cannot_have_a_name_that_no_path_can_carry(world: World, name: str) -> None:
    imported = world.admin.post("/v1/policies/import", [{"Identity": f"Tag:{name}"}])
    assigned = world.admin.put("/v1/users/anna@example.com", {"policy": name})

    assert [(400, "/0/Identity"), (400, "/name")] == [
        (it.status, it.json["errors"][0]["pointer"]) for it in (imported, assigned)
    ]


def test_the_path_of_the_import_says_that_it_is_no_policy(world: World) -> None:
    answers = [world.admin.get("/v1/policies/import"), world.admin.put("/v1/policies/import", {})]

    assert [(405, "POST")] * 2 == [(answer.status, answer.headers["allow"]) for answer in answers]


def test_a_display_name_has_an_end(world: World) -> None:
    statuses = [world.admin.put("/v1/users/anna@example.com", {"display_name": "x" * length}).status for length in (256, 257)]

    assert [200, 400] == statuses


@pytest.mark.parametrize("body", [{"call_redirect": "maybe"}, {"sip_devices_for_calls": 1}, {"name": "x"}])
def test_a_policy_takes_known_values_alone(world: World, body: dict[str, object]) -> None:
    assert 400 == world.admin.put("/v1/policies/Sales", body).status


def test_a_policy_is_removed(world: World) -> None:
    assert [204, 404] == [world.admin.delete("/v1/policies/Lobby").status for _ in range(2)]


def test_the_global_policy_stays(world: World) -> None:
    assert (400, 200) == (world.admin.delete("/v1/policies/Global").status, world.admin.get("/v1/policies/Global").status)


def test_policies_are_listed_by_name(world: World) -> None:
    assert ["Global", "Lobby", "SIP phones"] == [item["name"] for item in world.admin.get("/v1/policies").json["items"]]


def test_users_are_listed_by_name_in_pages(world: World) -> None:
    first = world.admin.get("/v1/users?limit=2").json
    rest = world.admin.get(f"/v1/users?limit=2&cursor={first['next_cursor']}").json

    assert [["anna@example.com", "ben@example.com"], ["lobby@example.com"]] == [
        [user["upn"] for user in page["items"]] for page in (first, rest)
    ]


def test_empty_text_takes_a_number_away(world: World) -> None:
    assert world.admin.put("/v1/users/anna@example.com", {"number": ""}).json["number"] is None


def test_a_user_that_nobody_knows_is_not_found(world: World) -> None:
    assert 404 == world.admin.get("/v1/users/nobody@example.com").status


def test_the_network_page_names_hosts_ports_and_addresses(world: World) -> None:
    expected = {
        "region": "local",
        "provisioning_url": "https://gateway.example/",
        "sip_host": "sip.gateway.example",
        "ports": {"https": "TCP 443", "sip": "TCP 5061", "media": "UDP 49152-53247"},
        "egress_addresses": ["192.0.2.1", "192.0.2.2"],
    }

    assert expected == world.admin.get("/v1/network").json


def test_every_model_of_the_catalogue_is_listed(world: World) -> None:
    listed = world.request("GET", "/v1/compatible-devices").json["items"]

    assert {(vendor.name, model) for vendor in vendors().values() for model in vendor.models} == {
        (item["vendor"], item["model"]) for item in listed
    }
