"""What an edge vouches for: since when it has watched its bindings, and that it tells the end of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chalicelib.contracts.edge import EVENTS_PATH, CommandType, EdgeCommand, EventType
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]


def watches(functions: FunctionsServer) -> list[tuple[datetime, datetime]]:
    """Of the batches that vouch for something, the oldest first."""
    sent: list[dict[str, Any]] = [data for path, data in list(functions.requests) if path == EVENTS_PATH]
    return [
        (datetime.fromisoformat(data["watched_since"]), datetime.fromisoformat(data["watched_until"]))
        for data in sent
        if data.get("watched_since")
    ]


def refreshed(functions: FunctionsServer, account: Account) -> list[bool]:
    return [event.refreshed for event in functions.events_of(account.username, EventType.REGISTERED)]


def test_an_edge_goes_on_vouching_for_its_bindings(make_edge: Callable[..., Edge], own_functions: FunctionsServer) -> None:
    make_edge().start()
    wait_until(lambda: len({until for _, until in watches(own_functions)}) >= 3)

    assert 1 == len({since for since, _ in watches(own_functions)})
    assert sorted(watches(own_functions)) == watches(own_functions)


def test_an_unchanged_binding_is_reported_as_a_refresh(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_REPORT_SECONDS="1", EDGE_REPORT_LINGER_SECONDS="0").start()
    own_functions.add(account)
    phone = connect(account, edge)
    wait_until(lambda: phone.register().status == 200 and len(refreshed(own_functions, account)) >= 3)

    assert [False, True, True] == refreshed(own_functions, account)[:3]


@pytest.mark.parametrize("restart", ["agent", "kamailio"])
def test_what_starts_anew_vouches_for_nothing_before(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect, restart: str
) -> None:
    edge = make_edge(EDGE_REPORT_LINGER_SECONDS="0").start()
    own_functions.add(account)
    connect(account, edge).register()
    wait_until(lambda: watches(own_functions) and refreshed(own_functions, account))
    if restart == "agent":
        edge.kill_agent()
        edge.start_agent()
    else:
        edge.kill_kamailio()
        edge.start_kamailio()
    wait_until(lambda: len({since for since, _ in watches(own_functions)}) == 2)
    phone = connect(account, edge)
    wait_until(lambda: phone.register().status == 200 and len(refreshed(own_functions, account)) == 2)

    registered = own_functions.events_of(account.username, EventType.REGISTERED)[-1]
    assert (False, True) == (registered.refreshed, registered.at >= watches(own_functions)[-1][0])


def test_the_end_of_a_binding_that_was_never_told_is_reported_when_it_falls_silent(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    """Kamailio drops what it is to forget without a word."""
    edge = make_edge(EDGE_SILENCE_SPARE_SECONDS="-1198").start()  # two seconds after a report, long before the binding expires
    own_functions.add(account)
    connect(account, edge).register()
    wait_until(lambda: own_functions.events_of(account.username))
    edge.send_command(EdgeCommand("c1", CommandType.FORGET, account.username, account.aor))

    (end,) = wait_until(lambda: own_functions.events_of(account.username, EventType.UNREGISTERED))
    (registered,) = own_functions.events_of(account.username, EventType.REGISTERED)
    assert ("expired", registered.at, registered.source) == (end.reason, end.at, end.source)
