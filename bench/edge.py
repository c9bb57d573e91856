"""The edge under load, beside a bare Kamailio registrar of the same version in the same run."""

from __future__ import annotations

import statistics
import time

from bench.edge_phones import PhoneProcesses, add_up
from bench.edge_servers import Servers, kamailio_cpu, kamailio_memory, shared_memory
from bench.figures import Figure
from chalicelib.contracts.edge import CommandType, EdgeCommand
from sip_edge.agent.settings import LONGEST_EXPIRY_SECONDS
from tests.sip.edge import Edge

LOAD_PHONES = 100
LOAD_SECONDS = 2.0
PAIRS = 11  # short and many: what else the machine does falls on some of them, and the median leaves it out
NOTIFIES = 200
STORM_PHONES = 2_000
IDLE_PHONES = (2_000, 10_000)
REPORT_SECONDS = 60.0


def measure_registrations() -> list[Figure]:
    """Registrations a second and their processor time, edge and bare in turn."""
    names = _names(LOAD_PHONES)
    figures: list[Figure] = []
    with Servers(names) as servers, PhoneProcesses(servers.edge.port, names) as ours:
        assert servers.bare is not None
        with PhoneProcesses(servers.bare.port, names) as theirs:
            for phones in (ours, theirs):
                _register(phones, LOAD_PHONES)
            for full, title in ((False, "refresh, nonce reused"), (True, "registration with challenge")):
                pairs = [_load_both(servers, ours, theirs, full=full, edge_first=number % 2 == 0) for number in range(PAIRS)]
                figures += _compare(title, pairs, servers.note)
    return figures


def _load_both(
    servers: Servers, ours: PhoneProcesses, theirs: PhoneProcesses, *, full: bool, edge_first: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    assert servers.bare is not None
    if edge_first:
        return _load(servers.edge, ours, full=full), _load(servers.bare, theirs, full=full)
    bare = _load(servers.bare, theirs, full=full)
    return _load(servers.edge, ours, full=full), bare


def _load(server: Edge, phones: PhoneProcesses, *, full: bool) -> tuple[float, float]:
    """Registrations a second, and Kamailio's milliseconds for each."""
    before, started = kamailio_cpu(server), time.monotonic()
    tally = add_up(phones.run("refresh", LOAD_SECONDS, full))
    seconds, spent = time.monotonic() - started, kamailio_cpu(server) - before
    if tally.failed:
        raise SystemExit(f"{tally.failed} registrations failed under load; nothing was measured")
    return tally.registered / seconds, 1000 * spent / tally.registered


def _compare(title: str, pairs: list[tuple[tuple[float, float], tuple[float, float]]], note: str) -> list[Figure]:
    rates = statistics.median(edge[0] for edge, _ in pairs), statistics.median(bare[0] for _, bare in pairs)
    costs = statistics.median(edge[1] for edge, _ in pairs), statistics.median(bare[1] for _, bare in pairs)
    ratio = statistics.median(edge[0] / bare[0] for edge, bare in pairs)
    share = statistics.median(edge[1] / bare[1] for edge, bare in pairs)
    aim = "≥ 0.9" if "reused" in title else ""
    return [
        Figure(f"{title}, edge", rates[0], "a second", "", f"bare {rates[1]:,.0f}; {LOAD_PHONES} TLS connections; {note}"),
        Figure(f"{title}, edge to bare", ratio, "of its rate", aim, " ".join(f"{e[0] / b[0]:.2f}" for e, b in pairs)),
        Figure(f"{title}, CPU", costs[0], "ms each", "", f"bare {costs[1]:.3f}, ratio {share:.2f}"),
    ]


def measure_idle() -> list[Figure]:
    """Memory of Kamailio for each registered phone that only holds its connection."""
    figures = []
    for count in IDLE_PHONES:
        names = _names(count)
        with Servers(names, bare=False) as servers, PhoneProcesses(servers.edge.port, names) as phones:
            empty, reserved = kamailio_memory(servers.edge), shared_memory(servers.edge, "most")
            started = time.monotonic()
            _register(phones, count)
            seconds = time.monotonic() - started
            if seconds > LONGEST_EXPIRY_SECONDS:
                raise SystemExit(f"{count:,} phones took {seconds:.0f} s: the first had expired by then; nothing was measured")
            full = kamailio_memory(servers.edge)
            pool = (shared_memory(servers.edge, "most") - reserved) / count
            beside = f"{empty / 1024:.0f} → {full / 1024:.0f} MB; {pool:.0f} kB of shared memory each at most; "
            beside += f"registered in {seconds:.0f} s; {servers.note}"
            figures.append(Figure(f"memory at {count:,} phones", (full - empty) / count, "kB a phone", "≤ 75", beside))
    return figures


def measure_commands() -> list[Figure]:
    """From a command at the agent's socket to the NOTIFY at the phone."""
    names = _names(LOAD_PHONES)
    times = []
    with Servers(names, bare=False) as servers, PhoneProcesses(servers.edge.port, names, processes=1) as phones:
        _register(phones, LOAD_PHONES)
        for number in range(NOTIFIES):
            name = names[number % len(names)]
            phones.begin("await_notify", name)
            started = time.monotonic()
            servers.edge.send_command(EdgeCommand(f"c{number}", CommandType.RESYNC, name, name, notify_event="check-sync"))
            times.append(1000 * (phones.finish()[0] - started))
        note = servers.note
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    return [
        Figure("command to NOTIFY, p50", p50, "ms", "", f"{NOTIFIES} commands; {note}"),
        Figure("command to NOTIFY, p95", p95, "ms", "≤ 100", f"most {max(times):.1f}"),
    ]


def measure_storm() -> list[Figure]:
    """Kamailio is killed and started again; every phone comes back at once, and the edge knows none of them."""
    names = _names(STORM_PHONES)
    with Servers(names, bare=False) as servers, PhoneProcesses(servers.edge.port, names, processes=4) as phones:
        _register(phones, STORM_PHONES)
        started = time.monotonic()
        servers.edge.kill_kamailio()
        phones.run("note_closed")
        phones.begin("register_all")
        servers.edge.start_kamailio()
        tally = add_up(phones.finish())
        seconds = time.monotonic() - started
        reported = _await_events(servers, 2 * STORM_PHONES)
        note = servers.note
    return [
        Figure(f"kill to {STORM_PHONES:,} phones registered", seconds, "s", "", f"handshakes of 4 client processes; {note}"),
        Figure("phones lost in it", tally.failed, "phones", "0", f"{reported:,} registrations reported to the functions"),
    ]


def _await_events(servers: Servers, count: int) -> int:
    end = time.monotonic() + REPORT_SECONDS
    while time.monotonic() < end:
        reported = sum(event.type.value == "registered" for event in list(servers.functions.events))
        if reported >= count:
            break
        time.sleep(0.2)
    return reported


def _register(phones: PhoneProcesses, count: int) -> None:
    tally = add_up(phones.run("register_all"))
    if tally.registered != count:
        raise SystemExit(f"{tally.failed} of {count} phones could not register; nothing was measured")


def _names(count: int) -> list[str]:
    return [f"load{number}" for number in range(count)]
