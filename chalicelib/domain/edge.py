"""What the functions remember of an edge."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.contracts.edge import EdgeCommand
from chalicelib.contracts.frozen import dataclass

NOTED_EVERY = timedelta(hours=1)
GONE_AFTER = timedelta(hours=24)  # without a batch; whatever is told to an edge expires by then as well
KEEP_EDGE = timedelta(days=30)


@dataclass(frozen=True)
class Edge:
    """One edge. Bindings reported before `started_at` are gone. `contact` is the SIP URI at which other edges reach it.

    `seen_at` is the time of a batch, give or take an hour; None for one that was last heard of by an older release.
    """

    edge_id: str
    started_at: datetime | None = None
    contact: str = ""
    seen_at: datetime | None = None
    version: int = 0


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
