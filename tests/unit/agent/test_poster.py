"""When the poster delivers: news at once, reports that tell nothing new together. No clock is looked at: waits are endless."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.contracts.edge import MAX_EVENTS_PER_BATCH, BatchReceipt, EdgeEvent, EventBatch, EventType
from sip_edge.agent.core.delivery import Pace
from sip_edge.agent.functions import FunctionsAway, RequestRefused
from sip_edge.agent.known_bindings import KnownBindings
from sip_edge.agent.outbox import Outbox
from sip_edge.agent.poster import Poster

ENDLESS = Pace(heartbeat_seconds=100_000, linger_seconds=100_000)
NOON = datetime(2020, 11, 22, 12, tzinfo=UTC)  # long before the clock of any machine that runs this


class FakeFunctions:
    """Accepts at most `most` events of a batch; is away for the first `failures` batches with events, refuses `refused`.

    `watched` are the times for which each batch says that the edge watched.
    """

    def __init__(self, *, most: int = MAX_EVENTS_PER_BATCH, failures: int = 0, refused: str = "") -> None:
        self._most = most
        self._failures = failures
        self._refused = refused
        self.batches: asyncio.Queue[list[str]] = asyncio.Queue()
        self.watched: list[tuple[datetime | None, datetime | None]] = []

    async def post_events(self, batch: EventBatch) -> BatchReceipt:
        if batch.events and self._failures:
            self._failures -= 1
            raise FunctionsAway
        ids = [event.id for event in batch.events][: self._most]
        if self._refused in ids:
            raise RequestRefused(400)
        self.watched.append((batch.watched_since, batch.watched_until))
        self.batches.put_nowait(ids)
        return BatchReceipt(tuple(ids))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(str(tmp_path / "outbox.db"))
    yield outbox
    outbox.close()


def events(*names: str) -> list[EdgeEvent]:
    return [EdgeEvent(id=name, type=EventType.REGISTERED, at=NOON, username=name) for name in names]


def watching(since: datetime) -> KnownBindings:
    bindings = KnownBindings("edge-1")
    bindings.begin(since)
    return bindings


def names(count: int) -> list[str]:
    return [f"e{number:03}" for number in range(count)]


def run(
    outbox: Outbox,
    script: Callable[[Poster, FakeFunctions], Awaitable[None]],
    *,
    functions: FakeFunctions | None = None,
    bindings: KnownBindings | None = None,
    pace: Pace = ENDLESS,
) -> None:
    async def work() -> None:
        served = functions or FakeFunctions()
        poster = Poster(bindings or KnownBindings("edge-1"), served, outbox, on_command=lambda _: None, pace=pace)  # type: ignore[arg-type]
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            task = group.create_task(poster.run())
            await script(poster, served)
            task.cancel()

    asyncio.run(work())


async def idle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_what_waits_at_the_start_goes_at_once(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        assert ["e1", "e2"] == await functions.batches.get()

    outbox.add(events("e1", "e2"))
    run(outbox, script)


def test_a_report_without_news_waits_until_there_is_some_and_goes_before_it(outbox: Outbox) -> None:
    async def script(poster: Poster, functions: FakeFunctions) -> None:
        assert [] == await functions.batches.get()  # the first heartbeat
        for name in ("e1", "e2"):
            outbox.add(events(name))
            poster.wake(news=False)
            await idle()
        assert functions.batches.empty()
        outbox.add(events("e3"))
        poster.wake(news=True)
        assert ["e1", "e2", "e3"] == await functions.batches.get()

    run(outbox, script)


def test_reports_without_news_go_after_their_time(outbox: Outbox) -> None:
    async def script(poster: Poster, functions: FakeFunctions) -> None:
        assert [] == await functions.batches.get()
        outbox.add(events("e1"))
        poster.wake(news=False)
        assert ["e1"] == await functions.batches.get()

    run(outbox, script, pace=replace(ENDLESS, linger_seconds=0))


def test_a_full_batch_does_not_wait(outbox: Outbox) -> None:
    async def script(poster: Poster, functions: FakeFunctions) -> None:
        assert [] == await functions.batches.get()
        outbox.add(events(*names(MAX_EVENTS_PER_BATCH)))
        poster.wake(news=False)
        assert names(MAX_EVENTS_PER_BATCH) == await functions.batches.get()

    run(outbox, script)


def test_news_behind_a_full_batch_follows_at_once(outbox: Outbox) -> None:
    async def script(poster: Poster, functions: FakeFunctions) -> None:
        assert [] == await functions.batches.get()
        outbox.add(events(*names(MAX_EVENTS_PER_BATCH + 1)))
        poster.wake(news=True)
        assert names(MAX_EVENTS_PER_BATCH) == await functions.batches.get()
        assert names(MAX_EVENTS_PER_BATCH + 1)[-1:] == await functions.batches.get()

    run(outbox, script)


def test_what_was_not_accepted_is_posted_again_at_once(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        assert ["e1"] == await functions.batches.get()
        assert ["e2"] == await functions.batches.get()

    outbox.add(events("e1", "e2"))
    run(outbox, script, functions=FakeFunctions(most=1))


def test_news_that_met_a_failure_goes_as_soon_as_the_functions_are_back(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        assert ["e1"] == await functions.batches.get()

    outbox.add(events("e1"))
    run(outbox, script, functions=FakeFunctions(failures=1))


# --- what the functions may rely on ------------------------------------------------------------------------------------


def test_a_batch_with_all_that_waits_is_watched_until_now(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        await functions.batches.get()
        (watched,) = functions.watched

        assert NOON == watched[0]
        assert watched[1] is not None
        assert before <= watched[1] <= datetime.now(UTC)

    before = datetime.now(UTC)
    outbox.add(events("e1"))
    run(outbox, script, bindings=watching(NOON))


def test_a_batch_that_leaves_events_behind_is_watched_until_its_last_event(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        await functions.batches.get()

        assert (NOON, NOON) == functions.watched[0]

    outbox.add(events(*names(MAX_EVENTS_PER_BATCH + 1)))
    run(outbox, script, bindings=watching(NOON))


def test_a_batch_from_before_the_watch_says_nothing_of_it(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        await functions.batches.get()
        await functions.batches.get()

        assert [(None, None), NOON + timedelta(hours=1)] == [functions.watched[0], functions.watched[1][0]]

    outbox.add(events(*names(MAX_EVENTS_PER_BATCH + 1)))
    run(outbox, script, bindings=watching(NOON + timedelta(hours=1)))


def test_an_edge_that_does_not_watch_says_so(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        await functions.batches.get()

        assert [(None, None)] == functions.watched

    run(outbox, script)


def test_an_event_that_is_given_up_ends_the_watch_and_begins_another(outbox: Outbox) -> None:
    async def script(_: Poster, functions: FakeFunctions) -> None:
        assert ["e2"] == await functions.batches.get()
        since, _until = functions.watched[0]

        assert since is not None
        assert since > NOON

    outbox.add(events("e1", "e2"))
    run(outbox, script, functions=FakeFunctions(refused="e1"), bindings=watching(NOON))
