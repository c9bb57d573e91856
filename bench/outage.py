"""`make outage`: the functions are slow, fail, and are away for MINUTES=10, while phones come, refresh, call and go.

Ends with status 1 where a phone that the edge knows could not do so, or where an event was lost or came out of order.
Figures go to the screen and to bench/results/outage.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from bench.edge_calls import Pair, churn_calls, hire_pairs
from bench.edge_phones import PASSWORD, PhoneProcesses, add_up
from bench.edge_servers import Servers
from bench.figures import Figure, print_table
from chalicelib.contracts.edge import CREDENTIALS_PATH, EVENTS_PATH, FEATURE_CODES_PATH, ROUTE_PATH, EdgeEvent, EventType
from tests.sip.functions_server import Behaviour
from tests.sip.phone import Account

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
_EVERY_PATH = (CREDENTIALS_PATH, EVENTS_PATH, FEATURE_CODES_PATH, ROUTE_PATH)


@dataclass
class Phase:
    """What phones could do while the functions were as `name` says."""

    name: str
    minutes: float
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
        first, usual = Phase("first", 0), Phase("usual", passing)
        _round(servers, phones, pairs, first)  # the edge knows everybody from here on
        phases = [usual, Phase(f"{SLOW_SECONDS:g} s late", passing), Phase("failing with 500", passing), Phase("away", away)]
        for phase in phases:
            _set(servers.functions.behaviour, phase)
            _live_through(servers, phones, pairs, phase)
            print(asdict(phase), flush=True)
        _set(servers.functions.behaviour, usual)
        drained = _await_empty_outbox(servers)
        problems = [f"{phase.name}: {problem}" for phase in phases for problem in phase.problems]
        problems += _problems_of_events(
            list(servers.functions.events), first.connections + sum(phase.connections for phase in phases)
        )
        if drained is None:
            problems.append(
                f"{servers.edge.waiting_events()} events still wait {_DRAIN_SECONDS:g} s after the functions' return"
            )
        again, note = servers.functions.delivered_again, servers.note
    figures = [_figure(phase, usual, note) for phase in phases]
    figures.append(
        Figure("outbox empty after their return", drained or 0, "s", "", f"{again} events were delivered twice, kept once")
    )
    return figures, problems


def _set(behaviour: Behaviour, phase: Phase) -> None:
    behaviour.delay_seconds = dict.fromkeys(_EVERY_PATH, SLOW_SECONDS) if phase.name.endswith("late") else {}
    behaviour.status = 500 if phase.name.startswith("failing") else 0
    behaviour.away = phase.name == "away"


def _live_through(servers: Servers, phones: PhoneProcesses, pairs: list[Pair], phase: Phase) -> None:
    refreshed, rounds, end = 0, 0, time.monotonic() + 60 * phase.minutes
    while time.monotonic() < end and not phase.problems:
        phones.run("drop", LEAVING, 0.5)
        refreshed += _round(servers, phones, pairs, phase)
        rounds += 1
    phase.refreshes_a_second = round(refreshed / (rounds * REFRESH_SECONDS))
    phase.waiting_events = servers.edge.waiting_events()


def _round(servers: Servers, phones: PhoneProcesses, pairs: list[Pair], phase: Phase) -> int:
    """Who is not there comes back, all refresh, and the pairs call. Returns how many refreshes."""
    arrived = add_up(phones.run("register_all", _COME_SECONDS))
    refreshed = add_up(phones.run("refresh", REFRESH_SECONDS, False))
    called = churn_calls(servers.edge.port, pairs)
    phase.connections += arrived.registered + 2 * len(pairs)
    phase.calls += called.calls
    phase.problems += called.problems
    if arrived.failed or refreshed.failed:
        phase.problems.append(f"{arrived.failed} phones could not register, {refreshed.failed} refreshes failed")
    return refreshed.registered


def _await_empty_outbox(servers: Servers) -> float | None:
    """Seconds that it took; None where it is not empty yet."""
    started = time.monotonic()
    while time.monotonic() < started + _DRAIN_SECONDS:
        if not servers.edge.waiting_events():
            return time.monotonic() - started
        time.sleep(0.1)
    return None


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
