import socket
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway

MAC = "805ec0123456"


def test_a_refusal_shows_title_detail_each_error_and_request_id(gateway: FakeGateway, sipgw: Sipgw) -> None:
    errors = [{"field": "mac", "detail": "is no MAC", "code": "bad_mac"}, {"row": 3, "message": "twice"}, "plain words"]
    members = {"title": "Bad input", "detail": "Two fields are wrong", "code": "bad_input", "errors": errors}
    gateway.refuse("POST /v1/devices", 400, **members)
    outcome = sipgw("devices", "add", MAC)
    expected = [
        "sipgw: Bad input",
        "  Two fields are wrong",
        "  - mac: is no MAC",
        "  - 3: twice",
        "  - plain words",
        "  code: bad_input",
        "  request_id: r-1",
        "Correct the input and try again.",
    ]
    assert expected == outcome.stderr.splitlines()
    assert ("", 1) == (outcome.stdout, outcome.code)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "./sipgw login"),
        (403, "Gateway.Admin"),
        (404, "your tenant"),
        (405, "not offer"),
        (429, "Wait"),
        (503, "request_id"),
    ],
)
def test_a_refusal_says_what_to_do(gateway: FakeGateway, sipgw: Sipgw, status: int, words: str) -> None:
    gateway.refuse("GET /v1/tenant", status, title="No")
    outcome = sipgw("tenant", "show")
    assert outcome.code == 1
    assert words in outcome.stderr.splitlines()[-1]


def test_what_is_not_there_says_itself_what_to_do(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.refuse(
        "GET /v1/policies/x", 404, title="There is no such thing", detail="There is no policy 'x'. Import it.", code="c"
    )
    expected = ["sipgw: There is no such thing", "  There is no policy 'x'. Import it.", "  code: c", "  request_id: r-1"]

    assert expected == sipgw("policies", "show", "x").stderr.splitlines()


def test_a_device_that_was_never_seen_says_itself_what_to_do(gateway: FakeGateway, sipgw: Sipgw) -> None:
    path = "POST /v1/devices/805ec0123456/restart"
    gateway.refuse(path, 409, title="The device has not been seen yet", detail="Start it.", code="not_seen_yet")
    expected = ["sipgw: The device has not been seen yet", "  Start it.", "  code: not_seen_yet", "  request_id: r-1"]

    assert expected == sipgw("devices", "restart", "805ec0123456").stderr.splitlines()


def test_a_refusal_that_repeats_the_token_does_not_print_it(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.refuse("GET /v1/tenant", 401, title="Bad token", detail="Bearer aaa.bbb.ccc is bad")
    outcome = sipgw("tenant", "show")
    assert "aaa.bbb.ccc" not in outcome.stderr
    assert "Bearer *** is bad" in outcome.stderr


def test_no_gateway_says_how_to_start_one(sipgw: Sipgw) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        sipgw.environment |= {"SIPGW_URL": url, "SIPGW_IDP_URL": url, "SIPGW_TOKEN": None}
        outcome = sipgw("devices", "list")
    assert outcome.code == 1
    assert f"sipgw: No gateway answers at {url}." in outcome.stderr
    assert "Start one with `make run` or set SIPGW_URL." in outcome.stderr


JUNK = [
    b"<html>hello</html>",
    b"[1, 2]",
    b'"text"',
    b"null",
    b"\xff\xfe\x00",
    b"{",
    b"[" * 100_000,
    b'{"a": ' + b"9" * 5000 + b"}",
]
COMMANDS = [
    ["devices", "list"],
    ["devices", "show", MAC],
    ["devices", "add", MAC],
    ["devices", "otp", MAC],
    ["devices", "restart", MAC, "--wait"],
    ["devices", "sign-in", MAC],
    ["devices", "remove", MAC, "--yes"],
    ["devices", "history", MAC],
    ["policies", "list"],
    ["policies", "set", "p", "--common-area"],
    ["users", "list"],
    ["users", "assign", "u", "--number", "+4930"],
    ["tenant", "show"],
    ["tenant", "set", "--enabled"],
    ["sync", "--wait"],
    ["network"],
    ["compatible"],
    ["dhcp"],
]


def lay_everywhere(gateway: FakeGateway, body: bytes, status: int) -> None:
    places = ["devices", f"devices/{MAC}", "policies", "policies/p", "users", "users/u", "tenant", "sync", "network"]
    places += ["compatible-devices", *(f"devices/{MAC}/{verb}" for verb in ("otp", "restart", "sign-in", "events"))]
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for place in places:
            gateway.lay(f"{method} /v1/{place}", body, status=status)


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk[:12]))
def test_junk_is_told_and_never_a_traceback(gateway: FakeGateway, sipgw: Sipgw, junk: bytes, status: int) -> None:
    lay_everywhere(gateway, junk, status)
    for command in COMMANDS:
        outcome = sipgw(*command)
        assert (1, "") == (outcome.code, outcome.stdout), command
        assert outcome.stderr.startswith("sipgw: "), command


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"items": 7}',
        b'{"items": [1, null, ["x"]], "next_cursor": null, "state": {"a": 1}, "user": 3}',
        b'{"items": [], "next_cursor": 5, "id": ["x"], "state": "done", "errors": [null, 1], "emergency": 4}',
    ],
)
def test_objects_of_another_shape_are_never_a_traceback(gateway: FakeGateway, sipgw: Sipgw, body: bytes) -> None:
    for status in (200, 400):
        gateway.laid.clear()
        lay_everywhere(gateway, body, status)
        for command in COMMANDS:
            assert sipgw(*command).code in {0, 1}, command


def test_a_redirect_is_not_followed_with_the_token(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/tenant", b"", status=302)
    outcome = sipgw("tenant", "show")
    assert outcome.code == 1
    assert 1 == len(gateway.seen)


@pytest.mark.parametrize(
    "url", ["gateway", "http://gateway.example.org", "https://u:p@h.example.org", "https://h:x", "https://[::1"]
)
def test_an_unusable_url_is_a_usage_error(sipgw: Sipgw, url: str) -> None:
    sipgw.environment["SIPGW_URL"] = url
    outcome = sipgw("devices", "list")
    assert outcome.code == 2
    assert "SIPGW_URL" in outcome.stderr


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ünsafe"])
def test_an_unusable_token_is_a_usage_error_that_does_not_show_it(sipgw: Sipgw, token: str) -> None:
    sipgw.environment["SIPGW_TOKEN"] = token
    outcome = sipgw("devices", "list")
    assert outcome.code == 2
    assert "SIPGW_TOKEN" in outcome.stderr
    assert token not in outcome.stderr


def test_an_unknown_option_is_a_usage_error(sipgw: Sipgw) -> None:
    assert sipgw("devices", "list", "--colour").code == 2
    assert sipgw("fly").code == 2


def test_a_report_that_cannot_be_written_is_told(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}/report", b"PK")
    outcome = sipgw("devices", "report", MAC, "--out", str(tmp_path / "nowhere" / "r.zip"))
    assert outcome.code == 1
    assert "cannot be written" in outcome.stderr
