"""One round of an edge's day: who is not there comes back, all refresh, and pairs call each other."""

from __future__ import annotations

from dataclasses import dataclass

from bench.edge_calls import Pair, churn_calls
from bench.edge_phones import COMEBACK_SECONDS, PhoneProcesses, add_up
from bench.edge_servers import Servers


@dataclass(frozen=True)
class RoundTally:
    """Each connection has registered once; `problems` says who was left out, one line each."""

    connections: int
    refreshes: int
    calls: int
    problems: tuple[str, ...]


def live_round(
    servers: Servers,
    phones: PhoneProcesses,
    pairs: list[Pair],
    *,
    refresh_seconds: float,
    come_seconds: float = COMEBACK_SECONDS,
) -> RoundTally:
    """The phones may take `come_seconds` to come back, and then refresh without a pause for `refresh_seconds`."""
    arrived = add_up(phones.run("register_all", come_seconds))
    refreshed = add_up(phones.run("refresh", refresh_seconds, False))
    called = churn_calls(servers.edge.port, pairs)
    problems = list(called.problems)
    if arrived.failed or refreshed.failed:
        problems.append(f"{arrived.failed} phones could not register, {refreshed.failed} refreshes failed")
    return RoundTally(arrived.registered + 2 * called.calls, refreshed.registered, called.calls, tuple(problems))
