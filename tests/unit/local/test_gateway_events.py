"""Routing and event shaping as API Gateway does them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.gateway_events import HttpRequest, LambdaContext, Match, Router, build_event, mask_path, read_answer

ROUTES = ["/", "/healthz", "/{p1}", "/{p1}/{p2}", "/v1/devices", "/v1/devices/{mac}", "/v1/devices/otp", "/deep/{rest+}"]
router = Router(ROUTES)


@pytest.mark.parametrize(
    ("path", "route", "parameters"),
    [
        ("/", "/", {}),
        ("/healthz", "/healthz", {}),
        ("/healthz/", "/healthz", {}),
        ("/y000000000028.cfg", "/{p1}", {"p1": "y000000000028.cfg"}),
        ("/lang_de/y.cfg", "/{p1}/{p2}", {"p1": "lang_de", "p2": "y.cfg"}),
        ("/v1/devices", "/v1/devices", {}),
        ("/v1/devices/otp", "/v1/devices/otp", {}),
        ("/v1/devices/805ec0123456", "/v1/devices/{mac}", {"mac": "805ec0123456"}),
        ("/v1/other", "/{p1}/{p2}", {"p1": "v1", "p2": "other"}),
        ("/deep/a/b%20c", "/deep/{rest+}", {"rest": "a/b c"}),
        ("/a%2Fb", "/{p1}", {"p1": "a/b"}),
        ("/SIP%20phones", "/{p1}", {"p1": "SIP phones"}),
        ("/100%2525", "/{p1}", {"p1": "100%25"}),
        ("/%7Bp1%7D", "/{p1}", {"p1": "{p1}"}),
        ("/{p1}", "/{p1}", {"p1": "{p1}"}),
    ],
)
def test_a_path_finds_its_route(path: str, route: str, parameters: dict[str, str]) -> None:
    assert Match(route, parameters) == router.find_route(path)


@pytest.mark.parametrize("path", ["//", "//a", "/a//b", "/a/b/c", "", "*", "a", "/v1/devices/a/b"])
def test_a_path_of_no_route_finds_none(path: str) -> None:
    assert router.find_route(path) is None


segments = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(segments)
def test_any_segment_comes_back_decoded_once(segment: str) -> None:
    match = Router(["/x/{name}"]).find_route("/x/" + quote(segment, safe=""))
    assert match is not None
    assert {"name": segment} == match.parameters


@given(st.text(max_size=200))
def test_no_path_breaks_the_router(path: str) -> None:
    match = router.find_route(path)
    assert match is None or match.route in ROUTES


@given(
    st.lists(st.sampled_from(["a", "b", "{x}"]), min_size=1, max_size=4),
    st.lists(st.sampled_from("ab"), min_size=1, max_size=4),
)
def test_a_literal_beats_a_variable(pattern: list[str], path: list[str]) -> None:
    literal, other = "/" + "/".join(path), "/" + "/".join(pattern)
    match = Router([other, literal]).find_route(literal)
    assert match is not None
    assert literal == match.route


def event_of(binary_types: tuple[str, ...] = (), **request: Any) -> dict[str, Any]:
    whole = HttpRequest(**{"method": "GET", "path": "/healthz", **request})
    match = router.find_route(whole.path)
    assert match is not None
    return build_event(whole, match, binary_types)


def test_headers_and_queries_come_single_and_multiple() -> None:
    event = event_of(query="a=1&a=2&b=&c=x%20y+z", headers=[("x-a", "1"), ("x-a", "2"), ("host", "h:1")])
    assert {"a": "2", "b": "", "c": "x y z"} == event["queryStringParameters"]
    assert {"a": ["1", "2"], "b": [""], "c": ["x y z"]} == event["multiValueQueryStringParameters"]
    assert {"x-a": "2", "host": "h:1"} == event["headers"]
    assert {"x-a": ["1", "2"], "host": ["h:1"]} == event["multiValueHeaders"]


def test_what_is_empty_is_null() -> None:
    event = event_of()
    names = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "body")
    assert dict.fromkeys(names) == {name: event[name] for name in names}


def test_the_request_context_tells_who_asked_for_what() -> None:
    context = event_of(headers=[("user-agent", "Yealink")], source_ip="10.1.2.3", id="r-1")["requestContext"]
    expected = {"identity": {"sourceIp": "10.1.2.3", "userAgent": "Yealink"}, "requestId": "r-1", "resourcePath": "/healthz"}
    assert expected == {name: context[name] for name in expected}


@pytest.mark.parametrize(
    ("content_type", "binary_types", "is_base64"),
    [
        ("application/json", (), False),
        ("application/json", ("application/octet-stream",), False),
        ("application/octet-stream", ("application/octet-stream",), True),
        ("Application/Octet-Stream; x=y", ("application/octet-stream",), True),
        ("image/png", ("image/*",), True),
        ("", ("application/json",), True),
        ("text/xml", ("*/*",), True),
    ],
)
def test_a_body_is_text_unless_its_type_is_binary(content_type: str, binary_types: tuple[str, ...], *, is_base64: bool) -> None:
    event = event_of(binary_types, method="POST", headers=[("content-type", content_type)], body="hällo".encode())
    expected = base64.b64encode("hällo".encode()).decode() if is_base64 else "hällo"
    assert (expected, is_base64) == (event["body"], event["isBase64Encoded"])


def test_a_body_that_is_no_text_arrives_whole_whatever_its_type() -> None:
    event = event_of(method="PUT", headers=[("content-type", "")], body=b"log\xff\x00")
    assert (base64.b64encode(b"log\xff\x00").decode(), True) == (event["body"], event["isBase64Encoded"])


@given(st.binary(max_size=100), st.text(max_size=30))
def test_every_event_is_json(body: bytes, query: str) -> None:
    json.dumps(event_of(body=body, query=query))


@given(st.binary(max_size=200))
def test_a_base64_answer_comes_out_as_its_bytes(content: bytes) -> None:
    encoded = base64.b64encode(content).decode()
    answer = read_answer({"statusCode": 200, "headers": {}, "body": encoded, "isBase64Encoded": True})
    assert content == answer.body


def test_an_answers_headers_are_joined_and_its_length_is_the_servers() -> None:
    answer = read_answer(
        {
            "statusCode": 201,
            "headers": {"Content-Length": "9", "X-A": 1},
            "multiValueHeaders": {"Set-Cookie": ["a", "b"]},
            "body": "ö",
        }
    )
    expected = (("X-A", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b"), ("Content-Type", "application/json"))
    assert (201, expected, "ö".encode()) == (answer.status, answer.headers, answer.body)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/d/SECRET/lang_de/y.cfg?code=1", "/d/…/lang_de/y.cfg"),
        ("/%64/SECRET", "/d/…"),
        ("/d%2FSECRET/x", "/d/…/x"),
        ("/lang_de/d/SECRET/x", "/lang_de/d/…/x"),
        ("/" + "x" * 43, "/…"),
        ("/healthz", "/healthz"),
        ("/a%0Ab%1b[31m", "/a?b?[31m"),
    ],
)
def test_a_logged_path_shows_no_token(path: str, shown: str) -> None:
    assert shown == mask_path(path)


@given(st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True), st.text(alphabet="abc/", max_size=300))
def test_no_token_is_ever_logged(token: str, rest: str) -> None:
    for path in (f"/d/{token}/{rest}", f"/{rest}/{token}"):
        shown = mask_path(path)
        assert token not in shown
        assert 201 >= len(shown)


def test_a_context_counts_down() -> None:
    context = LambdaContext("api", "r-1")
    assert 0 < context.get_remaining_time_in_millis() <= 29_000
    assert ("api", "r-1", 512) == (context.function_name, context.aws_request_id, context.memory_limit_in_mb)
    assert context.invoked_function_arn.endswith(":function:api")
