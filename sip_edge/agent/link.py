"""The link to Kamailio: a client of its evapi port that comes back when Kamailio does. Carries frames, decides nothing."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Sequence

from sip_edge.agent.core.delivery import pause_seconds
from sip_edge.agent.core.messages import (
    MAX_MESSAGE_BYTES,
    Fact,
    Hello,
    Message,
    UnreadableMessage,
    parse_message,
    render_message,
)
from sip_edge.agent.core.netstrings import BrokenFraming, render_netstring, split_netstrings
from sip_edge.agent.log import log_event

_LONGEST_PAUSE_SECONDS = 2.0
_READ_BYTES = 65536


class Link:
    """`on_facts` gets what arrived together, in order; `on_down` is called when the link is lost."""

    def __init__(self, address: str, *, on_facts: Callable[[Sequence[Fact]], None], on_down: Callable[[], None]) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._on_facts = on_facts
        self._on_down = on_down
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Links, reads until the link is lost, and again, until cancelled."""
        failures = 0
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                if failures == 0:
                    log_event("link_refused", port=self._port)
                await asyncio.sleep(pause_seconds(failures, jitter=random.random(), longest=_LONGEST_PAUSE_SECONDS))  # noqa: S311 - no secret
                failures += 1
                continue
            failures = 0
            await self._serve(reader, writer)
            await asyncio.sleep(pause_seconds(0, jitter=0))

    @property
    def is_up(self) -> bool:
        """Whether Kamailio is linked now."""
        return self._writer is not None

    def send(self, message: Message) -> None:
        """Sends to Kamailio. Without a link nobody there waits for it, so it is dropped."""
        frame = render_message(message)
        if len(frame) > MAX_MESSAGE_BYTES:
            log_event("message_too_long", bytes=len(frame))
        elif self._writer is not None:
            self._writer.write(render_netstring(frame))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        log_event("link_up", port=self._port)
        try:
            self.send(Hello())
            await self._read_all(reader, writer)
        except (OSError, BrokenFraming) as problem:
            log_event("link_broken", problem=type(problem).__name__)
        finally:
            self._writer = None
            writer.close()
            self._on_down()
            log_event("link_down")

    async def _read_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        waiting = b""
        while data := await reader.read(_READ_BYTES):
            # evapi has Nagle on: without an immediate ACK its next frame waits 40 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            split = split_netstrings(waiting + data)
            waiting = split.rest
            self._on_facts(_readable(split.frames))


def _readable(frames: Sequence[bytes]) -> list[Fact]:
    facts: list[Fact] = []
    for frame in frames:
        try:
            facts.append(parse_message(frame))
        except UnreadableMessage as problem:
            log_event("message_unreadable", problem=str(problem))
    return facts
