"""Metrics and health: what a scraper and a container's health check see of a running edge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import CommandType, EdgeCommand
from tests.sip.edge import REPOSITORY, Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.scrape import get, measured
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]


def check_health(edge: Edge) -> tuple[int, str]:
    """The command that the image names as its health check."""
    done = subprocess.run(
        [sys.executable, "-m", "sip_edge.agent.health"],
        env={**os.environ, **edge.environment},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_registration_and_its_challenge_are_counted(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge().start()
    own_functions.add(account)
    phone = connect(account, edge)
    phone.register()
    phone.register()
    wait_until(lambda: measured(edge).get('sip_edge_functions_seconds_count{call="events"}'))
    found = measured(edge)

    assert (2, 1, 1) == (
        found["sip_edge_registrations_total"],
        found["sip_edge_bindings"],
        found['sip_edge_replies_total{status="401"}'],
    )
    assert (1, 1, 1) == (
        found["sip_edge_connections"],
        found['sip_edge_functions_seconds_count{call="credentials"}'],
        found['sip_edge_events_total{type="registered"}'],
    )
    assert 0 < found['sip_edge_kamailio_memory_bytes{kind="used"}'] < found['sip_edge_kamailio_memory_bytes{kind="total"}']


def test_a_notify_is_timed_by_its_final_answer(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge().start()
    own_functions.add(account)
    phone = connect(account, edge)
    phone.register()
    edge.send_command(EdgeCommand("c", CommandType.RESYNC, account.username, account.aor, notify_event="check-sync"))
    phone.answer(phone.receive("NOTIFY"), "200 OK")

    wait_until(lambda: measured(edge).get('sip_edge_notify_seconds_count{status="200"}') == 1)


def test_functions_that_are_away_are_counted_and_the_edge_stays_healthy(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer
) -> None:
    edge = make_edge().start_rtpengine().start()
    own_functions.behaviour.away = True

    wait_until(lambda: measured(edge).get('sip_edge_functions_failures_total{call="events"}'))
    assert (200, {"status": "ok"}) == (get(edge, "/healthz")[0], json.loads(get(edge, "/healthz")[1]))


def test_without_kamailio_the_edge_is_not_healthy_and_still_measured(make_edge: Callable[..., Edge]) -> None:
    edge = make_edge().start_rtpengine().start()
    healthy = check_health(edge)
    edge.kill_kamailio()

    assert (0, '{"status": "ok"}\n') == healthy
    assert (1, '{"status": "failing", "problem": "Kamailio does not answer"}\n') == check_health(edge)
    assert 0 == measured(edge)["sip_edge_kamailio_up"]


def test_without_rtpengine_the_edge_is_not_healthy_until_it_answers(make_edge: Callable[..., Edge]) -> None:
    edge = make_edge().start()
    failing = wait_until(lambda: get(edge, "/healthz")[0] == 503 and get(edge, "/healthz")[1])
    measured_away = measured(edge)["sip_edge_media_up"]
    edge.start_rtpengine()

    assert {"status": "failing", "problem": "rtpengine does not answer"} == json.loads(failing)
    assert 0 == measured_away
    wait_until(lambda: get(edge, "/healthz")[0] == 200 and measured(edge)["sip_edge_media_up"] == 1)


def test_without_an_agent_the_health_check_fails(make_edge: Callable[..., Edge]) -> None:
    edge = make_edge().start()
    edge.stop_agent()

    assert 1 == check_health(edge)[0]


def test_there_are_no_other_pages(edge: Edge) -> None:
    assert 404 == get(edge, "/../etc/passwd")[0]
