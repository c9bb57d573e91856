"""A registration at an edge, as the functions know it."""

from __future__ import annotations

from datetime import datetime

from chalicelib.contracts.frozen import dataclass


@dataclass(frozen=True)
class Binding:
    """The device's newest registration at an edge."""

    edge_id: str
    username: str
    aor: str
    contact: str
    source: str  # ADDRESS:PORT
    since: datetime  # online since
    seen_at: datetime  # the last report that was written down
