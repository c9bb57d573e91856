"""What the functions remember of an edge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.contracts.edge import EdgeCommand


@dataclass(frozen=True)
class Edge:
    """One edge. Bindings reported before `started_at` are gone."""

    edge_id: str
    started_at: datetime
    version: int = 0


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
