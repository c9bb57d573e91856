"""Forwarding to whom this edge does not know: the functions are asked at each hop, and no call goes round for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import ROUTE_PATH, CallSettings, Route, RouteOutcome
from tests.sip.calls import call, finish, take_call
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import talk
from tests.sip.phone import Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


def lead(functions: FunctionsServer, word: str, aor: str, **settings: object) -> None:
    """The functions know whom `word` means; this edge does not."""
    functions.behaviour.routes[word] = Route(
        RouteOutcome.USER,
        aor=aor,
        tenant_id="t",
        number=aor,
        username=f"of-{word}",
        call_settings=CallSettings(**settings),  # type: ignore[arg-type]
    )


def test_a_call_that_nobody_answers_goes_on_to_a_colleague_whom_the_edge_does_not_know(
    functions: FunctionsServer, hire: Hire
) -> None:
    anna, cleo = hire(), hire()
    ben = hire(call_settings=CallSettings(forward_on_timeout_to="cleo", ring_seconds=1))
    lead(functions, "cleo", cleo.account.aor)
    outgoing = call(anna, ben.account.aor)
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    invite, media = take_call(cleo)
    far, near = finish(outgoing, cleo, invite, media)

    assert 1 == functions.asked(ROUTE_PATH, to="cleo")
    assert [len(first.all("Record-Route"))] * 2 == [len(invite.all("Record-Route")), 1]
    assert first.header("P-Asserted-Identity") == invite.header("P-Asserted-Identity")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_a_call_that_goes_on_to_nobody_ends_with_the_reason(functions: FunctionsServer, hire: Hire) -> None:
    anna = hire(language="de")
    ben = hire(call_settings=CallSettings(forward_on_timeout_to="nobody", ring_seconds=1))
    outgoing = call(anna, ben.account.aor)
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    answer = outgoing.refused()

    assert (404, "Diese Nummer ist nicht bekannt") == (answer.status, answer.phrase)
    assert 1 == functions.asked(ROUTE_PATH, to="nobody")


def test_a_call_is_asked_about_at_each_hop_in_the_name_of_who_forwards(functions: FunctionsServer, hire: Hire) -> None:
    anna, cleo = hire(), hire()
    lead(functions, "ben", "+4989660001", forward_to="dora")
    lead(functions, "dora", "+4989660002", forward_to="cleo")
    lead(functions, "cleo", cleo.account.aor)
    outgoing = call(anna, "ben")
    invite, media = take_call(cleo)
    far, near = finish(outgoing, cleo, invite, media)
    asked = [(body["from"], body["to"]) for path, body in functions.requests if path == ROUTE_PATH][-3:]

    assert [(anna.account.username, "ben"), ("of-ben", "dora"), ("of-dora", "cleo")] == asked
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == near.hang_up_with(far).status


def test_users_of_other_edges_who_forward_to_each_other_end_the_call(functions: FunctionsServer, hire: Hire) -> None:
    anna = hire()
    lead(functions, "round", "+4989660003", forward_to="about")
    lead(functions, "about", "+4989660004", forward_to="round")
    answer = call(anna, "round").refused()

    assert (480, "Forwarded in circles") == (answer.status, answer.phrase)
    assert 6 == functions.asked(ROUTE_PATH, to="round") + functions.asked(ROUTE_PATH, to="about")


def test_a_hop_that_nobody_can_tell_in_time_is_put_off(functions: FunctionsServer, hire: Hire) -> None:
    anna = hire()
    ben = hire(call_settings=CallSettings(forward_on_timeout_to="cleo", ring_seconds=1))
    functions.behaviour.delay_seconds[ROUTE_PATH] = 4
    outgoing = call(anna, ben.account.aor)
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    answer = outgoing.refused()

    assert (503, "Try again in a minute") == (answer.status, answer.phrase)


def test_a_caller_may_give_up_while_the_next_hop_is_asked_for(functions: FunctionsServer, hire: Hire) -> None:
    anna, cleo = hire(), hire()
    ben = hire(call_settings=CallSettings(forward_on_timeout_to="cleo", ring_seconds=1))
    lead(functions, "cleo", cleo.account.aor)
    functions.behaviour.delay_seconds[ROUTE_PATH] = 1
    outgoing = call(anna, ben.account.aor)
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    wait_until(lambda: functions.asked(ROUTE_PATH, to="cleo"))
    outgoing.cancel()

    assert {200, 487} == {anna.receive().status, anna.receive().status}
    with pytest.raises(TimeoutError):
        cleo.receive("INVITE", seconds=2)
