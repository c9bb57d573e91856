"""The functions, for tests: an HTTPS server on loopback that keeps the contract and can be told to misbehave."""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chalicelib.contracts.codec import from_json, to_json
from chalicelib.contracts.edge import (
    CREDENTIALS_PATH,
    EVENTS_PATH,
    FEATURE_CODES_PATH,
    ROUTE_PATH,
    BatchReceipt,
    Credentials,
    CredentialsRequest,
    EdgeCommand,
    EdgeEvent,
    EventBatch,
    EventType,
    FeatureCodeRequest,
    FeatureCodeVerdict,
    Ha1,
    Route,
    RouteOutcome,
    RouteRequest,
)
from tests.sip.phone import REALM, Account, hash_of

EDGE_CREDENTIAL = "edge-credential-for-tests"


def credentials_for(
    account: Account, *, may_call: bool = False, language: str = "en", lasts: int = 3600, domain: str = REALM, **more: Any
) -> Credentials:
    """`more`: any other fields of Credentials."""
    text = f"{account.username}:{domain}:{account.password}"
    return Credentials(
        ha1=Ha1(hash_of("md5", text), hash_of("sha256", text)),
        aor=account.aor,
        may_call=may_call,
        expires_at=datetime.now(UTC) + timedelta(seconds=lasts),
        language=language,
        **{"tenant_id": None, "mac": "0015651a2b3c", "display_name": 'Jörg "|" Groß', **more},
    )


@dataclass
class Behaviour:
    """What the server knows and how it behaves. `away` drops every request without an answer."""

    credentials: dict[str, Credentials] = field(default_factory=dict)
    verdicts: dict[str, FeatureCodeVerdict] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)  # by what was dialled
    commands: list[EdgeCommand] = field(default_factory=list)
    away: bool = False
    status: int = 0
    delay_seconds: dict[str, float] = field(default_factory=dict)

    def fail(self, *, delay_seconds: float = 0.0, status: int = 0, away: bool = False) -> None:
        """Every request from now on; without arguments none any more."""
        self.delay_seconds = dict.fromkeys((CREDENTIALS_PATH, EVENTS_PATH, FEATURE_CODES_PATH, ROUTE_PATH), delay_seconds)
        self.status = status
        self.away = away


class FunctionsServer:
    """Runs in a thread from construction until `close`. Events are kept once each, in the order of arrival."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.behaviour = Behaviour()
        self.events: list[EdgeEvent] = []
        self.delivered_again = 0
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(_Handler):
            functions = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self.behaviour.away = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, account: Account, **more: Any) -> Account:
        self.behaviour.credentials[account.username] = credentials_for(account, **more)
        return account

    def events_of(self, username: str, kind: EventType | None = None) -> list[EdgeEvent]:
        return [event for event in self.events if event.username == username and kind in {None, event.type}]

    def asked(self, path: str, **body: str) -> int:
        """How often this was asked."""
        return sum(1 for asked, sent in list(self.requests) if asked == path and body.items() <= sent.items())

    def answer(self, path: str, data: dict[str, Any]) -> tuple[int, object]:
        with self._lock:
            self.requests.append((path, data))
        time.sleep(self.behaviour.delay_seconds.get(path, 0))
        if self.behaviour.status:
            return self.behaviour.status, {"code": "told_so"}
        if path == CREDENTIALS_PATH:
            found = self.behaviour.credentials.get(from_json(CredentialsRequest, data).username)
            return (200, found) if found else (404, {"code": "unknown_username"})
        if path == FEATURE_CODES_PATH:
            unknown = FeatureCodeVerdict("wrong_otp", 403, "Wrong or expired password")
            return 200, self.behaviour.verdicts.get(from_json(FeatureCodeRequest, data).dialled, unknown)
        if path == ROUTE_PATH:
            return 200, self.behaviour.routes.get(from_json(RouteRequest, data).to, Route(RouteOutcome.NOT_FOUND))
        return (200, self._store(from_json(EventBatch, data))) if path == EVENTS_PATH else (404, {})

    def _store(self, batch: EventBatch) -> BatchReceipt:
        with self._lock:
            known = {event.id for event in self.events}
            self.delivered_again += sum(event.id in known for event in batch.events)
            self.events += [event for event in batch.events if event.id not in known]
            commands, self.behaviour.commands = tuple(self.behaviour.commands), []
        return BatchReceipt(tuple(event.id for event in batch.events), commands)


class _Handler(BaseHTTPRequestHandler):
    functions: FunctionsServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: the second would wait for the first one's late ACK

    def do_POST(self) -> None:
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        behaviour = self.functions.behaviour
        if behaviour.away:
            self.close_connection = True
            return
        if self.headers["Authorization"] == f"Bearer {EDGE_CREDENTIAL}":
            status, answer = self.functions.answer(self.path, data)
        else:
            status, answer = 401, {"code": "wrong_credential"}
        body = json.dumps(to_json(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the agent was killed or gave up; that is what some tests are about
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
