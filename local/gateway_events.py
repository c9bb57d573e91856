"""What API Gateway (REST, version 1) does between HTTP and a function, for the gateway on one machine: pure, no I/O.

Routes a path as API Gateway does (a literal segment beats a variable, a variable beats a greedy one), shapes the proxy event,
and turns the function's answer back into HTTP. It differs in one thing on purpose: an unknown path or method gets the plain
404 that the gateway response gives in the cloud, never API Gateway's own 403.

Source: AWS, "Lambda proxy integrations in API Gateway", input and output formats.
"""

from __future__ import annotations

import base64
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from chalicelib.handlers.answers import plain_404

MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's payload limit
FUNCTION_SECONDS = 29  # API Gateway's integration timeout
_ROUTE_HERE = ""  # key of a trie node's own route: no segment of a route is empty
_MASK = "…"
_LONGEST_PLAIN_SEGMENT = 40  # a GUID has 36 characters, a token 43 and more
_LONGEST_LOGGED_PATH = 200


@dataclass(frozen=True)
class HttpRequest:
    """One request as it came over the wire. `path` is still percent-encoded; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class HttpAnswer:
    """One answer as it goes over the wire, without the headers that belong to the connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def _json_answer(status: int, message: str) -> HttpAnswer:
    return HttpAnswer(status, (("Content-Type", "application/json"),), f'{{"message":"{message}"}}'.encode())


TOO_LARGE = _json_answer(413, "Request Too Long")
TOO_SLOW = _json_answer(408, "Request Timeout")
FUNCTION_FAILED = _json_answer(502, "Internal server error")


@dataclass(frozen=True)
class Match:
    """A route of the app and the decoded values of its variables."""

    route: str
    parameters: Mapping[str, str]


class Router:
    """The app's routes as a tree of segments."""

    def __init__(self, routes: Iterable[str]) -> None:
        self._root: dict[str, Any] = {}
        for route in routes:
            node = self._root
            for segment in _segments(route) or ():
                node = node.setdefault(segment, {})
            node[_ROUTE_HERE] = route

    def find_route(self, path: str) -> Match | None:
        """The route of a percent-encoded path. One slash at the end is forgiven; an empty segment matches nothing."""
        segments = _segments(path)
        return None if segments is None else _descend(self._root, segments, {})


def _segments(path: str) -> list[str] | None:
    """None where the path cannot belong to any route."""
    if not path.startswith("/"):
        return None
    segments = path[1:].split("/")
    if segments[-1] == "":
        segments.pop()
    return None if "" in segments else segments


def _descend(node: Mapping[str, Any], segments: list[str], parameters: dict[str, str]) -> Match | None:
    if not segments:
        return Match(node[_ROUTE_HERE], parameters) if _ROUTE_HERE in node else None
    head, tail = segments[0], segments[1:]
    if head in node and not _is_variable(head):
        found = _descend(node[head], tail, parameters)
        if found:
            return found
    variables = [name for name in node if _is_variable(name)]
    for name in (name for name in variables if not name.endswith("+}")):
        found = _descend(node[name], tail, {**parameters, name[1:-1]: unquote(head)})
        if found:
            return found
    for name in (name for name in variables if name.endswith("+}")):
        return Match(node[name][_ROUTE_HERE], {**parameters, name[1:-2]: unquote("/".join(segments))})
    return None


def _is_variable(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")


def build_event(request: HttpRequest, match: Match, binary_types: Iterable[str]) -> dict[str, Any]:
    """The event of a Lambda proxy integration."""
    headers, all_headers = _single_and_multiple(request.headers)
    query, all_query = _single_and_multiple(parse_qsl(request.query, keep_blank_values=True))
    body, is_base64 = _event_body(request.body, headers.get("content-type", ""), binary_types)
    path = unquote(request.path)
    return {
        "resource": match.route,
        "path": path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": all_headers,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": all_query or None,
        "pathParameters": dict(match.parameters) or None,
        "stageVariables": None,
        "requestContext": _request_context(request, match, headers),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _request_context(request: HttpRequest, match: Match, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": headers.get("host", ""),
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source_ip, "userAgent": headers.get("user-agent")},
        "path": unquote(request.path),
        "protocol": "HTTP/1.1",
        "requestId": request.id,
        "requestTimeEpoch": int(time.time() * 1000),
        "resourcePath": match.route,
        "stage": "api",
    }


def _single_and_multiple(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """API Gateway gives every list twice: the last value under each name, and all values."""
    multiple: dict[str, list[str]] = {}
    for name, value in pairs:
        multiple.setdefault(name, []).append(value)
    return {name: values[-1] for name, values in multiple.items()}, multiple


def _event_body(body: bytes, content_type: str, binary_types: Iterable[str]) -> tuple[str | None, bool]:
    if not body:
        return None, False
    if _is_binary(content_type, binary_types):
        return base64.b64encode(body).decode("ascii"), True
    try:
        return body.decode(), False
    except UnicodeDecodeError:  # a region takes every body for binary (infra/api.py), so none is lost on the way
        return base64.b64encode(body).decode("ascii"), True


def _is_binary(content_type: str, binary_types: Iterable[str]) -> bool:
    essence = content_type.partition(";")[0].strip().lower() or "application/json"
    family = essence.partition("/")[0] + "/*"
    return any(wanted.lower() in {essence, family, "*/*"} for wanted in binary_types)


def read_answer(answer: Mapping[str, Any]) -> HttpAnswer:
    """The function's answer as HTTP. Content-Length and Transfer-Encoding are the server's own business."""
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else _as_bytes(body)
    pairs = [(name, str(value)) for name, value in (answer.get("headers") or {}).items()]
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        pairs.extend((name, str(value)) for value in values)
    headers = tuple((name, value) for name, value in pairs if name.lower() not in {"content-length", "transfer-encoding"})
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", "application/json"))
    return HttpAnswer(int(answer["statusCode"]), headers, content)


def _as_bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()


# What the phone handlers answer, to the byte: a stranger cannot tell a route that exists from one that does not.
NOT_FOUND = read_answer(plain_404().to_dict())


def mask_path(path: str) -> str:
    """A path that may be logged: decoded, without its query, tokens replaced by `…`.

    The segment after `d` is a token (`/d/TOKEN/…`), and so may be any segment that is too long to be anything else.
    """
    segments = unquote(path.partition("?")[0]).split("/")
    masked = [
        _MASK if before == "d" or len(segment) > _LONGEST_PLAIN_SEGMENT else segment
        for before, segment in zip(["", *segments], segments, strict=False)
    ]
    shown = re.sub(r"[\x00-\x1f\x7f]", "?", "/".join(masked))
    return shown if len(shown) <= _LONGEST_LOGGED_PATH else shown[:_LONGEST_LOGGED_PATH] + _MASK


class LambdaContext:
    """What a function sees of the runtime around it."""

    function_version = "$LATEST"
    memory_limit_in_mb = 512

    def __init__(self, function_name: str, request_id: str) -> None:
        self.function_name = function_name
        self.invoked_function_arn = f"arn:aws:lambda:local:000000000000:function:{function_name}"
        self.aws_request_id = request_id
        self._ends_at = time.monotonic() + FUNCTION_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until API Gateway would give up."""
        return max(0, int((self._ends_at - time.monotonic()) * 1000))
