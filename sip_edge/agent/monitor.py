"""Two pages over plain HTTP, for a scraper and a container's health check: /metrics and /healthz. Loopback or private only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from http import HTTPStatus

from sip_edge.agent.control import Control, KamailioRefused, KamailioSilent
from sip_edge.agent.core.exposition import STATISTICS_GROUPS, Family, Sample, families_of_statistics, render_families
from sip_edge.agent.log import log_event
from sip_edge.agent.settings import BadSetting

_LONGEST_HEAD_BYTES = 8192
_READ_SECONDS = 5.0


class Monitor:
    """`address` is ADDRESS:PORT, empty for no pages.

    `read_families` gives the agent's own measurements at every scrape, `read_problem` what it sees that keeps phones unserved.
    """

    def __init__(
        self, address: str, control: Control, *, read_problem: Callable[[], str], read_families: Callable[[], Iterable[Family]]
    ) -> None:
        self._address = address
        self._control = control
        self._read_problem = read_problem
        self._read_families = read_families

    async def run(self) -> None:
        """Serves until cancelled. Raises BadSetting where it cannot."""
        if not self._address:
            await asyncio.Event().wait()
        host, _, port = self._address.rpartition(":")
        try:
            server = await asyncio.start_server(self._serve, host.strip("[]"), int(port), limit=_LONGEST_HEAD_BYTES)
        except OSError as problem:
            raise BadSetting(f"EDGE_METRICS={self._address} cannot be served: {problem}") from None
        log_event("metrics_served", address=self._address)
        async with server:
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                status, kind, text = await self._page(head.split(b"\r\n", 1)[0].split())
            body = text.encode()
            writer.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                f"Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # the asker went away or sent no request
        finally:
            writer.close()

    async def _page(self, request: list[bytes]) -> tuple[HTTPStatus, str, str]:
        match request:
            case [b"GET", b"/metrics", *_]:
                return HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", await self._render_metrics()
            case [b"GET", b"/healthz", *_]:
                problem = await self._problem()
                state = {"status": "ok"} if not problem else {"status": "failing", "problem": problem}
                return (
                    HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK,
                    "application/json",
                    json.dumps(state) + "\n",
                )
        return HTTPStatus.NOT_FOUND, "text/plain", "There are /metrics and /healthz.\n"

    async def _problem(self) -> str:
        """What keeps this edge from serving phones; empty where nothing does. Functions that are away do not."""
        try:
            await self._control.ask("core.uptime")
        except (KamailioSilent, KamailioRefused):
            return "Kamailio does not answer"
        return self._read_problem()

    async def _render_metrics(self) -> str:
        try:
            kamailio = families_of_statistics(await self._control.ask("stats.fetchn", *STATISTICS_GROUPS))
        except (KamailioSilent, KamailioRefused):
            kamailio = []
        own = [
            Family("sip_edge_kamailio_up", "gauge", "1 while Kamailio answers.", (Sample(bool(kamailio)),)),
        ]
        return render_families([*own, *self._read_families(), *kamailio])
