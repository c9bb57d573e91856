"""What a user set for calls is obeyed: do not disturb, forwarding, ringing along, busy on busy, voicemail."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.contracts.edge import (
    CREDENTIALS_PATH,
    FEATURE_CODES_PATH,
    ROUTE_PATH,
    CallSettings,
    CommandType,
    EdgeCommand,
    Route,
    RouteOutcome,
)
from tests.sip.calls import call, connected, finish, take_call
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import talk
from tests.sip.phone import Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


def number_of(phone: Phone) -> str:
    return phone.account.aor


def test_a_user_who_does_not_want_to_be_disturbed_is_not(hire: Hire) -> None:
    anna, ben = hire(language="pt"), hire(call_settings=CallSettings(do_not_disturb=True))
    answer = call(anna, number_of(ben)).refused()

    assert (486, "Não quer ser incomodado") == (answer.status, answer.phrase)


def test_a_forwarded_call_rings_where_the_user_wants_it_and_not_at_the_user_s(hire: Hire) -> None:
    cleo = hire()
    anna, ben = hire(), hire(call_settings=CallSettings(forward_to=number_of(cleo)))
    outgoing = call(anna, number_of(ben))
    invite, media = take_call(cleo)
    far, near = finish(outgoing, cleo, invite, media)

    assert number_of(anna) in invite.header("From")
    assert (20, 20) == talk(near.media, far.media)
    with pytest.raises(TimeoutError):
        ben.receive("INVITE", seconds=0.1)


def test_users_who_forward_to_each_other_end_the_call(hire: Hire) -> None:
    anna = hire()
    ben = hire(number="+4989555001", call_settings=CallSettings(forward_to="+4989555002"))
    hire(number="+4989555002", call_settings=CallSettings(forward_to="+4989555001"))
    answer = call(anna, number_of(ben)).refused()

    assert (480, "Forwarded in circles") == (answer.status, answer.phrase)


def test_a_call_that_nobody_answers_goes_on_in_time(hire: Hire) -> None:
    cleo = hire()
    anna, ben = hire(), hire(call_settings=CallSettings(forward_on_timeout_to=number_of(cleo), ring_seconds=1))
    outgoing = call(anna, number_of(ben))
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    invite, media = take_call(cleo)
    far, near = finish(outgoing, cleo, invite, media)

    assert first.header("P-Asserted-Identity") == invite.header("P-Asserted-Identity")
    assert first.header("From") == invite.header("From")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_a_user_without_a_phone_is_reached_where_unanswered_calls_go(hire: Hire) -> None:
    cleo = hire()
    anna, ben = hire(), hire(call_settings=CallSettings(forward_on_timeout_to=number_of(cleo)))
    ben.register(expires=0)
    call(anna, number_of(ben))

    assert number_of(anna) in take_call(cleo)[0].header("From")


def test_a_call_whose_route_was_asked_for_goes_on_in_time_too(functions: FunctionsServer, hire: Hire) -> None:
    anna, ben, cleo = hire(), hire(), hire()
    settings = CallSettings(forward_on_timeout_to=number_of(cleo), ring_seconds=1)
    functions.behaviour.routes["ben"] = Route(
        RouteOutcome.USER,
        aor=number_of(ben),
        tenant_id="t",
        user="ben@example.com",
        number=number_of(ben),
        call_settings=settings,
    )
    outgoing = call(anna, "ben")
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    invite, media = take_call(cleo)
    far, near = finish(outgoing, cleo, invite, media)

    assert 1 == functions.asked(ROUTE_PATH, **{"from": anna.account.username, "to": "ben"})
    assert first.header("P-Asserted-Identity") == invite.header("P-Asserted-Identity")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == near.hang_up_with(far).status


def test_another_user_s_phone_rings_along(hire: Hire) -> None:
    cleo = hire()
    anna, ben = hire(), hire(call_settings=CallSettings(also_ring=number_of(cleo)))
    outgoing = call(anna, number_of(ben))
    take_call(ben)
    invite, media = take_call(cleo)
    far, near = finish(outgoing, cleo, invite, media)
    ben.answer(ben.receive("CANCEL"), "200 OK")

    assert (20, 20) == talk(near.media, far.media)


def test_who_rings_along_and_answers_is_the_one_who_is_named_and_busy(hire: Hire) -> None:
    cleo = hire(call_settings=CallSettings(busy_on_busy=True))
    anna, dora, ben = hire(), hire(), hire(call_settings=CallSettings(also_ring=number_of(cleo), busy_on_busy=True))
    outgoing = call(anna, number_of(ben))
    first, _ = take_call(ben)
    far, _ = finish(outgoing, cleo, *take_call(cleo))
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    far.request("UPDATE")
    seen_by_anna = anna.receive("UPDATE")

    assert number_of(cleo) in seen_by_anna.header("P-Asserted-Identity")
    assert 486 == call(dora, number_of(cleo)).refused().status
    call(dora, number_of(ben))
    assert "INVITE" == ben.receive("INVITE").method


def test_a_user_in_a_call_is_busy_where_the_policy_says_so_and_free_again_after_it(hire: Hire) -> None:
    anna, cleo = hire(), hire()
    ben = hire(call_settings=CallSettings(busy_on_busy=True))
    near, far = connected(cleo, number_of(ben), ben)
    answer = call(anna, number_of(ben)).refused()
    near.hang_up_with(far)

    assert (486, "Busy") == (answer.status, answer.phrase)
    call(anna, number_of(ben))
    take_call(ben)


def test_the_voicemail_key_leads_to_the_user_s_voicemail_without_a_question(functions: FunctionsServer, hire: Hire) -> None:
    mailbox = hire()
    anna = hire(voicemail=number_of(mailbox))
    call(anna, "*99*")

    assert number_of(anna) in take_call(mailbox)[0].header("From")
    assert 0 == functions.asked(FEATURE_CODES_PATH, username=anna.account.username)


def test_changed_settings_come_with_a_refresh_and_the_binding_stays(edge: Edge, functions: FunctionsServer, hire: Hire) -> None:
    anna, ben = hire(), hire()
    before = functions.behaviour.credentials[ben.account.username]
    settings = CallSettings(do_not_disturb=True)
    functions.behaviour.credentials[ben.account.username] = replace(before, call_settings=settings)
    edge.send_command(EdgeCommand(uuid.uuid4().hex, CommandType.REFRESH, ben.account.username, ben.account.aor))
    wait_until(lambda: functions.asked(CREDENTIALS_PATH, username=ben.account.username) == 2)

    wait_until(lambda: _answer_to_a_call(anna, ben) == "Does not want to be disturbed")
    assert ben.contact in ben.register_raw([]).header("Contact")


def test_of_two_refreshes_the_later_one_counts_whichever_answer_comes_first(
    edge: Edge, functions: FunctionsServer, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, ben = hire(), hire()
    before = functions.behaviour.credentials[ben.account.username]
    answer, looked_up, may_go = functions.answer, threading.Event(), threading.Event()

    def answer_the_first_last(path: str, data: dict[str, Any]) -> tuple[int, object]:
        told = answer(path, data)
        if data.get("username") == ben.account.username and not looked_up.is_set():
            looked_up.set()
            may_go.wait(1)
        return told

    monkeypatch.setattr(functions, "answer", answer_the_first_last)
    for settings in (CallSettings(do_not_disturb=True), CallSettings()):
        functions.behaviour.credentials[ben.account.username] = replace(before, call_settings=settings)
        edge.send_command(EdgeCommand(uuid.uuid4().hex, CommandType.REFRESH, ben.account.username, ben.account.aor))
        assert looked_up.wait(10)
    wait_until(lambda: functions.asked(CREDENTIALS_PATH, username=ben.account.username) == 3)
    may_go.set()

    assert ["Busy"] * 4 == [_answer_to_a_call(anna, ben) for _ in "1234"]


def _answer_to_a_call(caller: Phone, callee: Phone) -> str:
    outgoing = call(caller, number_of(callee))
    with contextlib.suppress(TimeoutError):
        callee.answer(callee.receive("INVITE", seconds=0.2), "486 Busy Here")
    return outgoing.refused().phrase


@pytest.mark.parametrize(
    ("route", "status", "phrase"),
    [
        (Route(RouteOutcome.NOT_FOUND, reason="Nobody has this number"), 404, "Nobody has this number"),
        (Route(RouteOutcome.REFUSED, reason="Not\r\nfor you"), 403, "Not for you"),
        (Route(RouteOutcome.NOT_FOUND), 404, "This number is not known"),
    ],
)
def test_a_call_that_the_functions_refuse_ends_with_their_reason(
    functions: FunctionsServer, hire: Hire, route: Route, status: int, phrase: str
) -> None:
    anna = hire()
    functions.behaviour.routes["0301"] = route
    answer = call(anna, "0301").refused()

    assert (status, phrase) == (answer.status, answer.phrase)


def test_a_call_whose_route_nobody_can_tell_is_put_off(functions: FunctionsServer, hire: Hire) -> None:
    anna = hire()
    functions.behaviour.status = 500
    answer = call(anna, "+4930123456").refused()

    assert (503, "Try again in a minute") == (answer.status, answer.phrase)
