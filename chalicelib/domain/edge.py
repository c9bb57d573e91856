"""What the functions remember of an edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.contracts.edge import EdgeCommand
from chalicelib.contracts.frozen import dataclass

NOTED_EVERY = timedelta(hours=1)
GONE_AFTER = timedelta(hours=24)  # without a batch; whatever is told to an edge expires by then as well
KEEP_EDGE = timedelta(days=40)  # longer than a device may be unseen: it says when the edge's phones were there last
WATCH_NOTED_EVERY = timedelta(minutes=1)
MOST_WATCHES = 6  # an agent's lives that are remembered


@dataclass(frozen=True)
class Watch:
    """A time in which the edge watched its bindings without a gap: one reported in it held to the last, or its end was told."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Edge:
    """One edge. Bindings reported before `started_at` are gone. `contact` is the SIP URI at which other edges reach it.

    `seen_at` is the time of a batch, give or take an hour; None for one that was last heard of by an older release. `watches`
    are the newest of its agent's, oldest first; the end of the last one is right to a minute.
    """

    edge_id: str
    started_at: datetime | None = None
    contact: str = ""
    seen_at: datetime | None = None
    watches: tuple[Watch, ...] = ()
    version: int = 0


def watched(edge: Edge, since: datetime, until: datetime) -> Edge:
    """The edge after it said that it watched from `since` until `until`; the same where that is hardly news, or out of date."""
    last = edge.watches[-1] if edge.watches else None
    if last is None or since > last.since:
        return replace(edge, watches=(*edge.watches, Watch(since, until))[-MOST_WATCHES:])
    if since < last.since or until - last.until < WATCH_NOTED_EVERY:
        return edge
    return replace(edge, watches=(*edge.watches[:-1], Watch(since, until)))


def is_gone(edge: Edge, now: datetime) -> bool:
    """Whether nothing was heard of it for a day, so that no command waits for it."""
    return edge.seen_at is None or now - edge.seen_at > GONE_AFTER + NOTED_EVERY


@dataclass(frozen=True)
class WaitingCommand:
    """A command that could not be handed to its edge; the edge collects it with its next batch of events.

    It lies here without its password, which is derived again where `challenged` says that the phone will ask for it.
    """

    edge_id: str
    id: str
    command: EdgeCommand
    expires_at: datetime
    challenged: bool = False
    version: int = 0
