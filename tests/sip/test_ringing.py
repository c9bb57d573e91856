"""How long a call rings, who refuses it, and what is said to one of several callees that ring."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.contracts.edge import CallSettings
from sip_edge.agent.core.records import LONGEST_RING_SECONDS
from tests.ports import free_port
from tests.sip.calls import Call, Outgoing, call, finish, record_routes, take_call
from tests.sip.conftest import second_phone
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]
Connect = Callable[..., Phone]
ROUTES = Path(__file__).resolve().parents[2] / "sip_edge" / "kamailio"


def test_a_phone_that_says_again_and_again_that_it_rings_rings_no_longer(hire: Hire) -> None:
    """RFC 3261 section 13.3.1.1 has it say so every minute; some do every few seconds."""
    anna, cleo = hire(), hire()
    ben = hire(call_settings=CallSettings(forward_on_timeout_to=cleo.account.aor, ring_seconds=2))
    call(anna, ben.account.aor)
    invite, _ = take_call(ben)

    def ring_again() -> bool:
        ben.answer(invite, "180 Ringing", [("Contact", f"<{ben.contact}>"), *record_routes(invite)])
        return cleo.has_received("INVITE")

    wait_until(ring_again)


@pytest.mark.parametrize("said", ["302 Moved Temporarily", "404 Not Found", "486 Busy Here", "500 Server Error"])
def test_a_phone_that_refuses_at_once_does_not_keep_the_call_from_going_on_when_the_others_rang_in_vain(
    edge: Edge, functions: FunctionsServer, hire: Hire, connect: Connect, said: str
) -> None:
    anna, cleo = hire(), hire()
    settings = CallSettings(forward_on_timeout_to=cleo.account.aor, ring_seconds=1)
    ben = hire(call_settings=settings)
    other = second_phone(ben, edge, functions, connect, call_settings=settings)
    time.sleep(1 - time.time() % 1)  # the edge counts whole seconds: at the turn of one, a timer that is early shows
    call(anna, ben.account.aor)
    invite, _ = take_call(ben)
    take_call(other)
    ben.answer(invite, said)

    assert cleo.receive("INVITE").uri.startswith("sip:")


def test_who_forwards_a_call_is_not_busy_with_it(hire: Hire) -> None:
    anna, cleo, dora = hire(), hire(), hire()
    ben = hire(call_settings=CallSettings(busy_on_busy=True, forward_on_timeout_to=cleo.account.aor, ring_seconds=1))
    outgoing = call(anna, ben.account.aor)
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    finish(outgoing, cleo, *take_call(cleo))
    call(dora, ben.account.aor)

    assert ben.receive("INVITE").uri.startswith("sip:")


def test_a_call_may_ring_at_six_users_one_after_the_other_as_long_as_each_wants() -> None:
    """Kamailio would give up after three minutes (tm) and five (dialog), in the middle of it."""
    settings = dict(
        re.findall(r'modparam\("\w+", "(max_inv_lifetime|early_timeout)", (\d+)\)', (ROUTES / "modules.cfg").read_text())
    )
    hops = re.search(r"\$avp\(hops\) > (\d+)", (ROUTES / "reach.cfg").read_text())
    assert hops is not None
    longest = (int(hops[1]) + 1) * LONGEST_RING_SECONDS

    assert longest < int(settings["max_inv_lifetime"]) / 1000 < int(settings["early_timeout"])


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ("422 Session Interval Too Small", ("Min-SE", "1800")),
        ("420 Bad Extension", ("Unsupported", "foo")),
        ("606 Not Acceptable", ("Warning", '304 edge.test "Media type not available"')),
    ],
)
def test_a_refusal_that_the_caller_s_phone_can_act_on_reaches_it(hire: Hire, said: str, header: tuple[str, str]) -> None:
    anna, ben = hire(), hire()
    outgoing = call(anna, ben.account.aor)
    invite, _ = take_call(ben)
    ben.answer(invite, said, [header])
    answer = outgoing.refused()

    assert (said, header[1]) == (f"{answer.status} {answer.phrase}", answer.header(header[0]))


def test_each_of_several_phones_that_ring_hears_what_is_said_to_it(
    edge: Edge, functions: FunctionsServer, hire: Hire, connect: Connect
) -> None:
    """PRACK (RFC 3262) belongs to the phone whose ringing it acknowledges, not to the one that rang last."""
    anna, ben = hire(), hire()
    other = second_phone(ben, edge, functions, connect)
    outgoing = call(anna, ben.account.aor, [("Supported", "100rel")])
    sides = [_ring_reliably(phone, outgoing) for phone in (ben, other)]
    for phone, side in zip((ben, other), sides, strict=True):
        side.request("PRACK", [("RAck", f"7 {side.sequence - 1} INVITE")])
        phone.answer(phone.receive("PRACK"), "200 OK")

        assert 200 == anna.receive().status


def test_a_contact_that_a_ringing_phone_makes_up_leads_nowhere(hire: Hire) -> None:
    """A bar stands in no URI; between bars the edge keeps where the phone is."""
    anna, ben = hire(), hire()
    outgoing = call(anna, ben.account.aor, [("Supported", "100rel")])
    ben.contact = f"sip:x@127.0.0.1|trunk|sip:127.0.0.1:{free_port()};transport=tcp"
    side = _ring_reliably(ben, outgoing)
    side.target = f"sip:{ben.account.aor}@{ben.address}"
    side.request("PRACK", [("RAck", f"7 {side.sequence - 1} INVITE")])

    assert "PRACK" == ben.receive("PRACK").method


def test_no_caller_makes_a_phone_answer_by_itself(hire: Hire) -> None:
    anna, ben = hire(), hire()
    asked = [
        ("Alert-Info", "<http://edge.test>;info=alert-autoanswer;delay=0"),
        ("Call-Info", "<sip:edge.test>;answer-after=0"),
        ("Answer-Mode", "Auto"),
        ("Priv-Answer-Mode", "Auto;require"),
        ("P-Auto-Answer", "normal"),
    ]
    call(anna, ben.account.aor, asked)
    invite = ben.receive("INVITE")

    assert [] == [name for name, _ in asked if invite.all(name)]


def _ring_reliably(phone: Phone, outgoing: Outgoing) -> Call:
    """The caller's side of the early dialog with this phone."""
    invite = phone.receive("INVITE")
    reliably = [("Contact", f"<{phone.contact}>"), ("Require", "100rel"), ("RSeq", "7"), *record_routes(invite)]
    phone.answer(invite, "180 Ringing", reliably)
    return outgoing.early(outgoing.ringing())
