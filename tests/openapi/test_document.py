"""The API's document: whole, well formed, and the one that docs/openapi.json keeps."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from app import app
from chalicelib import __version__
from chalicelib.handlers.api import API_GATEWAY_METHODS, ROUTES, DeclaredRoute
from chalicelib.handlers.openapi import openapi_document, openapi_text
from tests.gateway import MAC, World

ROOT = Path(__file__).parents[2]
DOCUMENT = openapi_document(ROUTES)
OPERATIONS = {f"{route.method} {route.path}": DOCUMENT["paths"][route.path][route.method.lower()] for route in ROUTES}


def name(route: DeclaredRoute) -> str:
    return f"{route.method} {route.path}"


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(item)


def test_every_route_of_v1_is_declared_or_refused() -> None:
    declared = {(route.path, route.method) for route in ROUTES}
    registered = {(path, method) for path, methods in app.routes.items() if path.startswith("/v1/") for method in methods}
    refused = {(path, method) for path in {path for path, _ in declared} for method in API_GATEWAY_METHODS} - declared

    assert declared | refused == registered


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_every_route_declares_its_types(route: DeclaredRoute) -> None:
    """A route without a Contract has no answer here: give `api_route` its types."""
    assert route.contract.answers, f"{name(route)}: declare its answers, bodies, queries and problems"
    assert all(dataclasses.is_dataclass(kind) for kind in route.contract.queries)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method in {"PUT", "PATCH"}], ids=name)
def test_a_change_declares_its_body(route: DeclaredRoute) -> None:
    assert route.contract.bodies


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_described(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert {"200", "201", "202", "204"} & set(operation["responses"])
    assert {"400", "500"} <= set(operation["responses"])


def test_operations_have_names_of_their_own() -> None:
    assert len(OPERATIONS) == len({operation["operationId"] for operation in OPERATIONS.values()})


@pytest.mark.parametrize("label", OPERATIONS)
def test_variables_of_a_path_are_parameters(label: str) -> None:
    parameters = [item["name"] for item in OPERATIONS[label].get("parameters", ()) if item.get("in") == "path"]

    assert re.findall(r"\{(\w+)\}", label) == parameters


def test_every_reference_leads_somewhere() -> None:
    names = {item["$ref"] for item in objects(DOCUMENT) if "$ref" in item}
    found = {
        f"#/components/{kind}/{key}"
        for kind, parts in DOCUMENT["components"].items()
        for key in parts
        if kind != "securitySchemes"
    }

    assert (set(), set()) == (names - found, {item for item in found if "/schemas/" in item} - names)


@pytest.mark.parametrize("component", DOCUMENT["components"]["schemas"])
def test_a_component_is_a_json_schema_and_is_described(component: str) -> None:
    schema = DOCUMENT["components"]["schemas"][component]
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})

    assert len(schema["description"]) > 10


def test_examples_are_valid() -> None:
    with_examples = [item for item in objects(DOCUMENT["components"]["schemas"]) if "examples" in item and "type" in item]

    assert with_examples
    assert [] == [item for item in with_examples if not jsonschema_rs.is_valid(item, item["examples"][0])]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.roles], ids=name)
def test_roles_are_named(route: DeclaredRoute) -> None:
    assert sorted(route.roles) == OPERATIONS[name(route)]["x-roles"]


def test_what_needs_no_token_says_so() -> None:
    assert {"GET /v1/compatible-devices", "GET /v1/openapi.json"} == {
        label for label, operation in OPERATIONS.items() if operation.get("security") == []
    }


def test_every_post_takes_an_idempotency_key() -> None:
    key = {"$ref": "#/components/parameters/IdempotencyKey"}

    assert {label: label.startswith("POST ") for label in OPERATIONS} == {
        label: key in operation.get("parameters", ()) for label, operation in OPERATIONS.items()
    }


def test_what_may_be_null_has_two_types() -> None:
    properties = DOCUMENT["components"]["schemas"]["DeviceDetail"]["properties"]

    assert (["string", "null"], "date-time") == (properties["last_seen_at"]["type"], properties["last_seen_at"]["format"])


def test_a_body_has_no_fields_but_its_own_and_an_answer_may_grow() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    assert (False, True) == (
        schemas["DeviceChange"]["additionalProperties"],
        "additionalProperties" not in schemas["DeviceView"],
    )


def test_the_document_is_served_without_a_token(world: World) -> None:
    answer = world.request("GET", "/v1/openapi.json")

    assert (200, "application/json", "3.1.0", __version__) == (
        answer.status,
        answer.headers["content-type"],
        answer.json["openapi"],
        answer.json["info"]["version"],
    )


def test_docs_keep_this_document() -> None:
    kept = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")

    assert openapi_text() + "\n" == kept, "docs/openapi.json is stale: run python docs/generate.py"
    assert __version__ == json.loads(kept)["info"]["version"]


def test_the_version_is_the_projects() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# --- what a declaration brings with it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_a_method_that_a_path_lacks_is_refused_with_those_it_has(world: World, path: str) -> None:
    allowed = [method for method in API_GATEWAY_METHODS if f"{method} {path}" in OPERATIONS]
    refused = next(method for method in ("DELETE", "PUT", "PATCH") if method not in allowed)
    answer = world.request(refused, path.format(mac=MAC, id="x", name="x", upn="a@example.com"))

    assert (405, ", ".join(allowed), "method_not_allowed") == (answer.status, answer.headers["allow"], answer.json["code"])


@pytest.mark.parametrize("sent", ["application/xml", "multipart/form-data; boundary=x", "image/png"])
@pytest.mark.parametrize("path", ["/v1/devices", "/v1/devices/import", "/v1/sign-ins", "/v1/policies/import"])
def test_a_body_of_a_type_that_is_not_read_is_refused(world: World, path: str, sent: str) -> None:
    answer = world.admin.post(path, "x", Content_Type=sent)

    assert (415, "unsupported_media_type") == (answer.status, answer.json["code"])


@pytest.mark.parametrize("sent", ["application/json; charset=utf-8", "application/merge-patch+json", "text/plain", ""])
def test_json_is_read_as_clients_send_it(world: World, sent: str) -> None:
    assert 201 == world.admin.post("/v1/devices", {"mac": MAC}, Content_Type=sent).status


@pytest.mark.parametrize("path", [f"/v1/devices/{MAC}", "/v1/tenant", "/v1/compatible-devices"])
def test_a_query_parameter_of_no_use_is_refused_everywhere(world: World, path: str) -> None:
    assert 400 == world.admin.get(f"{path}?colour=red").status


@pytest.mark.parametrize("query", ["state=lost", "connection=maybe"])
def test_a_filter_that_can_match_nothing_is_refused(world: World, query: str) -> None:
    assert 400 == world.admin.get(f"/v1/devices?{query}").status
