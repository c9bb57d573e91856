"""The double of Microsoft Graph over HTTP: tokens, single requests, `$batch`, and faults on demand.

Development only: it listens on loopback.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt import PyJWKSet

from local.graph.queries import Answerer, GraphError, Question
from local.graph.tenants import Account, GraphTenants
from local.http_server import LocalServer
from local.identity_provider.accounts import DEVELOPMENT_TENANT

AUDIENCE = "https://graph.microsoft.com"
MOST_IN_A_BATCH = 20
VERSION = "/v1.0"
_MAX_BODY_BYTES = 1_000_000
_ACCOUNT_FIELDS = [item.name for item in fields(Account) if item.name != "upn"]


@dataclass(frozen=True)
class Fault:
    """What happens to one request, or where `inside` to one part of a batch. `status` 0: cut off; `text` replaces the body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    seconds: float = 0
    inside: bool = False


def throttled(retry_after: str | None = "1", *, inside: bool = False) -> Fault:
    """429, as Graph throttles; some of its services name no time."""
    return Fault(429, {"Retry-After": retry_after} if retry_after is not None else {}, inside=inside)


EXPIRED_TOKEN = Fault(401)
CUT = Fault(0)


@dataclass
class Faults:
    """Faults that wait for the next requests, in order; and `throttle_from`: from this request on, every one is throttled."""

    waiting: deque[Fault] = field(default_factory=deque)
    throttle_from: int | None = None
    retry_after: str = "1"
    requests: int = 0

    def then(self, *faults: Fault) -> None:
        self.waiting.extend(faults)

    def next_of(self, *, inside: bool) -> Fault | None:
        """The fault of this request or part, if any."""
        if not inside:
            self.requests += 1
            if self.throttle_from is not None and self.requests >= self.throttle_from:
                return throttled(self.retry_after)
        if self.waiting and self.waiting[0].inside is inside:
            return self.waiting.popleft()
        return None


class GraphServer(LocalServer):
    """`key_set` gives the identity provider's public keys."""

    def __init__(self, address: tuple[str, int], tenants: GraphTenants, key_set: Callable[[], dict[str, Any]]) -> None:
        self.tenants = tenants
        self.answerer = Answerer(tenants)
        self.faults = Faults()
        self.key_set = key_set
        self.lock = threading.Lock()
        super().__init__(address, _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: GraphServer
    protocol_version = "HTTP/1.1"
    server_version = "development-graph"
    sys_version = ""
    timeout = 30
    wbufsize = -1  # head and body in one segment
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/healthz":
            self._send(200, {"status": "ok"})
            return
        self._serve(None)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send(413, GraphError(413, "RequestEntityTooLarge", "The body is too large.").body)
            return
        content = self.rfile.read(int(length))
        try:
            body = json.loads(content or b"{}")
        except ValueError:
            self._send(400, GraphError(400, "BadRequest", "Unable to read JSON request payload.").body)
            return
        if self.path == "/development/accounts":
            self._change_account(body)
        else:
            self._serve(body)

    def _change_account(self, body: Any) -> None:
        """`{"upn": …, "policy": …}` or `{"upn": …, "removed": true}`, as an administrator of the development tenant would."""
        try:
            changes = dict(body)
            upn, removed = str(changes.pop("upn")), changes.pop("removed", False)
            if "numbers" in changes:
                changes["numbers"] = tuple((str(number), str(category)) for number, category in changes["numbers"])
            known = self.server.tenants.accounts.get(DEVELOPMENT_TENANT, {})
            if removed:
                self.server.tenants.remove(DEVELOPMENT_TENANT, upn)
            else:
                self.server.tenants.put(DEVELOPMENT_TENANT, replace(known.get(upn.lower(), Account(upn)), **changes))
        except (TypeError, ValueError, KeyError) as problem:
            self._send(
                400, GraphError(400, "BadRequest", f"An account has upn, {', '.join(_ACCOUNT_FIELDS)}: {problem!r}").body
            )
            return
        self._send(200, {"upn": upn, "removed": bool(removed)})

    def _serve(self, body: Any) -> None:
        with self.server.lock:
            fault = self.server.faults.next_of(inside=False)
        if fault and self._suffer(fault):
            return
        try:
            self._send(*self._answer(body))
        except GraphError as error:
            self._send(error.status, error.body)

    def _suffer(self, fault: Fault) -> bool:
        """Whether the fault was the answer."""
        time.sleep(fault.seconds)
        if fault.status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return True
        if fault.text is not None:
            self._send(fault.status, fault.text.encode(), fault.headers)
            return True
        if fault.status >= 300:  # noqa: PLR2004 - all that is no success
            self._send(fault.status, _fault_body(fault), fault.headers)
            return True
        return False

    def _answer(self, body: Any) -> tuple[int, Any]:
        claims = self._claims()
        if not self.path.startswith(VERSION + "/"):
            raise GraphError(400, "BadRequest", "Invalid version.")
        path = self.path.removeprefix(VERSION)
        if path == "/$batch" and self.command == "POST":
            return 200, {"responses": self._answer_batch(claims, body)}
        return 200, self.server.answerer.answer(self._question(claims, self.command, path, body))

    def _claims(self) -> dict[str, Any]:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise jwt.InvalidTokenError("no bearer token")
            key = PyJWKSet.from_dict(self.server.key_set())[jwt.get_unverified_header(token)["kid"]]
            claims: dict[str, Any] = jwt.decode(token, key.key, algorithms=["RS256"], audience=AUDIENCE)
        except (jwt.PyJWTError, KeyError) as error:
            raise GraphError(401, "InvalidAuthenticationToken", "Access token validation failure.") from error
        return claims

    def _question(self, claims: Mapping[str, Any], method: str, path: str, body: Any) -> Question:
        permissions = frozenset(claims.get("roles", ()))
        return Question(method, path, str(claims["tid"]), permissions, self.server.url + VERSION, body)

    def _answer_batch(self, claims: Mapping[str, Any], body: Any) -> list[dict[str, Any]]:
        """The parts' answers, last first: Graph promises no order."""
        requests = body.get("requests") if isinstance(body, dict) else None
        if not isinstance(requests, list) or len(requests) > MOST_IN_A_BATCH:
            raise GraphError(
                400, "BadRequest", f"Number of batch request steps exceeds the maximum value of {MOST_IN_A_BATCH}."
            )
        if len({str(part.get("id")).lower() for part in requests}) < len(requests):
            raise GraphError(400, "BadRequest", "Request Id has to be unique in a batch.")
        return [self._answer_part(claims, part) for part in requests][::-1]

    def _answer_part(self, claims: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
        with self.server.lock:
            fault = self.server.faults.next_of(inside=True)
        if fault:
            body = fault.text if fault.text is not None else _fault_body(fault)
            return {"id": part["id"], "status": fault.status, "headers": dict(fault.headers), "body": body}
        path = "/" + str(part["url"]).lstrip("/")
        headers = {"Content-Type": "application/json"}
        try:
            body = self.server.answerer.answer(self._question(claims, part["method"], path, part.get("body")))
        except GraphError as error:
            return {"id": part["id"], "status": error.status, "headers": headers, "body": error.body}
        return {"id": part["id"], "status": 200, "headers": headers, "body": body}

    def _send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        fixed = {"Content-Type": "application/json", "Content-Length": str(len(content)), "request-id": "double"}
        for name, value in {**fixed, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, _: str, *__: Any) -> None:
        """Silent: a request line here carries people's names."""


def _fault_body(fault: Fault) -> dict[str, Any]:
    codes = {401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied", 429: "TooManyRequests"}
    return GraphError(fault.status, codes.get(fault.status, "ServiceError"), "A fault on demand.").body
