"""An edge that is stopped takes no new calls and lets the running ones end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.sip.calls import call, connected
from tests.sip.conftest import hire_at
from tests.sip.edge import REPOSITORY, Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import talk
from tests.sip.phone import Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip


def start_draining(edge: Edge, **settings: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **edge.environment, **settings}
    return subprocess.Popen([sys.executable, "-m", "sip_edge.agent.drain"], env=environment, cwd=REPOSITORY)


def test_new_calls_go_elsewhere_and_a_running_one_ends_in_peace(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Callable[..., Phone]
) -> None:
    edge = make_edge().start_rtpengine().start()
    anna, ben, cleo = (hire_at(edge, own_functions, connect) for _ in range(3))
    near, far = connected(anna, ben.account.aor, ben)
    draining = start_draining(edge)
    answer = wait_until(lambda: refused_as_draining(cleo, edge))

    assert int(answer) > 0
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == cleo.register().status
    assert draining.poll() is None
    near.hang_up_with(far)
    assert 0 == draining.wait(timeout=20)


def test_a_call_that_does_not_end_is_not_waited_for_longer_than_set_and_both_sides_are_told(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Callable[..., Phone]
) -> None:
    edge = make_edge().start_rtpengine().start()
    anna, ben = (hire_at(edge, own_functions, connect) for _ in range(2))
    connected(anna, ben.account.aor, ben)
    draining = start_draining(edge, EDGE_DRAIN_SECONDS="1")
    for phone in (anna, ben):
        phone.answer(phone.receive("BYE"), "200 OK")

    assert 0 == draining.wait(timeout=60)


def refused_as_draining(phone: Phone, edge: Edge) -> str:
    """Retry-After of a new call, empty while it is still taken."""
    assert edge.kamailio is not None
    answer = call(phone, "nobody").refused()
    return answer.header("Retry-After") if answer.status == 503 else ""
