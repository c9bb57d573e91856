"""One agent for each Kamailio: a second one, started by mistake, neither takes part nor harms the first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.sip.edge import END_WITH_PARENT, Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip


@pytest.fixture
def started(make_edge: Callable[..., Edge]) -> Edge:
    return make_edge().start()


@pytest.fixture
def second_agent(started: Edge) -> Iterator[Callable[[], str]]:
    """It has been turned away once; gives its log."""
    own = {"EDGE_OUTBOX": str(started.folder / "second.db"), "EDGE_COMMANDS": "", "EDGE_METRICS": ""}
    arguments = ["-m", "sip_edge.agent"]
    command = started.in_root("python3", *arguments) if started.root else [*END_WITH_PARENT, sys.executable, *arguments]
    agent = started._spawn("second", command, {**started.environment, **own})
    try:
        wait_until(lambda: '"link_down"' in started.log("second"), describe=lambda: started.log("second"))
        yield lambda: started.log("second")
    finally:
        agent.kill()
        agent.wait()


def test_a_second_agent_is_turned_away_and_the_first_goes_on(
    started: Edge,
    second_agent: Callable[[], str],
    own_functions: FunctionsServer,
    account: Account,
    connect: Callable[..., Phone],
) -> None:
    own_functions.add(account)
    status = connect(account, started).register().status
    fresh = own_functions.add(replace(account, username="fresh7x.1", aor="fresh"))

    assert (200, 200) == (status, connect(fresh, started).register().status)
    wait_until(lambda: len(own_functions.events_of(fresh.username)) == 1 and started.waiting_events() == 0)
    assert (1, False) == (len(own_functions.events_of(account.username)), '"edge_started"' in second_agent())
