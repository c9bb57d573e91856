"""Delivers the outbox to the functions, in order, and collects the commands that come back with every receipt."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from chalicelib.contracts.edge import BatchReceipt, EdgeCommand, EdgeEvent, EventBatch
from sip_edge.agent.core.delivery import Delivery, gives_up, note_accepted, note_away, note_refused, pause_seconds
from sip_edge.agent.functions import Functions, FunctionsAway, RequestRefused
from sip_edge.agent.log import log_event
from sip_edge.agent.outbox import Outbox


class Poster:
    """One batch at a time. Without events an empty batch goes every `heartbeat_seconds`."""

    def __init__(
        self,
        edge_id: str,
        functions: Functions,
        outbox: Outbox,
        *,
        on_command: Callable[[EdgeCommand], None],
        heartbeat_seconds: int,
    ) -> None:
        self._edge_id = edge_id
        self._functions = functions
        self._outbox = outbox
        self._on_command = on_command
        self._heartbeat_seconds = heartbeat_seconds
        self._wake = asyncio.Event()
        self._delivery = Delivery()

    def wake(self) -> None:
        """There is something in the outbox."""
        self._wake.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        while True:
            self._wake.clear()
            events = self._outbox.oldest(self._delivery.batch_limit)
            await self._deliver(events)
            if self._delivery.failures:
                await asyncio.sleep(pause_seconds(self._delivery.failures - 1, jitter=random.random()))  # noqa: S311 - no secret
            elif not len(self._outbox):
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._heartbeat_seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _deliver(self, events: Sequence[EdgeEvent]) -> None:
        try:
            receipt = await self._functions.post_events(EventBatch(self._edge_id, tuple(events)))
        except FunctionsAway as problem:
            self._fail(note_away(self._delivery), str(problem))
        except RequestRefused as problem:
            self._refuse(events, str(problem))
        else:
            self._accept(events, receipt)

    def _accept(self, events: Sequence[EdgeEvent], receipt: BatchReceipt) -> None:
        dropped = self._outbox.drop(receipt.accepted)
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
            self._delivery = note_accepted(self._delivery)
        else:
            self._fail(note_refused(self._delivery, len(events)), problem)

    def _fail(self, delivery: Delivery, problem: str) -> None:
        if not self._delivery.failures:
            log_event("functions_away", problem=problem, waiting=len(self._outbox))
        self._delivery = delivery
