"""A user with several phones: all ring, one answers, the others stop."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.contracts.edge import CREDENTIALS_PATH, CommandType, EdgeCommand
from tests.sip.calls import call, finish, take_call
from tests.sip.conftest import second_phone
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import talk
from tests.sip.phone import Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


def test_all_phones_of_the_user_ring_and_the_others_stop_when_one_answers(
    edge: Edge, functions: FunctionsServer, hire: Hire, connect: Callable[..., Phone]
) -> None:
    anna, ben = hire(), hire()
    other = second_phone(ben, edge, functions, connect)
    outgoing = call(anna, ben.account.aor)
    first, _ = take_call(ben)
    second, media = take_call(other)
    far, near = finish(outgoing, other, second, media)
    cancel = ben.receive("CANCEL")
    ben.answer(cancel, "200 OK")

    assert 'text="Call completed elsewhere"' in cancel.header("Reason")
    assert first.header("From") == second.header("From")
    assert first.header("P-Asserted-Identity") == second.header("P-Asserted-Identity")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_twenty_phones_of_one_user_all_ring(
    edge: Edge, functions: FunctionsServer, hire: Hire, connect: Callable[..., Phone]
) -> None:
    anna, ben = hire(), hire()
    phones = [ben, *(second_phone(ben, edge, functions, connect, name=f"x{number}") for number in range(19))]
    outgoing = call(anna, ben.account.aor)
    rung = [take_call(phone) for phone in phones]
    far, near = finish(outgoing, phones[-1], *rung[-1])

    for phone in phones[:-1]:
        phone.answer(phone.receive("CANCEL"), "200 OK")
    assert 200 == far.hang_up_with(near).status


@pytest.mark.parametrize("former", ["without a user", "unknown"])
def test_a_phone_that_is_no_longer_the_user_s_does_not_ring(
    edge: Edge, functions: FunctionsServer, hire: Hire, connect: Callable[..., Phone], former: str
) -> None:
    anna, ben = hire(), hire()
    other = second_phone(ben, edge, functions, connect)
    credentials = functions.behaviour.credentials
    lost = replace(credentials[ben.account.username], may_call=False)
    credentials.pop(ben.account.username)
    if former == "without a user":
        credentials[ben.account.username] = lost
    asked = functions.asked(CREDENTIALS_PATH, username=ben.account.username)
    edge.send_command(EdgeCommand(uuid.uuid4().hex, CommandType.REFRESH, ben.account.username, ben.account.aor))
    wait_until(lambda: functions.asked(CREDENTIALS_PATH, username=ben.account.username) > asked)
    wait_until(lambda: ben.dial("12").status == 403)

    far, near = finish(call(anna, ben.account.aor), other, *take_call(other))
    assert 200 == near.hang_up_with(far).status
    with pytest.raises(TimeoutError):
        ben.receive("INVITE", seconds=0.1)
    other.register(expires=0)
    assert 480 == call(anna, ben.account.aor).refused().status
