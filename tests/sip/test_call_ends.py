"""Calls that the edge ends: a second answer to a call that has one, and what it hangs up on by itself, whoever is where.

Phones are behind routers here: what they give as Contact is an address of their home network, which the edge cannot reach.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.contracts.edge import CallSettings, EdgeAddress, Route, RouteOutcome
from tests.ports import free_port
from tests.sip.calls import Call, Outgoing, call, connected, finish, record_routes, take_call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import Behaviour, FunctionsServer
from tests.sip.media import Media, talk
from tests.sip.messages import SipMessage
from tests.sip.peer import Peer
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]
MOBILE = "+4917012345"


@dataclass
class Region:
    """Two edges; `here` has a trunk with one peer."""

    here: Edge
    there: Edge
    peer: Peer
    functions: FunctionsServer

    def lead_to(self, phone: Phone, *, settings: CallSettings | None = None, also_there: bool = False) -> None:
        """The functions say that the phone's user is bound here, or at both edges."""
        edges = (self.here, self.there) if also_there else (self.here,)
        self.functions.behaviour.routes[phone.account.aor] = Route(
            RouteOutcome.USER,
            aor=phone.account.aor,
            tenant_id="t",
            number=phone.account.aor,
            edges=tuple(EdgeAddress(edge.environment["EDGE_ID"], private_contact(edge)) for edge in edges),
            call_settings=settings or CallSettings(),
        )

    def end_all_calls(self) -> None:
        """As an edge does that has waited long enough for its calls."""
        end_all_calls(self.here)


def private_contact(edge: Edge) -> str:
    return f"sip:{edge.environment['EDGE_PRIVATE_ADDRESS']};transport=tcp"


def end_all_calls(edge: Edge) -> None:
    with urllib.request.urlopen(f"http://{edge.environment['EDGE_MEDIA_CONTROL']}/ended-all", data=b"", timeout=30) as answer:
        assert answer.status == 200


@pytest.fixture(scope="module")
def made_region(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    functions = FunctionsServer(*certificate)
    peer = Peer(*certificate)
    private = {"EDGE_PRIVATE_NETWORKS": "127.0.0.0/8"}
    trunk = {
        "EDGE_TRUNK_PEERS": f"127.0.0.1:{peer.listening}",
        "EDGE_TRUNK_NETWORKS": "127.0.0.0/8",
        "EDGE_TRUNK_NAME": "trunk.edge.test",
        "EDGE_TRUNK_PORT": str(free_port()),
        "EDGE_TRUNK_AUTHORITY": str(certificate[0]),
        "EDGE_TRUNK_PROBE_SECONDS": "1",
    }
    here, there = (
        Edge(
            tmp_path_factory.mktemp("edge"),
            *certificate,
            functions,
            {"EDGE_ID": name, "EDGE_PRIVATE_ADDRESS": f"127.0.0.1:{free_port()}", **private, **more},
        )
        for name, more in (("here", trunk), ("there", {}))
    )
    try:
        here.start_rtpengine().start()
        there.start_rtpengine().start()
        peer.accept()
        peer.wait_for_options()
        yield Region(here, there, peer, functions)
    finally:
        peer.close()
        here.close()
        there.close()
        functions.close()


@pytest.fixture
def region(made_region: Region) -> Region:
    made_region.functions.behaviour = Behaviour()
    return made_region


@pytest.fixture
def hire(region: Region, connect: Connect) -> Callable[..., Phone]:
    """`hire()`: a phone of a new user behind a router, at the edge `here` or `at` another."""

    def make(*, at: Edge | None = None, **more: object) -> Phone:
        def behind_router(account: Account, edge: Edge) -> Phone:
            return connect(account, edge, contact=f"sip:{account.aor}@192.168.1.10:5061;transport=tls")

        return hire_at(at or region.here, region.functions, behind_router, **more)

    return make


Hire = Callable[..., Phone]


def another_phone(phone: Phone, region: Region, connect: Connect, *, at: Edge | None = None) -> Phone:
    """Of the same user."""
    first = region.functions.behaviour.credentials[phone.account.username]
    account = Account(f"{phone.account.username}x", phone.account.aor)
    region.functions.add(account, tenant_id="t", may_call=True, number=first.number, user=first.user)
    other = connect(account, at or region.here, contact="sip:other@192.168.7.7:5061;transport=tls")
    assert other.register().status == 200
    return other


def answer(callee: Phone, invite: SipMessage, media: Media | None = None) -> None:
    """200 with an answer, without waiting for the ACK."""
    headers = [("Contact", f"<{callee.contact}>"), ("Content-Type", "application/sdp"), *record_routes(invite)]
    callee.answer(invite, "200 OK", headers, (media or Media(encrypted=b"SAVP" in invite.body)).sdp())


def assert_ended(callee: Phone, invite: SipMessage) -> None:
    """What the callee answered is acknowledged and hung up on, in the dialog that its answer made."""
    ack, bye = callee.receive("ACK"), callee.receive("BYE")
    callee.answer(bye, "200 OK")
    sequence = int(invite.header("CSeq").split(" ")[0])

    assert [f"{sequence} ACK", f"{sequence + 1} BYE"] == [ack.header("CSeq"), bye.header("CSeq")]
    assert callee.contact == ack.uri == bye.uri
    for request in (ack, bye):
        assert invite.header("Call-ID") == request.header("Call-ID")
        assert request.header("To").endswith(f";tag={callee.tag}")
        assert invite.header("From").partition(";tag=")[2] == request.header("From").partition(";tag=")[2]


def assert_hung_up(near: Call, far: Call) -> None:
    """Both sides get the edge's BYE, in their own dialog."""
    for side in (near, far):
        bye = side.phone.receive("BYE")
        side.phone.answer(bye, "200 OK")

        assert side.phone.contact == bye.uri
        assert [side.call_id, side.local.partition(";tag=")[2], side.remote.partition(";tag=")[2]] == [
            bye.header("Call-ID"), bye.header("To").partition(";tag=")[2], bye.header("From").partition(";tag=")[2],
        ]  # fmt: skip


def hears_nothing_more(phone: Phone) -> bool:
    try:
        phone.receive(seconds=0.3)
    except TimeoutError:
        return True
    return False


def test_of_two_phones_that_answer_at_once_the_second_is_hung_up_on_and_the_caller_hears_of_one(
    region: Region, hire: Hire, connect: Connect
) -> None:
    anna, ben = hire(), hire()
    region.lead_to(ben)
    other = another_phone(ben, region, connect)
    outgoing = call(anna, ben.account.aor)
    late, (invite, media) = ben.receive("INVITE"), take_call(other)
    far, near = finish(outgoing, other, invite, media)
    answer(ben, late)  # it crosses the CANCEL

    assert_ended(ben, late)
    assert hears_nothing_more(anna)
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == near.hang_up_with(far).status


def test_a_second_answer_from_another_edge_is_hung_up_on_too(region: Region, hire: Hire, connect: Connect) -> None:
    anna, ben = hire(), hire()
    other = another_phone(ben, region, connect, at=region.there)
    region.lead_to(ben, also_there=True)
    outgoing = call(anna, ben.account.aor)
    late, (invite, media) = other.receive("INVITE"), take_call(ben)
    far, near = finish(outgoing, ben, invite, media)
    answer(other, late)

    assert_ended(other, late)
    assert hears_nothing_more(anna)
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_a_mobile_that_answers_second_is_hung_up_on_through_the_proxies_of_the_trunk(region: Region, hire: Hire) -> None:
    anna, ben = hire(), hire()
    region.lead_to(ben, settings=CallSettings(also_ring=MOBILE))
    region.peer.catch_up()
    outgoing = call(anna, ben.account.aor)
    late, (invite, media) = region.peer.receive("INVITE"), take_call(ben)
    far, near = finish(outgoing, ben, invite, media)
    proxies = [("Record-Route", "<sip:far.test;lr>, <sip:near.test;lr>"), *record_routes(late)]
    content = [("Contact", f"<{region.peer.contact}>"), ("Content-Type", "application/sdp")]
    region.peer.answer(late, "200 OK", [*content, *proxies], Media().sdp())
    ack, bye = region.peer.receive("ACK"), region.peer.receive("BYE")
    region.peer.answer(bye, "200 OK")

    assert ["<sip:near.test;lr>,<sip:far.test;lr>"] * 2 == [one.header("Route").replace(" ", "") for one in (ack, bye)]
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_a_phone_that_answers_after_the_caller_was_refused_is_hung_up_on(region: Region, hire: Hire) -> None:
    nobody = hire()
    nobody.register(expires=0)
    region.lead_to(nobody)
    anna, ben = hire(), hire()
    region.lead_to(ben, settings=CallSettings(forward_on_timeout_to=nobody.account.aor, ring_seconds=1))
    outgoing = call(anna, ben.account.aor)
    invite = ben.receive("INVITE")
    assert 480 == outgoing.refused().status
    answer(ben, invite)

    assert_ended(ben, invite)
    assert hears_nothing_more(anna)


def test_early_media_of_one_phone_does_not_stay_when_another_answers(region: Region, hire: Hire, connect: Connect) -> None:
    anna, ben = hire(), hire()
    region.lead_to(ben)
    other = another_phone(ben, region, connect)
    outgoing = call(anna, ben.account.aor)
    early, (invite, media) = ben.receive("INVITE"), take_call(other)
    headers = [("Contact", f"<{ben.contact}>"), ("Content-Type", "application/sdp"), *record_routes(early)]
    ben.answer(early, "183 Session Progress", headers, Media().sdp())
    while outgoing.ringing().status != 183:
        pass
    far, near = finish(outgoing, other, invite, media)

    assert (20, 20) == talk(near.media, far.media)
    assert 200 == near.hang_up_with(far).status


def test_the_edge_hangs_up_on_two_phones(region: Region, hire: Hire) -> None:
    anna, ben = hire(), hire()
    region.lead_to(ben)
    near, far = connected(anna, ben.account.aor, ben)
    region.end_all_calls()

    assert_hung_up(near, far)


@pytest.mark.parametrize("answered", ["here", "there"])
def test_the_edge_hangs_up_where_phones_of_both_edges_rang(region: Region, hire: Hire, connect: Connect, answered: str) -> None:
    anna, ben = hire(), hire()
    other = another_phone(ben, region, connect, at=region.there)
    region.lead_to(ben, also_there=True)
    near, far = connected(anna, ben.account.aor, ben if answered == "here" else other)
    region.end_all_calls()

    assert_hung_up(near, far)


def test_the_edge_of_the_callee_hangs_up_on_both_too(region: Region, hire: Hire, connect: Connect) -> None:
    anna, ben = hire(), hire()
    other = another_phone(ben, region, connect, at=region.there)
    region.lead_to(ben, also_there=True)
    near, far = connected(anna, ben.account.aor, other)
    end_all_calls(region.there)

    assert_hung_up(near, far)


def test_the_edge_hangs_up_where_a_mobile_rang_along(region: Region, hire: Hire) -> None:
    anna, ben = hire(), hire()
    region.lead_to(ben, settings=CallSettings(also_ring=MOBILE))
    region.peer.catch_up()
    near, far = connected(anna, ben.account.aor, ben)
    region.peer.answer(region.peer.receive("INVITE"), "487 Request Terminated")
    region.end_all_calls()

    assert_hung_up(near, far)


def test_the_edge_hangs_up_on_a_mobile_that_rang_along(region: Region, hire: Hire) -> None:
    anna, ben = hire(), hire()
    region.lead_to(ben, settings=CallSettings(also_ring=MOBILE))
    region.peer.catch_up()
    near, far = connected(anna, ben.account.aor, region.peer)
    region.end_all_calls()

    assert_hung_up(near, far)


def test_the_edge_hangs_up_on_a_caller_from_outside(region: Region, hire: Hire, certificate: tuple[Path, Path]) -> None:
    ben = hire()
    region.lead_to(ben)
    caller = Peer(*certificate)
    caller.call_edge(int(region.here.environment["EDGE_TRUNK_PORT"]))
    proxies = [("Record-Route", f"<sip:127.0.0.1:{caller.listening};transport=tls;lr>")]
    outgoing = call(caller, ben.account.aor, proxies)
    near, far = _answered_by(ben, outgoing)
    contact = caller.contact
    region.end_all_calls()
    caller.accept()  # its proxy is where the BYE goes
    caller.contact = contact

    assert_hung_up(near, far)
    caller.close()


def _answered_by(callee: Phone, outgoing: Outgoing) -> tuple[Call, Call]:
    far, near = finish(outgoing, callee, *take_call(callee))
    return near, far


def test_a_call_is_ended_when_it_has_lasted_as_long_as_it_may(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge(EDGE_CALL_SECONDS="2").start_rtpengine().start()
    anna, ben = (hire_at(edge, own_functions, connect) for _ in range(2))
    near, far = connected(anna, ben.account.aor, ben)

    assert_hung_up(near, far)
    wait_until(lambda: near.ask("INFO").status == 481)


def test_a_call_ends_where_a_phone_is_gone_though_the_other_still_talks(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge(EDGE_GONE_SECONDS="1").start_rtpengine().start()
    anna, ben = (hire_at(edge, own_functions, connect) for _ in range(2))
    near, _ = connected(anna, ben.account.aor, ben)
    ben.close(reset=True)
    bye = anna.receive("BYE")
    anna.answer(bye, "200 OK")

    assert near.call_id == bye.header("Call-ID")


def test_a_phone_that_comes_back_over_a_new_connection_goes_on_with_its_call(
    region: Region, hire: Hire, connect: Connect
) -> None:
    anna, ben = hire(), hire()
    region.lead_to(ben)
    near, far = connected(anna, ben.account.aor, ben)
    ben.close(reset=True)
    far.phone = connect(ben.account, region.here, contact=ben.contact)
    assert far.phone.register().status == 200

    assert 200 == near.hang_up_with(far).status
