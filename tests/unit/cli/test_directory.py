from enum import StrEnum
from pathlib import Path

import pytest

from chalicelib.domain.directory import BusyOnBusy, CallRedirect, Voicemail
from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway


def test_policies_are_a_table(gateway: FakeGateway, sipgw: Sipgw) -> None:
    policy = {"name": "Global", "sip_devices_for_calls": False, "voicemail": "UserOverride"}
    gateway.lay("GET /v1/policies", {"items": [policy], "next_cursor": None})
    assert ["Global", "no", "-", "UserOverride", "-", "-"] == sipgw("policies", "list").row("Global")


def test_set_policy_keeps_the_settings_that_were_not_named(gateway: FakeGateway, sipgw: Sipgw) -> None:
    present = {"name": "Sales", "sip_devices_for_calls": False, "common_area": True, "updated_at": "2026-01-02T03:04:05Z"}
    gateway.lay("GET /v1/policies/Sales", present)
    gateway.lay("PUT /v1/policies/Sales", {"name": "Sales"})
    sipgw("policies", "set", "Sales", "--sip-devices-for-calls", "--busy-on-busy", "enabled")
    assert {"sip_devices_for_calls": True, "common_area": True, "busy_on_busy": "enabled"} == gateway.seen[1].json


def test_set_policy_creates_one_that_is_not_there(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("PUT /v1/policies/Front%20desk%2F1", {"name": "Front desk/1"}, status=201)
    outcome = sipgw("policies", "set", "Front desk/1", "--no-sip-devices-for-calls", "--json")
    assert {"sip_devices_for_calls": False} == gateway.seen[1].json
    assert {"name": "Front desk/1"} == outcome.json


@pytest.mark.parametrize(
    ("option", "kind"), [("--call-redirect", CallRedirect), ("--voicemail", Voicemail), ("--busy-on-busy", BusyOnBusy)]
)
def test_set_policy_knows_the_words_of_the_api(sipgw: Sipgw, option: str, kind: type[StrEnum]) -> None:
    refused = sipgw("policies", "set", "Sales", option, "true")

    assert 2 == refused.code
    assert [word for word in kind if f"'{word}'" not in " ".join(refused.stderr.replace("│", "").split())] == []


def test_set_policy_without_settings_is_a_usage_error(gateway: FakeGateway, sipgw: Sipgw) -> None:
    assert sipgw("policies", "set", "Sales").code == 2
    assert [] == gateway.seen


def test_remove_policy_asks_first(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("DELETE /v1/policies/Sales", status=204)
    assert sipgw("policies", "remove", "Sales", typed="n\n").code == 1
    assert [] == gateway.seen
    assert "Removed Sales.\n" == sipgw("policies", "remove", "Sales", "--yes").stdout
    assert ["DELETE"] == [request.method for request in gateway.seen]


def test_import_policies_takes_utf_16_from_powershell(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    file = tmp_path / "policies.json"
    file.write_bytes('[{"Identity": "Global"}]'.encode("utf-16"))
    gateway.lay("POST /v1/policies/import", {"items": [{"name": "Global", "result": "imported"}]})
    outcome = sipgw("policies", "import", str(file))
    assert b'[{"Identity": "Global"}]' == gateway.seen[0].body
    assert ["Global", "imported"] == outcome.row("Global")


def test_users_are_a_table_with_their_devices(gateway: FakeGateway, sipgw: Sipgw) -> None:
    user = {
        "upn": "ada@example.org",
        "number": "+4930",
        "display_name": "Ada",
        "policy": "Sales",
        "policy_known": True,
        "devices": ["a", "b"],
    }
    gateway.lay("GET /v1/users", {"items": [user], "next_cursor": None})
    assert ["ada@example.org", "+4930", "Ada", "Sales", "yes", "a,", "b"] == sipgw("users", "list").row("ada")


def test_show_user_quotes_the_upn(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/users/a%2Fb%40example.org", {"upn": "a/b@example.org"})
    assert {"upn": "a/b@example.org"} == sipgw("users", "show", "a/b@example.org", "--json").json


def test_assign_user_keeps_the_rest(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/users/ada%40example.org", {"upn": "ada@example.org", "display_name": "Ada", "devices": []})
    gateway.lay("PUT /v1/users/ada%40example.org", {"upn": "ada@example.org"})
    outcome = sipgw("users", "assign", "ada@example.org", "--number", "+49301234567", "--policy", "Sales")
    assert {"display_name": "Ada", "number": "+49301234567", "policy": "Sales"} == gateway.seen[1].json
    assert outcome.code == 0


def test_assign_user_writes_nothing_where_the_gateway_refused_the_reading(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.refuse("GET /v1/users/ada%40example.org", 403, title="Forbidden", code="forbidden")
    assert sipgw("users", "assign", "ada@example.org", "--number", "+4930").code == 1
    assert ["GET"] == [request.method for request in gateway.seen]


def test_set_tenant_patches_what_was_named(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("PATCH /v1/tenant", {"enabled": True})
    networks = ["--trusted-network", "192.0.2.0/24", "--trusted-network", "198.51.100.0/24"]
    sipgw("tenant", "set", "--enabled", "--time-zone", "Europe/Berlin", "--default-language", "de", *networks)
    expected = {
        "enabled": True,
        "time_zone": "Europe/Berlin",
        "default_language": "de",
        "trusted_networks": ["192.0.2.0/24", "198.51.100.0/24"],
    }
    assert expected == gateway.seen[0].json


def test_set_tenant_can_disable_and_empty_a_list(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("PATCH /v1/tenant", {})
    sipgw("tenant", "set", "--disabled", "--trusted-network", "")
    assert {"enabled": False, "trusted_networks": []} == gateway.seen[0].json


def test_set_tenant_keeps_the_other_half_of_emergency(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/tenant", {"emergency": {"numbers": ["112"], "when_signed_out": False}})
    gateway.lay("PATCH /v1/tenant", {})
    sipgw("tenant", "set", "--emergency-when-signed-out")
    assert {"emergency": {"numbers": ["112"], "when_signed_out": True}} == gateway.seen[1].json


def test_show_tenant_lists_nested_settings(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/tenant", {"enabled": True, "emergency": {"numbers": ["112", "110"]}})
    assert ["emergency.numbers", "112,", "110"] == sipgw("tenant", "show").row("emergency")


def test_sync_tells_the_job(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("POST /v1/sync", {"id": "j-1", "state": "queued"}, status=202)
    assert "Policy sync j-1: queued. Watch it with: ./sipgw jobs show j-1 --wait\n" == sipgw("sync", "--no-wait").stdout


def test_sync_with_wait_shows_the_counts(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("POST /v1/sync", {"id": "j-1", "state": "queued"}, status=202)
    gateway.lay("GET /v1/jobs/j-1", {"id": "j-1", "type": "sync", "state": "finished", "counts": {"changed": 3}})
    assert ["counts.changed", "3"] == sipgw("sync", "--wait").row("counts")


def test_network_shows_whatever_the_region_tells(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/network", {"provisioning_url": "https://h/", "ports": {"sip": 5061}, "egress": ["192.0.2.1"]})
    outcome = sipgw("network")
    assert ["ports.sip", "5061"] == outcome.row("ports")
    assert ["egress", "192.0.2.1"] == outcome.row("egress")


def test_compatible_needs_no_token_and_filters_by_vendor(gateway: FakeGateway, sipgw: Sipgw) -> None:
    firmware = {"minimum_firmware": "108.86.0.40", "approved_firmware": "108.86.0.90"}
    models = [{"vendor": "yealink", "model": "T46U", **firmware}, {"vendor": "cisco", "model": "7841", **firmware}]
    gateway.lay("GET /v1/compatible-devices", {"items": models, "next_cursor": None})
    outcome = sipgw("compatible", "--vendor", "Yealink")
    assert ["yealink", "T46U", "108.86.0.40", "108.86.0.90"] == outcome.row("yealink")
    assert "7841" not in outcome.stdout
    assert "Authorization" not in gateway.seen[0].headers
