"""Who did what when: a line for every change that succeeded, and for nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.adapters.counting import Cost
from chalicelib.domain.pairing import PAIRING_TRIES
from tests.gateway import ANNA, ELSEWHERE, HOME, MAC, OTHER_TENANT, Phone, World


def audit(world: World, query: str = "", role: str = "admin") -> list[dict[str, Any]]:
    return list(world.api(role).get(f"/v1/audit{query}").json["items"])


def test_a_change_has_its_line(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    line = audit(world)[0]

    assert len(line.pop("id")) == 26
    assert {
        "at": "2026-11-22T12:00:00Z",
        "type": "api",
        "actor": "admin@example.com",
        "method": "POST",
        "path": "/v1/devices",
        "target": MAC,
        "address": "198.51.100.7",
        "status": 201,
        "outcome": "done",
    } == line


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("PATCH", "/v1/tenant", {}, ("PATCH", "/v1/tenant", None, 200)),
        ("PUT", "/v1/policies/Lobby", {}, ("PUT", "/v1/policies/{name}", "Lobby", 200)),
        ("DELETE", "/v1/policies/Lobby", None, ("DELETE", "/v1/policies/{name}", "Lobby", 204)),
        ("PUT", f"/v1/users/{ANNA.upper()}", {}, ("PUT", "/v1/users/{upn}", ANNA, 200)),
        ("POST", "/v1/devices/80:5E:C0:12:34:56/otp", None, ("POST", "/v1/devices/{mac}/otp", MAC, 201)),
        ("PATCH", f"/v1/devices/{MAC}", {"location": "x"}, ("PATCH", "/v1/devices/{mac}", MAC, 200)),
    ],
)
def test_every_kind_of_change_names_its_target(
    world: World, method: str, path: str, body: object, expected: tuple[object, ...]
) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    world.clock.forward(seconds=1)
    world.admin.request(method, path, body)
    line = audit(world)[0]

    assert expected == (line["method"], line["path"], line["target"], line["status"])


def test_reading_and_refused_calls_have_no_line(world: World) -> None:
    world.admin.get("/v1/devices")
    world.admin.post("/v1/devices", {"mac": "nonsense"})
    world.admin.post(f"/v1/devices/{MAC}/restart")
    world.api("reader").post("/v1/devices", {"mac": MAC})
    world.request("POST", "/v1/devices")

    assert [] == audit(world)


def test_the_newest_line_is_first_and_pages_joined_are_all(world: World) -> None:
    for number in range(5):
        world.clock.forward(seconds=1)
        world.admin.put(f"/v1/policies/p{number}", {})
    first = world.admin.get("/v1/audit?limit=3").json
    rest = world.admin.get(f"/v1/audit?limit=3&cursor={first['next_cursor']}").json

    assert [f"p{number}" for number in (4, 3, 2, 1, 0)] == [line["target"] for line in first["items"] + rest["items"]]
    assert rest["next_cursor"] is None


def test_another_tenants_lines_are_not_shown(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert [] == world.api(tenant=OTHER_TENANT).get("/v1/audit").json["items"]


def test_lines_are_kept_for_400_days(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    world.clock.forward(days=399)
    kept = audit(world)
    world.clock.forward(days=1)

    assert (1, []) == (len(kept), audit(world))


def test_an_auditor_needs_no_more_than_the_readers_role(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert 1 == len(audit(world, role="reader"))


def test_a_person_who_pairs_a_phone_on_the_web_has_a_line(world: World, phone: Phone) -> None:
    phone.onboard().sign_in()
    line = audit(world)[0]

    assert ("pairing", ANNA, "/pair/confirm", MAC) == tuple(line[name] for name in ("type", "actor", "path", "target"))


def outcomes(world: World) -> list[tuple[object, ...]]:
    return [tuple(line[name] for name in ("type", "actor", "path", "target", "address", "outcome")) for line in audit(world)]


def test_a_refused_pairing_has_its_line_and_its_reason(world: World, phone: Phone) -> None:
    code = phone.onboard().show_code()
    browser = world.browser(ELSEWHERE).sign_in()
    browser.type_code(code)
    world.change_user(policy="Global")
    browser.confirm()

    assert [("pairing", ANNA, "/pair/confirm", MAC, ELSEWHERE, "user_without_policy")] == outcomes(world)


def test_a_wrong_code_has_its_line_until_there_were_too_many(world: World) -> None:
    browser = world.browser(ELSEWHERE).sign_in()
    for _ in range(20):
        browser.type_code("BBBB-BBBB")
    lines = outcomes(world)

    assert {("pairing", ANNA, "/pair/code", None, ELSEWHERE, "access_denied")} == set(lines)
    assert PAIRING_TRIES == len(lines)


def test_a_person_who_may_not_sign_in_has_a_line(world: World) -> None:
    world.change_user(number="")
    browser = world.browser(ELSEWHERE)
    browser.sign_in()
    lines = outcomes(world)

    assert {("pairing", ANNA, "/pair", None, ELSEWHERE, "user_without_number")} == set(lines)


def test_an_enrollment_at_the_phone_has_a_line(world: World, phone: Phone) -> None:
    phone.enroll()

    assert ("phone", "one-time password", "enroll", MAC, HOME, "done") in outcomes(world)


def test_a_sign_out_at_the_phone_has_a_line(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    phone.register()
    world.clock.forward(seconds=1)
    phone.dial("*51*")

    assert ("phone", ANNA, "sign-out", MAC, HOME, "done") == outcomes(world)[0]


def test_whom_the_gateway_signs_out_has_a_line(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.clock.forward(seconds=1)
    world.change_user(number="")
    world.admin.post("/v1/sync")

    assert ("schedule", "gateway", "policy_sync", MAC, None, "done") in outcomes(world)


def test_each_account_that_a_table_signs_in_has_a_line_and_a_refused_row_has_none(world: World, phone: Phone) -> None:
    phone.enroll()
    table = f"Username,HardwareId\nlobby@example.com,{MAC}\nlobby@example.com,805ec0abcdef\n"
    world.admin.post("/v1/sign-ins", table, Content_Type="text/csv")
    job = world.admin.get("/v1/jobs").json["items"][0]["id"]
    names = ("actor", "target", "address", "status", "outcome")
    lines = [tuple(line[name] for name in names) for line in audit(world) if line["path"] == "/v1/sign-ins"]

    call, row = ("admin@example.com", job, HOME, 202, "done"), ("admin@example.com", MAC, HOME, 200, "done")
    assert {call, row} == set(lines)
    assert [call, row] == sorted(lines, key=lambda line: -int(str(line[3])))


def test_a_sign_out_by_an_administrator_has_one_line(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.clock.forward(seconds=1)
    before = len(audit(world))
    world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert [("api", "admin@example.com")] == [line[:2] for line in outcomes(world)[: len(audit(world)) - before]]


def test_no_secret_stands_in_the_audit(world: World, phone: Phone) -> None:
    otp = world.issue_otp()
    phone.onboard().dial(f"*55*{otp}")
    pairing = world.admin.post(f"/v1/devices/{MAC}/sign-in").json
    text = json.dumps([{**line, "id": ""} for line in audit(world)])

    assert [] == [secret for secret in (otp, pairing["pairing_code"], phone.token) if secret in text]


def test_a_line_is_one_write(world: World) -> None:
    world.admin.put("/v1/policies/Lobby", {})

    assert Cost(reads=1, writes=1) == world.cost_of(lambda: world.admin.put("/v1/policies/Lobby", {}))
