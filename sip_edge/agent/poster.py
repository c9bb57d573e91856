"""Delivers the outbox to the functions, in order, and collects the commands that come back with every receipt.

News goes at once, and takes along whatever waits before it. A report that tells nothing new waits a few seconds for others, or
until a batch is full: requests are what an edge costs the functions.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from chalicelib.contracts.edge import BatchReceipt, EdgeCommand, EdgeEvent, EventBatch
from sip_edge.agent.core.delivery import Delivery, Pace, gives_up, note_accepted, note_away, note_refused, pause_seconds
from sip_edge.agent.functions import Functions, FunctionsAway, RequestRefused
from sip_edge.agent.known_bindings import KnownBindings
from sip_edge.agent.log import log_event
from sip_edge.agent.outbox import Outbox


class Poster:
    """One batch at a time. Without events an empty batch goes with every heartbeat of `pace`."""

    def __init__(
        self,
        bindings: KnownBindings,
        functions: Functions,
        outbox: Outbox,
        *,
        on_command: Callable[[EdgeCommand], None],
        pace: Pace,
    ) -> None:
        self._bindings = bindings
        self._functions = functions
        self._outbox = outbox
        self._on_command = on_command
        self._pace = pace
        self._wake = asyncio.Event()
        self._due = 0.0  # when the next batch goes, on the monotonic clock; in the past: at once
        self._delivery = Delivery()

    def wake(self, *, news: bool) -> None:
        """There is something in the outbox; without `news` it may wait for more."""
        full = len(self._outbox) >= self._delivery.batch_limit
        self._due = 0.0 if news or full else min(self._due, time.monotonic() + self._pace.linger_seconds)
        self._wake.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        while True:
            events = self._outbox.oldest(self._delivery.batch_limit)
            all_taken = len(events) == len(self._outbox)
            self._due = time.monotonic() + self._pace.heartbeat_seconds if all_taken else 0.0
            await self._deliver(self._bindings.batch_of(events, datetime.now(UTC) if all_taken else events[-1].at))
            if self._delivery.failures:
                await asyncio.sleep(pause_seconds(self._delivery.failures - 1, jitter=random.random()))  # noqa: S311 - no secret
            else:
                await self._rest()

    async def _rest(self) -> None:
        """Until the next batch is due."""
        while (seconds := self._due - time.monotonic()) > 0:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _deliver(self, batch: EventBatch) -> None:
        try:
            receipt = await self._functions.post_events(batch)
        except FunctionsAway as problem:
            self._fail(note_away(self._delivery), str(problem))
        except RequestRefused as problem:
            self._refuse(batch.events, str(problem))
        else:
            self._accept(batch.events, receipt)

    def _accept(self, events: Sequence[EdgeEvent], receipt: BatchReceipt) -> None:
        dropped = self._outbox.drop(receipt.accepted)
        if dropped < len(events):
            self._due = 0.0
        if events and not dropped:
            self._fail(note_away(self._delivery), "none of the batch was accepted")
        else:
            if self._delivery.failures:
                log_event("functions_back", waiting=len(self._outbox))
            self._delivery = note_accepted(self._delivery)
        for command in receipt.commands:
            self._on_command(command)

    def _refuse(self, events: Sequence[EdgeEvent], problem: str) -> None:
        if gives_up(len(events)):
            self._outbox.drop([events[0].id])
            log_event("event_given_up", id=events[0].id, type=events[0].type.value, problem=problem)
            self._bindings.lose_event(datetime.now(UTC))
            self._delivery = note_accepted(self._delivery)
        else:
            self._fail(note_refused(self._delivery, len(events)), problem)

    def _fail(self, delivery: Delivery, problem: str) -> None:
        if not self._delivery.failures:
            log_event("functions_away", problem=problem, waiting=len(self._outbox))
        self._delivery = delivery
