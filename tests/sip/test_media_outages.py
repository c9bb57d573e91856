"""Rtpengine comes late, ends, hangs and comes back: calls work again by themselves, and nobody is left in silence."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable

import pytest

from sip_edge.agent.core.media import ask_statistics, parse_life
from tests.sip.calls import Call, call, connected, finish, take_call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import Media, talk
from tests.sip.messages import SipMessage
from tests.sip.phone import Phone
from tests.sip.scrape import measured
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


@pytest.fixture
def silent_edge(make_edge: Callable[..., Edge], own_functions: FunctionsServer) -> Edge:
    """An edge whose rtpengine has not been started."""
    edge = make_edge().start()
    assert edge.functions is own_functions
    return edge


@pytest.fixture
def hire_silent(silent_edge: Edge, connect: Callable[..., Phone]) -> Hire:
    return lambda **more: hire_at(silent_edge, silent_edge.functions, connect, **more)


def refusal(caller: Phone, callee: Phone) -> SipMessage | None:
    """The answer of an edge that cannot ring the callee; None where it rings. The call is over then."""
    outgoing = call(caller, callee.account.aor)
    wait_until(lambda: caller.has_received() or callee.has_received("INVITE"))
    if not callee.has_received("INVITE"):
        return outgoing.refused()
    callee.answer(callee.receive("INVITE"), "486 Busy Here")
    outgoing.refused()
    callee.receive("ACK")
    return None


def wait_until_calls_work(caller: Phone, callee: Phone) -> None:
    wait_until(lambda: refusal(caller, callee) is None)


def is_seen_away(edge: Edge) -> bool:
    return measured(edge).get("sip_edge_media_up") == 0


def end_of(side: Call) -> SipMessage:
    """The BYE that this side gets, confirmed."""
    bye = side.phone.receive("BYE")
    side.phone.answer(bye, "200 OK")
    return bye


def seconds_running(edge: Edge) -> float:
    """How long rtpengine has run, as it says."""
    host, _, port = edge.environment["EDGE_MEDIA_CONTROL"].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(30)
        connection.connect((host, int(port)))
        connection.send(ask_statistics(f"test{time.monotonic_ns()}"))
        now = time.time()
        return now - parse_life(connection.recv(65536), asked_at=now, answered_at=now).latest


def test_an_rtpengine_that_starts_last_is_taken_up(silent_edge: Edge, hire_silent: Hire) -> None:
    anna, ben = hire_silent(language="de"), hire_silent()
    refused = refusal(anna, ben)
    silent_edge.start_rtpengine()
    wait_until_calls_work(anna, ben)
    near, far = connected(anna, ben.account.aor, ben)

    assert refused is not None
    assert (503, "5") == (refused.status, refused.header("Retry-After"))
    assert "Gerade keine Tonübertragung. Versuchen Sie es noch einmal" == refused.phrase
    assert (20, 20) == talk(near.media, far.media)
    assert 1 <= measured(silent_edge)['sip_edge_refused_total{reason="no_audio"}']


def test_calls_whose_audio_is_lost_are_ended_on_both_sides_and_new_ones_work_again(
    silent_edge: Edge, hire_silent: Hire
) -> None:
    anna, ben = hire_silent(), hire_silent()
    silent_edge.start_rtpengine()
    wait_until_calls_work(anna, ben)
    near, far = connected(anna, ben.account.aor, ben)
    silent_edge.kill_rtpengine()
    reasons = [end_of(side).header("Reason") for side in (near, far)]
    silent_edge.start_rtpengine()
    wait_until_calls_work(anna, ben)
    near, far = connected(anna, ben.account.aor, ben)

    assert ['SIP;cause=503;text="Audio lost"'] * 2 == reasons
    assert (20, 20) == talk(near.media, far.media)


def test_an_rtpengine_that_came_back_before_anybody_looked_has_lost_the_calls_as_well(
    silent_edge: Edge, hire_silent: Hire
) -> None:
    anna, ben = hire_silent(), hire_silent()
    silent_edge.start_rtpengine()
    wait_until_calls_work(anna, ben)
    near, far = connected(anna, ben.account.aor, ben)
    wait_until(lambda: seconds_running(silent_edge) >= 4)
    silent_edge.kill_rtpengine()
    silent_edge.start_rtpengine()

    assert "Audio lost" in end_of(near).header("Reason")
    assert "Audio lost" in end_of(far).header("Reason")


def test_a_call_that_is_answered_after_its_audio_was_lost_is_ended(silent_edge: Edge, hire_silent: Hire) -> None:
    anna, ben = hire_silent(), hire_silent()
    silent_edge.start_rtpengine()
    wait_until_calls_work(anna, ben)
    outgoing = call(anna, ben.account.aor)
    invite, media = take_call(ben)
    silent_edge.kill_rtpengine()
    wait_until(lambda: is_seen_away(silent_edge))
    far, near = finish(outgoing, ben, invite, media)

    assert near.answer is not None
    assert b"m=audio 0 RTP/SAVP 0" in near.answer.body
    assert b"crypto" not in near.answer.body
    assert "Audio lost" in end_of(near).header("Reason")
    assert "Audio lost" in end_of(far).header("Reason")


def test_nobody_waits_for_an_rtpengine_that_hangs_and_its_calls_go_on_with_it(silent_edge: Edge, hire_silent: Hire) -> None:
    anna, ben, cleo, dora = (hire_silent() for _ in range(4))
    silent_edge.start_rtpengine()
    wait_until_calls_work(anna, ben)
    near, far = connected(anna, ben.account.aor, ben)
    assert silent_edge.rtpengine is not None
    os.kill(silent_edge.rtpengine.pid, signal.SIGSTOP)
    wait_until(lambda: is_seen_away(silent_edge))
    asked_in_vain = silent_edge.log("kamailio").count("timeout waiting reply")
    refused = refusal(cleo, dora)
    held = near.ask("INVITE", [("Content-Type", "application/sdp")], Media().sdp("sendonly"))
    near.acknowledge(near.sequence)
    asked_now = silent_edge.log("kamailio").count("timeout waiting reply")
    os.kill(silent_edge.rtpengine.pid, signal.SIGCONT)
    wait_until_calls_work(cleo, dora)

    assert refused is not None
    assert [503, 503] == [refused.status, held.status]
    assert asked_in_vain == asked_now
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == near.hang_up_with(far).status


def test_without_an_agent_calls_work_again_as_well(silent_edge: Edge, hire_silent: Hire) -> None:
    anna, ben = hire_silent(), hire_silent()
    wait_until(lambda: is_seen_away(silent_edge))
    silent_edge.kill_agent()
    silent_edge.start_rtpengine()

    wait_until_calls_work(anna, ben)
