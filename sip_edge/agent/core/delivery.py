"""How events are delivered: how many at once, how long to wait after a failure, and what to give up when there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.contracts.edge import MAX_EVENTS_PER_BATCH, EventType

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


def pause_seconds(failures: int, *, jitter: float, longest: float = LONGEST_PAUSE_SECONDS) -> float:
    """How long to wait after so many failures in a row: doubles from 0.5 s to `longest`, halved at random.

    `jitter` is between 0 and 1; it spreads the edges so that they do not come back together.
    """
    full = min(longest, FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 16))
    return max(FIRST_PAUSE_SECONDS, full * (0.5 + jitter / 2))


@dataclass(frozen=True)
class Delivery:
    """`failures` in a row, and how many events go into the next batch."""

    failures: int = 0
    batch_limit: int = MAX_EVENTS_PER_BATCH


def note_accepted(delivery: Delivery) -> Delivery:
    """The batch is stored: no failure any more, and batches grow again."""
    return Delivery(failures=0, batch_limit=min(MAX_EVENTS_PER_BATCH, delivery.batch_limit * 2))


def note_away(delivery: Delivery) -> Delivery:
    """The functions could not be reached, or did not keep the batch."""
    return replace(delivery, failures=delivery.failures + 1)


def note_refused(delivery: Delivery, batch_size: int) -> Delivery:
    """The functions refused the batch as wrong (400, 413, 422): halve it, so that one bad event does not stop the rest."""
    return Delivery(failures=delivery.failures + 1, batch_limit=max(1, batch_size // 2))


def gives_up(batch_size: int) -> bool:
    """A single event that is refused as wrong will be refused for ever."""
    return batch_size == 1


@dataclass(frozen=True)
class Pace:
    """Seconds between two batches where nothing happens, and how long a report that tells nothing new may wait for others."""

    heartbeat_seconds: int
    linger_seconds: int


@dataclass(frozen=True)
class Stored:
    """What shedding needs to know of a waiting event."""

    sequence: int
    type: EventType
    username: str


def choose_shed(waiting: Sequence[Stored], count: int) -> tuple[int, ...]:
    """The sequences of `count` events to give up when the outbox is full; `waiting` is oldest first.

    First `registered` events that a later event of the same phone makes superfluous, then other `registered`, then the
    oldest of any kind.
    """
    latest = {event.username: event.sequence for event in waiting}
    superseded: list[int] = []
    refreshes: list[int] = []
    others: list[int] = []
    for event in waiting:
        if event.type is not EventType.REGISTERED:
            others.append(event.sequence)
        elif latest[event.username] != event.sequence:
            superseded.append(event.sequence)
        else:
            refreshes.append(event.sequence)
    return tuple((superseded + refreshes + others)[:count])
