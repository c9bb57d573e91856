"""Calls for load: pairs of users whose phones call each other on one edge, with SRTP through rtpengine."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from bench.edge_phones import PASSWORD
from bench.edge_servers import Servers
from tests.sip.calls import connected
from tests.sip.media import talk
from tests.sip.phone import Account, Phone

_PACKETS = 5
Pair = tuple[Account, Account]


def hire_pairs(servers: Servers, count: int) -> list[Pair]:
    """Users of one tenant, known to the functions; nobody has registered."""
    accounts = [Account(f"caller{number}", f"+4989{number:07}", PASSWORD) for number in range(2 * count)]
    for account in accounts:
        servers.functions.add(account, lasts=86400, tenant_id="bench", may_call=True, number=account.aor)
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
