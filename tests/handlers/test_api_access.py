"""Who may call what of `/v1`: every route of the app, every role, and other tenants' things."""

from __future__ import annotations

import re

import pytest

import app  # noqa: F401 - registers the routes
from chalicelib import __version__
from chalicelib.handlers.api import ROUTES, Role
from tests.gateway import ANNA, MAC, OTHER_TENANT, World

ADMIN = {"admin"}
TECHNICIAN = {"admin", "technician"}
READER = {"admin", "technician", "reader"}
PUBLIC = {"GET /v1/compatible-devices", "GET /v1/openapi.json"}
ROLES = {
    "GET /v1/tenant": READER,
    "PATCH /v1/tenant": ADMIN,
    "GET /v1/devices": READER,
    "POST /v1/devices": TECHNICIAN,
    "POST /v1/devices/import": TECHNICIAN,
    "POST /v1/devices/otp": TECHNICIAN,
    "GET /v1/devices/{mac}": READER,
    "PATCH /v1/devices/{mac}": ADMIN,
    "DELETE /v1/devices/{mac}": ADMIN,
    "POST /v1/devices/{mac}/otp": TECHNICIAN,
    "POST /v1/devices/{mac}/sign-in": ADMIN,
    "POST /v1/devices/{mac}/sign-out": ADMIN,
    "POST /v1/devices/{mac}/restart": TECHNICIAN,
    "POST /v1/devices/{mac}/resync": TECHNICIAN,
    "GET /v1/devices/{mac}/events": READER,
    "GET /v1/devices/{mac}/files": READER,
    "GET /v1/devices/{mac}/uploads": READER,
    "GET /v1/devices/{mac}/uploads/{name}": READER,
    "GET /v1/devices/{mac}/report": READER,
    "GET /v1/commands/{id}": READER,
    "GET /v1/policies": READER,
    "POST /v1/policies/import": ADMIN,
    "GET /v1/policies/{name}": READER,
    "PUT /v1/policies/{name}": ADMIN,
    "DELETE /v1/policies/{name}": ADMIN,
    "GET /v1/users": READER,
    "GET /v1/users/{upn}": READER,
    "PUT /v1/users/{upn}": ADMIN,
    "GET /v1/users/{upn}/call-settings": READER,
    "PUT /v1/users/{upn}/call-settings": ADMIN,
    "GET /v1/users/{upn}/message-waiting": READER,
    "PUT /v1/users/{upn}/message-waiting": ADMIN,
    "POST /v1/sync": ADMIN,
    "POST /v1/sign-ins": ADMIN,
    "GET /v1/jobs": READER,
    "GET /v1/jobs/{id}": READER,
    "POST /v1/jobs/{id}/cancel": ADMIN,
    "GET /v1/audit": {"admin", "reader"},
    "GET /v1/network": READER,
}
VALUES = {"{mac}": MAC, "{id}": "nobody", "{name}": "Lobby", "{upn}": ANNA}


def path_of(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    return method, re.sub(r"\{\w+\}", lambda name: VALUES[name.group(0)], path)


def test_every_route_of_the_app_stands_in_the_table() -> None:
    assert set(ROLES) | PUBLIC == {f"{route.method} {route.path}" for route in ROUTES}


def test_the_table_says_what_the_routes_declare() -> None:
    names = {"admin": Role.ADMIN, "technician": Role.TECHNICIAN, "reader": Role.READER}

    assert {route: {names[role] for role in roles} for route, roles in ROLES.items()} == {
        f"{route.method} {route.path}": set(route.roles) for route in ROUTES if route.roles
    }


@pytest.mark.parametrize("route", ROLES)
@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer x"}]
)
def test_without_a_valid_token_nothing_is_told(world: World, route: str, header: dict[str, str]) -> None:
    answer = world.request(*path_of(route), headers=header)

    assert (401, "not_authenticated", "Bearer") == (answer.status, answer.json["code"], answer.headers["www-authenticate"])


@pytest.mark.parametrize("route", ROLES)
@pytest.mark.parametrize("role", ["admin", "technician", "reader", "nobody"])
def test_a_role_opens_its_routes_and_no_others(world: World, route: str, role: str) -> None:
    answer = world.api(role).request(*path_of(route))
    opened = not (answer.status == 403 and answer.json["code"] == "role_missing")

    assert (role in ROLES[route]) is opened


@pytest.mark.parametrize("route", [route for route in ROLES if "{mac}" in route])
def test_another_tenants_device_is_not_found(world: World, route: str) -> None:
    world.open_other_tenant()
    world.phone().enroll()
    answer = world.api(tenant=OTHER_TENANT).request(*path_of(route))

    assert (404, "not_found") == (answer.status, answer.json["code"])


@pytest.mark.parametrize("route", [route for route in ROLES if "{mac}" in route])
def test_another_tenants_device_answers_like_one_that_nobody_has(world: World, route: str) -> None:
    world.open_other_tenant()
    before = world.api(tenant=OTHER_TENANT).request(*path_of(route))
    world.phone().enroll()

    assert before == world.api(tenant=OTHER_TENANT).request(*path_of(route))


@pytest.mark.parametrize(
    "route",
    [
        *("GET /v1/commands/{id}", "GET /v1/jobs/{id}"),
        *("GET /v1/policies/{name}", "DELETE /v1/policies/{name}"),
        "GET /v1/users/{upn}",
    ],
)
def test_another_tenants_commands_jobs_policies_and_users_are_not_found(world: World, route: str) -> None:
    world.open_other_tenant()
    world.phone().enroll()
    made = world.admin.post("/v1/sync" if "jobs" in route else f"/v1/devices/{MAC}/restart").headers["location"]
    method, path = path_of(route)
    own = made if "{id}" in route else path
    answer = world.api(tenant=OTHER_TENANT).request(method, own)

    assert (404, "not_found", 200) == (answer.status, answer.json["code"], world.admin.get(own).status)


def test_a_change_to_a_name_that_another_tenant_has_makes_ones_own(world: World) -> None:
    world.open_other_tenant()
    before = [world.admin.get(path).json for path in ("/v1/policies/Lobby", f"/v1/users/{ANNA}")]
    other = world.api(tenant=OTHER_TENANT)
    made = [other.put("/v1/policies/Lobby", {}).status, other.put(f"/v1/users/{ANNA}", {"display_name": "Another"}).status]

    assert ([200, 200], before) == (made, [world.admin.get(path).json for path in ("/v1/policies/Lobby", f"/v1/users/{ANNA}")])


def test_the_audit_and_history_of_a_shared_mac_are_the_tenants_own(world: World) -> None:
    world.open_other_tenant()
    other = world.api(tenant=OTHER_TENANT)
    other.post("/v1/devices", {"mac": MAC})
    world.phone().enroll()
    told = other.get("/v1/audit").text + other.get(f"/v1/devices/{MAC}/events").text

    assert ("POST", False, False) == (other.get("/v1/audit").json["items"][0]["method"], "otp" in told, "enrolled" in told)


def test_lists_hold_the_tokens_tenant_alone(world: World) -> None:
    world.open_other_tenant()
    world.admin.post("/v1/devices", {"mac": MAC})
    other = world.api(tenant=OTHER_TENANT)

    assert [[], ["Global"], ["zoe@example.org"]] == [
        [item.get("mac") or item.get("upn") or item.get("name") for item in other.get(path).json["items"]]
        for path in ("/v1/devices", "/v1/policies", "/v1/users")
    ]


def test_a_tenant_that_this_region_does_not_serve_is_not_let_in(world: World) -> None:
    assert 401 == world.api(tenant="d0000000-0000-4000-8000-00000000ffff").get("/v1/devices").status


def test_two_tenants_may_claim_the_same_mac(world: World) -> None:
    statuses = [world.api(tenant=tenant).post("/v1/devices", {"mac": MAC}).status for tenant in (OTHER_TENANT, OTHER_TENANT)]

    assert ([201, 200], 201) == (statuses, world.admin.post("/v1/devices", {"mac": MAC}).status)


@pytest.mark.parametrize("route", sorted(PUBLIC))
def test_public_routes_need_no_token(world: World, route: str) -> None:
    assert 200 == world.request(*path_of(route)).status


def test_health_needs_no_token(world: World) -> None:
    assert {"status": "ok", "version": __version__} == world.request("GET", "/healthz").json
