"""Calls for load: pairs of users whose phones call each other on one edge, with SRTP through rtpengine."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from bench.edge_phones import PASSWORD
from bench.edge_servers import Servers, kamailio_cpu
from bench.figures import Figure
from bench.processes import cpu_seconds
from tests.sip.calls import Call, connected
from tests.sip.media import PACKET_SAMPLES, Media, talk
from tests.sip.phone import Account, Phone

_PACKETS = 5
CALL_SECONDS = 8.0
CALLERS = 4  # processes, each with a pair of phones that calls without a pause
SESSIONS = 40
MEDIA_SECONDS = 8
_PACKETS_A_SECOND = 50
Pair = tuple[Account, Account]


def hire_pairs(servers: Servers, count: int, *, lasts: int = 86_400) -> list[Pair]:
    """Users of one tenant, known to the functions for as many seconds; nobody has registered."""
    accounts = [Account(f"caller{number}", f"+4989{number:07}", PASSWORD) for number in range(2 * count)]
    for account in accounts:
        servers.functions.add(account, lasts=lasts, tenant_id="bench", may_call=True, number=account.aor)
    return list(zip(accounts[::2], accounts[1::2], strict=True))


@dataclass
class CallTally:
    """What became of calls. `problems` says what failed, one line each."""

    calls: int
    problems: list[str]


def churn_calls(port: int, pairs: list[Pair]) -> CallTally:
    """Every pair registers, calls and talks; one call in three is hung up.

    Of the others the phones vanish, one or both by RST: the calls end by their silence.
    """
    tally = CallTally(0, [])
    for index, (one, other) in enumerate(pairs):
        with Phone(one, port) as caller, Phone(other, port) as callee, contextlib.ExitStack() as leaving:
            try:
                statuses = caller.register().status, callee.register().status
                near, far = connected(caller, other.aor, callee)
                heard = talk(near.media, far.media, _PACKETS)
                ended = near.hang_up_with(far).status if index % 3 == 0 else 200
            except (OSError, AssertionError) as problem:
                tally.problems.append(f"call {index}: {type(problem).__name__}: {problem}")
                continue
            if index % 3:
                leaving.callback(caller.close, reset=True)
            if index % 3 == 2:  # noqa: PLR2004 - the last of three
                leaving.callback(callee.close, reset=True)
        tally.calls += 1
        if (statuses, heard, ended) != ((200, 200), (_PACKETS, _PACKETS), 200):
            tally.problems.append(f"call {index}: registered {statuses}, heard {heard} packets, ended {ended}")
    return tally


def measure_calls() -> list[Figure]:
    """Calls a second, set up and torn down with an SDP offer and answer each, and their processor time."""
    with Servers([], bare=False, calls=True) as servers:
        pairs = hire_pairs(servers, CALLERS)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(CALLERS, spawn) as callers:
            list(
                callers.map(_call_for, [servers.edge.port] * CALLERS, pairs, [0.5] * CALLERS)
            )  # starts processes, fills tables
            before, started = (kamailio_cpu(servers.edge), _rtpengine_cpu(servers)), time.monotonic()
            count = sum(callers.map(_call_for, [servers.edge.port] * CALLERS, pairs, [CALL_SECONDS] * CALLERS))
            seconds = time.monotonic() - started
        kamailio, rtpengine = kamailio_cpu(servers.edge) - before[0], _rtpengine_cpu(servers) - before[1]
        beside = f"{CALLERS} pairs that call without a pause and share the machine's processors; {servers.note}"
    return [
        Figure("calls set up and torn down", count / seconds, "a second", "", beside),
        Figure("call, Kamailio's CPU", 1000 * kamailio / count, "ms each", "", f"rtpengine {1000 * rtpengine / count:.2f}"),
    ]


def _call_for(port: int, pair: Pair, seconds: float) -> int:
    """How many calls one pair made."""
    count = 0
    with Phone(pair[0], port) as caller, Phone(pair[1], port) as callee:
        for phone in (caller, callee):
            phone.register()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            near, far = connected(caller, pair[1].aor, callee)
            near.hang_up_with(far)
            count += 1
    return count


def measure_media() -> list[Figure]:
    """SRTP both ways at 50 packets a second, re-encrypted by rtpengine: how many such calls one core would carry."""
    with Servers([], bare=False, calls=True) as servers, contextlib.ExitStack() as leaving:
        calls: list[tuple[Call, Call]] = []
        for one, other in hire_pairs(servers, SESSIONS):
            caller, callee = (leaving.enter_context(Phone(account, servers.edge.port)) for account in (one, other))
            for phone in (caller, callee):
                phone.register()
            calls.append(connected(caller, other.aor, callee))
            talk(calls[-1][0].media, calls[-1][1].media, 2)
        before = _rtpengine_cpu(servers)
        sent, heard = _stream([side.media for call in calls for side in call])
        spent = _rtpengine_cpu(servers) - before
    beside = f"{SESSIONS} calls for {MEDIA_SECONDS} s, {heard:,} of {sent:,} packets arrived; userspace, no kernel module"
    return [Figure("relayed SRTP calls", SESSIONS * MEDIA_SECONDS / spent, "a core", "", beside)]


def _stream(sides: list[Media]) -> tuple[int, int]:
    """Every side sends; packets sent and packets that arrived."""
    payload = bytes(PACKET_SAMPLES)
    rounds = [[side.next_packet(payload) for side in sides] for _ in range(MEDIA_SECONDS * _PACKETS_A_SECOND)]
    heard, started = 0, time.monotonic()
    for number, packets in enumerate(rounds):
        time.sleep(max(0.0, started + number / _PACKETS_A_SECOND - time.monotonic()))
        for side, packet in zip(sides, packets, strict=True):
            side.send_packet(packet)
        heard += sum(side.count_waiting() for side in sides)
    time.sleep(0.2)
    return len(rounds) * len(sides), heard + sum(side.count_waiting() for side in sides)


def _rtpengine_cpu(servers: Servers) -> float:
    """Processor seconds so far."""
    assert servers.edge.rtpengine is not None
    return cpu_seconds([servers.edge.rtpengine.pid])
