"""Calls while the functions are slow, fail or are away: phones that the edge knows go on, and nothing that happened is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.contracts.edge import (
    ROUTE_PATH,
    EventType,
)
from tests.sip.calls import call, connected
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import talk
from tests.sip.phone import Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]
# More than the 1.9 seconds that a phone waits.
FAILURES: dict[str, dict[str, Any]] = {"slow": {"delay_seconds": 2.5}, "failing": {"status": 500}, "away": {"away": True}}


@pytest.mark.parametrize("failure", FAILURES)
def test_phones_that_the_edge_knows_refresh_and_call_whatever_the_functions_do(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Connect, failure: str
) -> None:
    edge = make_edge().start_rtpengine().start()
    anna, ben = (hire_at(edge, own_functions, connect) for _ in "12")
    own_functions.behaviour.fail(**FAILURES[failure])
    asked = own_functions.asked(ROUTE_PATH)
    put_off = call(anna, "*31*")  # waits for the functions, and nobody waits for it
    near, far = connected(ben, anna.account.aor, anna)
    heard = talk(near.media, far.media)
    refreshed = ben.register()

    assert ((20, 20), 200, 200) == (heard, refreshed.status, near.hang_up_with(far).status)
    assert asked == own_functions.asked(ROUTE_PATH)
    answer = put_off.refused()
    assert (503, "Try again in a minute", "60") == (answer.status, answer.phrase, answer.header("Retry-After"))


@pytest.mark.parametrize("failure", FAILURES)
def test_what_happened_meanwhile_arrives_once_and_in_order_for_each_phone(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Connect, failure: str
) -> None:
    edge = make_edge().start_rtpengine().start()
    phones = [hire_at(edge, own_functions, connect) for _ in range(4)]
    wait_until(lambda: len(own_functions.events) == 1 + len(phones))
    before = len(own_functions.events)
    own_functions.behaviour.fail(**FAILURES[failure])
    near, far = connected(phones[0], phones[1].account.aor, phones[1])
    for phone in phones:
        phone.register(contact=f"<sip:moved@{phone.address};transport=tls>")
    near.hang_up_with(far)
    for phone in phones:
        phone.register(expires=0)
    own_functions.behaviour.fail()

    wait_until(lambda: len(own_functions.events) == before + 2 * len(phones), seconds=30)
    wait_until(lambda: _waiting(edge) == 0)
    for phone in phones:
        told = [event.type for event in own_functions.events_of(phone.account.username)][1:]
        assert [EventType.REGISTERED, EventType.UNREGISTERED] == told
    assert 0 == own_functions.delivered_again or failure == "slow"  # what was given up as too slow is sent again, and kept once


def test_a_call_to_somebody_whom_only_the_functions_know_ends_in_time_when_they_are_slow(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge().start_rtpengine().start()
    anna = hire_at(edge, own_functions, connect)
    own_functions.behaviour.fail(**FAILURES["slow"])
    answer = call(anna, "nobody-here").refused()

    assert (503, "Try again in a minute") == (answer.status, answer.phrase)  # not the functions' 404, which comes later


def _waiting(edge: Edge) -> int:
    with sqlite3.connect(edge.folder / "outbox.db") as database:
        (count,) = database.execute("SELECT count(*) FROM events").fetchone()
    database.close()
    return int(count)
