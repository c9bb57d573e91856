"""Errors as the caller sees them: RFC 9457 documents with stable codes, one table of statuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain.errors import CallerFault, GatewayError, NotNow, OurFault, StoreAway
from chalicelib.handlers.problems import STATUSES, problem_of, status_of
from tests.gateway import MAC, World, serving


def every_error(kind: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """All error classes that are loaded, the root first."""
    yield kind
    for below in kind.__subclasses__():
        yield from every_error(below)


ERRORS = sorted({kind for kind in every_error() if kind.__module__.startswith("chalicelib.")}, key=lambda kind: kind.__name__)
LEAVES = [
    kind
    for kind in ERRORS
    if kind.__module__ == "chalicelib.domain.errors" and not kind.__subclasses__() and kind is not OurFault
]


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind not in {CallerFault, NotNow}], ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_of_its_own_or_of_its_parent(kind: type[GatewayError]) -> None:
    below_root = [
        parent for parent in kind.__mro__ if parent in STATUSES and (parent is not GatewayError or kind is GatewayError)
    ]

    assert below_root != []


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_the_status_says_whose_fault_it_is(kind: type[GatewayError]) -> None:
    status = status_of(kind())
    later = {409, 429, 503}

    assert status in later if issubclass(kind, NotNow) else (400 <= status < 500) is issubclass(kind, CallerFault)


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_and_a_title_of_its_own(kind: type[GatewayError]) -> None:
    others = [other for other in LEAVES if other is not kind]

    assert kind.code not in {other.code for other in others} | {GatewayError.code}
    assert kind.title not in {other.title for other in others} | {GatewayError.title}


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_a_code_is_snake_case(kind: type[GatewayError]) -> None:
    assert kind.code.replace("_", "").isalpha()
    assert kind.code.islower()


def test_a_problem_document_has_its_fixed_fields() -> None:
    expected = {
        "type": "urn:sip-gateway:error:store_away",
        "title": "The gateway's database does not answer",
        "status": 503,
        "detail": "The gateway's database does not answer",
        "code": "store_away",
        "request_id": "request-1",
    }

    assert expected == problem_of(StoreAway(), "request-1")


@pytest.mark.parametrize("path", ["/v1/nope", "/v1/devices/805ec0123456/nope"])
def test_a_path_of_the_api_that_does_not_exist_is_a_problem_too(world: World, path: str) -> None:
    assert (404, "not_found", True, None) == check(world.admin.get(path))


# --- input -------------------------------------------------------------------------------------------------------------


def check(answer: Any, pointer: str | None = None) -> tuple[int, str, bool, object]:
    document = answer.json
    told = document["errors"][0]["pointer"] if pointer is not None else None
    complete = {"type", "title", "status", "detail", "code", "request_id"} <= set(document)
    return answer.status, document["code"], complete and answer.headers["content-type"] == "application/problem+json", told


@pytest.mark.parametrize(
    "body", ["{", "nonsense", '{"mac": }', "[" * 100_000, b"\xff\xfe", "{'mac': 1}"], ids=lambda b: str(b)[:12]
)
def test_what_is_no_json_is_a_bad_request(world: World, body: str | bytes) -> None:
    assert (400, "bad_request", True, "") == check(world.admin.post("/v1/devices", body), "")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"mac": MAC, "loction": "x"}, "/loction"),
        ({}, "/mac"),
        ({"mac": 1}, "/mac"),
        ({"mac": "xyz"}, "/mac"),
        ({"mac": MAC + "00"}, "/mac"),
        ({"mac": MAC, "location": None}, "/location"),
        ({"mac": MAC, "location": "x" * 129}, "/location"),
        ({"mac": MAC, "location": "two\nlines"}, "/location"),
        ([], ""),
        ("text", ""),
        (7, ""),
    ],
)
def test_a_wrong_field_is_named(world: World, body: object, pointer: str) -> None:
    answer = world.admin.post("/v1/devices", json.dumps(body))

    assert (400, "bad_request", True, pointer) == check(answer, pointer)


def test_every_wrong_field_is_named_at_once(world: World) -> None:
    settings = {"time_zone": "Mars/Phobos", "trusted_networks": ["10.0.0.0/8", "x"], "emergency": {"numbers": ["112", "+49"]}}
    answer = world.admin.patch("/v1/tenant", settings)

    assert {"/time_zone", "/trusted_networks/1", "/emergency/numbers/1"} == {item["pointer"] for item in answer.json["errors"]}


@pytest.mark.parametrize("zone", ["", "../../etc/passwd", "/etc/passwd", "Europe", "x" * 300, "Europe/Berlin\x00"])
def test_a_zone_that_does_not_exist_is_a_bad_request(world: World, zone: str) -> None:
    assert 400 == world.admin.patch("/v1/tenant", {"time_zone": zone}).status


@pytest.mark.parametrize("mac", ["x", "805ec012345", "805ec01234567", "80-5e-c0-12-34-5g", "%00", "x" * 10_240])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_malformed_mac_in_the_path_is_a_bad_request(world: World, method: str, mac: str) -> None:
    assert (400, "bad_request", True, "/mac") == check(world.admin.request(method, f"/v1/devices/{mac}"), "/mac")


@pytest.mark.parametrize(
    "spelling", ["80:5E:C0:12:34:56", "80-5e-c0-12-34-56", "805e.c012.3456", "805EC0123456", "80 5e c0 12 34 56"]
)
def test_a_mac_in_any_usual_spelling_is_understood(world: World, spelling: str) -> None:
    world.admin.post("/v1/devices", {"mac": spelling})

    assert MAC == world.device(spelling.replace(" ", "%20"))["mac"]


@pytest.mark.parametrize("number", ["123", "089123401", "+0123456", "+49 89 x", "+" + "1" * 16, "tel:+4989123401"])
def test_a_number_must_be_e164(world: World, number: str) -> None:
    answer = world.admin.put("/v1/users/eve@example.com", {"number": number})

    assert (400, "bad_request", True, "/number") == check(answer, "/number")


@pytest.mark.parametrize(
    "upn", ["eve", "@example.com", "eve@", "e e@example.com", "eve@-x", "eve@example.com@x", 'a"b@example.com']
)
def test_a_user_name_must_be_one(world: World, upn: str) -> None:
    assert 400 == world.admin.put(f"/v1/users/{quote(upn, safe='')}", {}).status


def test_a_user_name_is_kept_in_lower_case(world: World) -> None:
    assert "eve@example.com" == world.admin.put("/v1/users/Eve@Example.COM", {"number": "+49 (89) 123-405"}).json["upn"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/devices?colour=red",
        "/v1/devices?limit=10&State=x",
        f"/v1/devices/{MAC}/events?type=x",
        "/v1/policies?q=x",
        "/v1/users?name=x",
    ],
)
def test_a_query_parameter_that_does_not_exist_is_a_bad_request(world: World, path: str) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert (400, "bad_request") == ((answer := world.admin.get(path)).status, answer.json["code"])


@pytest.mark.parametrize("path", ["/v1/devices", "/v1/policies", "/v1/users", f"/v1/devices/{MAC}/events"])
@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "1.5", "9" * 30, "%D9%A1", "+5"])
def test_a_limit_is_a_number_from_1_to_200(world: World, path: str, limit: str) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert (400, "bad_request", True, "/limit") == check(world.admin.get(f"{path}?limit={limit}"), "/limit")


@pytest.mark.parametrize("path", ["/v1/devices", "/v1/policies", "/v1/users", f"/v1/devices/{MAC}/events"])
@pytest.mark.parametrize("cursor", ["x", "é", "AAAA====", "x" * 5000, "%00"])
def test_a_cursor_that_was_never_given_is_a_bad_request(world: World, path: str, cursor: str) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert (400, "bad_request", True, "/cursor") == check(world.admin.get(f"{path}?cursor={cursor}"), "/cursor")


def test_a_body_over_one_mebibyte_is_too_large(world: World) -> None:
    answer = world.admin.post("/v1/devices", " " * 1024 * 1024 + "{}")

    assert (413, "payload_too_large") == (answer.status, answer.json["code"])


def test_half_a_letter_is_a_bad_request(world: World) -> None:
    assert 400 == world.admin.put("/v1/users/eve@example.com", '{"display_name": "\\ud83d"}').status


# --- not the caller's fault --------------------------------------------------------------------------------------------


class AwayStore:
    """A Store that does not answer, or that fails in a way that nobody foresaw."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_args: object, **_more: object) -> None:
            raise self._error

        return fail


@pytest.fixture(params=["away", "broken"])
def failing(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    error = StoreAway() if request.param == "away" else RuntimeError("a secret of ours")
    with serving(world, AwayStore(error)):
        yield world


def test_an_api_caller_is_told_whether_to_try_again(failing: World, request: pytest.FixtureRequest) -> None:
    answer = failing.admin.get("/v1/devices")
    expected = (503, "5") if "away" in request.node.name else (500, None)

    assert expected == (answer.status, answer.headers.get("retry-after"))
    assert "secret" not in answer.text


def test_an_edge_is_told_whether_to_try_again(failing: World) -> None:
    assert {500, 503} >= {failing.edge.post("events", {"edge_id": "edge-1"}).status, failing.edge.credentials("x.1").status}


def test_a_person_gets_a_page(failing: World) -> None:
    browser = failing.browser()
    browser.cookies["__Host-session"] = "x"
    answer = browser.open()

    assert (True, True, False) == (answer.status >= 500, "<h1>" in answer.text, "secret" in answer.text)


def test_a_phone_gets_no_answer_that_it_could_take_for_its_configuration(failing: World) -> None:
    phone = failing.phone()
    phone.base = f"/d/{'A' * 43}/"

    assert (True, False) == (phone.fetch().status >= 500, "secret" in phone.fetch().text)


def test_no_token_is_logged_when_the_store_is_away(
    failing: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    phone, token = failing.phone(), "SecretToken" * 4
    phone.base = f"/d/{token}/"
    phone.fetch()
    phone.screen("sign-in")
    failing.admin.get("/v1/devices")
    failing.edge.credentials("x.1")
    captured = capsys.readouterr()
    logged = caplog.text + captured.out + captured.err

    assert [] == [word for word in (token, failing.admin.token, failing.edge.credential) if word in logged]
