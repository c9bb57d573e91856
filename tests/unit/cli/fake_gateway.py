"""A gateway and a sign-in service in one small HTTP server, shaped by the contract. It answers what a test lays out."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Laid:
    """An answer as it goes out."""

    status: int
    body: bytes
    content_type: str


@dataclass
class FakeGateway:
    """Answers by method and path; several answers for one path come one after the other, the last one stays."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    laid: dict[tuple[str, str], list[Laid]] = field(default_factory=dict)

    def lay(self, request: str, body: Any = None, *, status: int = 200, content_type: str = "application/json") -> None:
        """Lays out the next answer to `GET /path`. Bytes go out as they are, anything else as JSON."""
        method, path = request.split(" ")
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.laid.setdefault((method, path), []).append(Laid(status, content, content_type))

    def refuse(self, request: str, status: int, **members: Any) -> None:
        """Lays out a problem document (RFC 9457)."""
        problem = {"type": "about:blank", "status": status, "request_id": "r-1", **members}
        self.lay(request, problem, status=status, content_type="application/problem+json")

    def take(self, request: Seen) -> Laid:
        self.seen.append(request)
        answers = self.laid.get((request.method, request.path))
        if not answers:
            return Laid(404, b'{"title": "Not found", "status": 404, "code": "not_found"}', "application/problem+json")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[FakeGateway]:
    """The gateway on a free loopback port until the block ends."""
    gateway = FakeGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            laid = gateway.take(Seen(self.command, parts.path, query, dict(self.headers), body))
            self.send_response(laid.status)
            self.send_header("Content-Type", laid.content_type)
            self.send_header("Content-Length", str(len(laid.body)))
            self.end_headers()
            self.wfile.write(laid.body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - names of http.server

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    gateway.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
