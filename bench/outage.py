"""`make outage`: the functions are slow, fail, and are away for MINUTES=10, while phones come, refresh, call and go.

Ends with status 1 where a phone that the edge knows could not do so, or where an event was lost or came out of order.
Figures go to the screen and to bench/results/outage.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.edge_calls import Pair, hire_pairs
from bench.edge_phones import PASSWORD, PhoneProcesses
from bench.edge_round import live_round
from bench.edge_servers import Servers
from bench.figures import Figure, print_table
from chalicelib.contracts.edge import EdgeEvent, EventType
from tests.sip.phone import Account
from tests.sip.waiting import wait_until

RESULTS = Path(__file__).parent / "results" / "outage.json"
PHONES = 100
PAIRS = 3  # of phones that call each other, in every round
REFRESH_SECONDS = 2.0
LEAVING = 0.1  # of the phones in every round, half of them by RST
SLOW_SECONDS = 2.0
PASSING_MINUTES = 1.0  # of each trouble but the last, and of none
SHORT_MINUTES = 0.25
_CREDENTIAL_SECONDS = 60  # they grow old while the functions are away
_COME_SECONDS = 10.0
_DRAIN_SECONDS = 120.0


@dataclass
class Phase:
    """What phones could do while the functions were as `name` says."""

    name: str
    minutes: float
    failure: dict[str, Any] = field(default_factory=dict)  # what Behaviour.fail is told
    refreshes_a_second: float = 0.0
    connections: int = 0
    calls: int = 0
    waiting_events: int = 0  # in the outbox at its end
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    figures, problems = _outage(minutes, min(PASSING_MINUTES, minutes))
    print_table(figures)
    RESULTS.parent.mkdir(exist_ok=True)
    report = {"at": datetime.now(UTC).isoformat(), "figures": [figure.as_json() for figure in figures], "problems": problems}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print("\n".join(problems) or "nobody was left out, nothing was lost, everything came in order")
    return 1 if problems else 0


def measure() -> list[Figure]:
    """A minute of the same, among the benchmarks."""
    figures, problems = _outage(SHORT_MINUTES, SHORT_MINUTES)
    if problems:
        raise SystemExit("\n".join(problems))
    return figures


def _outage(away: float, passing: float) -> tuple[list[Figure], list[str]]:
    names = [f"out{number}" for number in range(PHONES)]
    with Servers([], bare=False, calls=True) as servers, PhoneProcesses(servers.edge.port, names) as phones:
        for name in names:
            servers.functions.add(Account(name, name, PASSWORD), lasts=_CREDENTIAL_SECONDS)
        pairs = hire_pairs(servers, PAIRS, lasts=_CREDENTIAL_SECONDS)
        usual = Phase("usual", passing)
        phases = [
            Phase("new to the edge", 0),
            usual,
            Phase(f"{SLOW_SECONDS:g} s late", passing, {"delay_seconds": SLOW_SECONDS}),
            Phase("failing with 500", passing, {"status": 500}),
            Phase("away", away, {"away": True}),
        ]
        for phase in phases:
            _live_through(servers, phones, pairs, phase)
            print(asdict(phase), flush=True)
        servers.functions.behaviour.fail()
        drained = _await_empty_outbox(servers)
        problems = [f"{phase.name}: {problem}" for phase in phases for problem in phase.problems]
        problems += _problems_of_events(list(servers.functions.events), sum(phase.connections for phase in phases))
        if waiting := servers.edge.waiting_events():
            problems.append(f"{waiting} events still wait {_DRAIN_SECONDS:g} s after the functions' return")
        again, note = servers.functions.delivered_again, servers.note
    figures = [_figure(phase, usual, note) for phase in phases if phase.minutes]
    figures.append(
        Figure("outbox empty after their return", drained, "s", "", f"{again} events were delivered twice, kept once")
    )
    return figures, problems


def _live_through(servers: Servers, phones: PhoneProcesses, pairs: list[Pair], phase: Phase) -> None:
    servers.functions.behaviour.fail(**phase.failure)
    refreshes, rounds, end = 0, 0, time.monotonic() + 60 * phase.minutes
    while not rounds or (time.monotonic() < end and not phase.problems):
        phones.run("drop", LEAVING, 0.5)
        lived = live_round(servers, phones, pairs, refresh_seconds=REFRESH_SECONDS, come_seconds=_COME_SECONDS)
        phase.connections += lived.connections
        phase.calls += lived.calls
        phase.problems += lived.problems
        refreshes += lived.refreshes
        rounds += 1
    phase.refreshes_a_second = round(refreshes / (rounds * REFRESH_SECONDS))
    phase.waiting_events = servers.edge.waiting_events()


def _await_empty_outbox(servers: Servers) -> float:
    """The seconds that it took, or that were given for it."""
    started = time.monotonic()
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not servers.edge.waiting_events(), seconds=_DRAIN_SECONDS)
    return time.monotonic() - started


def _problems_of_events(events: list[EdgeEvent], connections: int) -> list[str]:
    """What was lost, came twice, or came out of its phone's order. Each connection's first registration is reported once."""
    problems = []
    reported = sum(event.type is EventType.REGISTERED and not event.refreshed for event in events)
    if reported != connections:
        problems.append(f"{connections} connections registered, {reported} registrations were reported")
    by_phone: dict[str, list[EdgeEvent]] = {}
    for event in events:
        if event.type in {EventType.REGISTERED, EventType.UNREGISTERED}:
            by_phone.setdefault(event.username, []).append(event)
    for username, told in by_phone.items():
        if any(later.at < earlier.at for earlier, later in pairwise(told)):
            problems.append(f"{username}: events came out of order")
        problems += _ends_without_a_start(username, told)
    return problems


def _ends_without_a_start(username: str, told: Iterable[EdgeEvent]) -> list[str]:
    problems, source = [], ""
    for event in told:
        if event.type is EventType.UNREGISTERED and event.source != source:
            problems.append(f"{username}: {event.source} ended, and {source or 'nothing'} was registered")
        source = event.source if event.type is EventType.REGISTERED else ""
    return problems


def _figure(phase: Phase, usual: Phase, note: str) -> Figure:
    beside = f"{phase.connections} came, {phase.calls} calls, {phase.waiting_events} events waiting at the end; {note}"
    name = f"refreshes while the functions are {phase.name}, {phase.minutes:g} min"
    return Figure(name, phase.refreshes_a_second / usual.refreshes_a_second, "of the usual", "", beside)


if __name__ == "__main__":
    sys.exit(main())
