"""Phones whose outbound proxy is the edge itself: they name it in a Route (RFC 3261, 8.1.2), or call it by its second name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sip.calls import call, finish, take_call
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import talk
from tests.sip.phone import REALM, Account, Phone

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]
Connect = Callable[..., Phone]
SECOND = "second.edge.test"


def route(edge: Edge) -> tuple[str, str]:
    """The preloaded route: the edge's own name, port and transport."""
    return ("Route", f"<sip:{REALM}:{edge.port};transport=tls;lr>")


def test_a_registration_by_way_of_the_edge_is_its_own(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    contact = ("Contact", f"<{phone.contact}>")

    assert 200 == phone.register_raw([contact, ("Expires", "120"), route(edge)]).status


def test_a_call_by_way_of_the_edge_reaches_the_callee(edge: Edge, hire: Hire) -> None:
    anna, ben = hire(), hire()
    outgoing = call(anna, ben.account.aor, [route(edge)])
    invite, media = take_call(ben)
    far, near = finish(outgoing, ben, invite, media)

    assert [] == invite.all("Route")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


@pytest.mark.parametrize("side", ["caller", "callee"])
def test_requests_within_a_call_may_go_by_way_of_the_edge_too(edge: Edge, hire: Hire, side: str) -> None:
    anna, ben = hire(), hire()
    outgoing = call(anna, ben.account.aor, [route(edge)])
    far, near = finish(outgoing, ben, *take_call(ben))
    asks, hears = (near, far) if side == "caller" else (far, near)
    asks.routes = [route(edge)[1], *asks.routes]
    asks.request("INFO")
    hears.phone.answer(hears.phone.receive("INFO"), "200 OK")

    assert 200 == asks.phone.receive().status
    assert 200 == hears.hang_up_with(asks).status


def test_a_phone_may_call_the_edge_by_its_second_name(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_SIP_SECOND=f"{SECOND}:5061").start()
    own_functions.add(account)
    phone = connect(account, edge, domain=SECOND)

    assert 200 == phone.register().status
    assert 404 == connect(account, edge, domain="third.edge.test").register().status
