"""The HTTP front of the gateway on one machine: API-Gateway-shaped events in front of the same Chalice app that Lambda runs.

One process serves HTTPS (phones, browsers, administrators) and plain HTTP (loopback only), and runs the app's schedules
and the parts of its jobs. It knows no route and no rule of the product. Started by the supervisor as `python -m local.front`.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import importlib
import json
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from chalice.app import Chalice
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from chalicelib.adapters.work.in_process import queue_of_process
from local.gateway_events import (
    FUNCTION_FAILED,
    MAX_BODY_BYTES,
    NOT_FOUND,
    TOO_LARGE,
    TOO_SLOW,
    HttpAnswer,
    HttpRequest,
    LambdaContext,
    Router,
    build_event,
    mask_path,
    read_answer,
)
from local.schedules import find_schedules, run_schedule
from local.work import find_consumers, start_workers

WORKER_THREADS = 8
BODY_SECONDS = 30  # a body that takes longer is a stuck or hostile client
HEAD_BYTES = 64 * 1024  # request line and headers; granian answers 431 or 414 above it
_NO_BODY = {204, 304}

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def log_event(name: str, *, level: str = "INFO", **fields: object) -> None:
    """One JSON line on standard output."""
    record = {"event": name, "level": level, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields}
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class _OneRequestPerThread(Chalice):
    """Lambda runs one request at a time and Chalice keeps it on the app; here every thread sees its own."""

    _here: threading.local

    @property
    def current_request(self) -> Any:
        return getattr(self._here, "current_request", None)

    @current_request.setter
    def current_request(self, value: Any) -> None:
        self._here.current_request = value

    @property
    def lambda_context(self) -> Any:
        return getattr(self._here, "lambda_context", None)

    @lambda_context.setter
    def lambda_context(self, value: Any) -> None:
        self._here.lambda_context = value


def make_thread_safe(app: Chalice) -> None:
    """Gives the app a class that keeps `current_request` and `lambda_context` per thread."""
    if not isinstance(app, _OneRequestPerThread):
        kept = app.__class__
        app.__class__ = type(kept.__name__, (_OneRequestPerThread, kept), {"_here": threading.local()})


class Front:
    """An ASGI application: reads a request whole, lets a worker thread call the app, answers, logs."""

    def __init__(self, app: Chalice, pool: ThreadPoolExecutor) -> None:
        make_thread_safe(app)
        self._app = app
        self._pool = pool
        self._router = Router(app.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        request = _read_head(scope)
        answer = await self._answer(request, receive)
        if answer is None:
            return  # the client went away
        await _send_answer(request.method, answer, send)
        log_event(
            "http_request",
            method=request.method,
            path=mask_path(request.path),
            status=answer.status,
            bytes=len(answer.body),
            ms=round((time.monotonic() - started) * 1000, 1),
            ip=request.source_ip,
            scheme=scope["scheme"],
            user_agent=dict(request.headers).get("user-agent", "")[:200],
            request_id=request.id,
        )

    async def _answer(self, head: HttpRequest, receive: Receive) -> HttpAnswer | None:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read_body(dict(head.headers), receive)
        except TimeoutError:
            return TOO_SLOW
        except _BodyTooLarge:
            return TOO_LARGE
        if body is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, functools.partial(self._call_app, head, body))

    def _call_app(self, head: HttpRequest, body: bytes) -> HttpAnswer:
        match = self._router.find_route(head.path)
        if match is None or head.method not in self._app.routes[match.route]:
            return NOT_FOUND
        request = HttpRequest(head.method, head.path, head.query, head.headers, body, head.source_ip, head.id)
        event = build_event(request, match, self._app.api.binary_types)
        try:
            return read_answer(self._app(event, LambdaContext("api", head.id)))
        except Exception as error:  # noqa: BLE001 - the outermost loop: whatever the app lets out is a 502, as in the cloud
            log_event("function_failed", level="ERROR", request_id=head.id, error=repr(error))
            return FUNCTION_FAILED


class _BodyTooLarge(Exception):
    """More than MAX_BODY_BYTES are coming."""


def _read_head(scope: Scope) -> HttpRequest:
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    path = scope["raw_path"].decode("utf-8", "replace")
    query = scope["query_string"].decode("utf-8", "replace")
    return HttpRequest(scope["method"], path, query, headers, source_ip=scope["client"][0])


async def _read_body(headers: Mapping[str, str], receive: Receive) -> bytes | None:
    """None: the client went away before the end. Raises _BodyTooLarge before reading what was announced as too large."""
    announced = headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        raise _BodyTooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _BodyTooLarge
        if not message.get("more_body"):
            return bytes(body)


async def _send_answer(method: str, answer: HttpAnswer, send: Send) -> None:
    headers = [
        (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in answer.headers
    ]
    body = b"" if answer.status in _NO_BODY else answer.body
    if answer.status not in _NO_BODY:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


@dataclass(frozen=True)
class FrontOptions:
    """Where to listen. HTTP is always on loopback alone."""

    app: str
    https_address: str
    https_port: int
    http_port: int
    certificate: Path
    key: Path
    schedule_seconds: float | None = None


def parse_options(arguments: Sequence[str]) -> FrontOptions:
    """The command line of `python -m local.front`."""
    parser = argparse.ArgumentParser(prog="python -m local.front", description=__doc__)
    parser.add_argument("--app", default="app:app", help="MODULE:NAME of the Chalice app")
    parser.add_argument("--https-address", default="127.0.0.1")
    parser.add_argument("--https-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--schedule-seconds", type=float, help="run every schedule at this interval instead of its own")
    return FrontOptions(**vars(parser.parse_args(arguments)))


def load_app(name: str) -> Chalice:
    """The Chalice app named `MODULE:NAME`."""
    module, _, attribute = name.partition(":")
    return cast("Chalice", getattr(importlib.import_module(module), attribute))


_server = functools.partial(
    Server,
    interface=Interfaces.ASGINL,
    websockets=False,
    http=HTTPModes.http1,
    http1_settings=HTTP1Settings(max_buffer_size=HEAD_BYTES),
    log_enabled=False,
)


def https_server(front: Front, options: FrontOptions) -> Server:
    """The server that phones, browsers and administrators reach."""
    return _server(
        front,
        address=options.https_address,
        port=options.https_port,
        ssl_cert=options.certificate,
        ssl_key=options.key,
        ssl_protocol_min=SSLProtocols.tls12,  # desk phones know 1.2 at best
    )


def http_server(front: Front, port: int) -> Server:
    """Plain HTTP, on loopback alone."""
    return _server(front, address="127.0.0.1", port=port)


def _stop(servers: Sequence[Server]) -> None:
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]  # granian has no types here


async def serve(options: FrontOptions) -> None:
    """Serves until SIGTERM or SIGINT."""
    app = load_app(options.app)
    pool = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="function")
    front = Front(app, pool)
    servers = (https_server(front, options), http_server(front, options.http_port))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, servers)
    schedules = [
        loop.create_task(run_schedule(schedule, pool, log_event)) for schedule in find_schedules(app, options.schedule_seconds)
    ]
    queue = queue_of_process()
    for name, function in find_consumers(app):
        start_workers(queue, name, function, log_event)
    log_event("front_started", https_port=options.https_port, http_port=options.http_port, schedules=len(schedules))
    await asyncio.gather(*(server.serve() for server in servers))
    queue.close()
    for task in schedules:
        task.cancel()
    pool.shutdown(wait=False, cancel_futures=True)
    log_event("front_stopped")


if __name__ == "__main__":
    cast("Any", sys.stdout).reconfigure(encoding="utf-8", errors="backslashreplace")
    asyncio.run(serve(parse_options(sys.argv[1:])))
