"""Two edges of a region: a call finds its callee's phones wherever they are bound, and no call goes round in a circle."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chalicelib.contracts.edge import CallSettings, EdgeAddress, EventType, Route, RouteOutcome
from tests.ports import free_port
from tests.sip.calls import call, finish, take_call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import Behaviour, FunctionsServer
from tests.sip.media import talk
from tests.sip.messages import render_message, take_message
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]


@dataclass
class Region:
    here: Edge
    there: Edge
    functions: FunctionsServer

    def contact(self, edge: Edge) -> str:
        return f"sip:{edge.environment['EDGE_PRIVATE_ADDRESS']};transport=tcp"

    def lead_to(self, phone: Phone, *edges: Edge) -> None:
        """The functions answer that the phone's user is bound at these edges."""
        addresses = tuple(EdgeAddress(edge.environment["EDGE_ID"], self.contact(edge)) for edge in edges)
        self.functions.behaviour.routes[phone.account.aor] = Route(
            RouteOutcome.USER, aor=phone.account.aor, tenant_id="t", number=phone.account.aor, edges=addresses
        )


@pytest.fixture(scope="module")
def made_region(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    functions = FunctionsServer(*certificate)
    edges = [
        Edge(
            tmp_path_factory.mktemp("edge"),
            *certificate,
            functions,
            {
                "EDGE_ID": name,
                "EDGE_PRIVATE_ADDRESS": f"127.0.0.1:{free_port()}",
                "EDGE_PRIVATE_NETWORKS": "127.0.0.0/8",
            },
        )
        for name in ("here", "there")
    ]
    try:
        yield Region(edges[0].start_rtpengine().start(), edges[1].start_rtpengine().start(), functions)
    finally:
        for edge in edges:
            edge.close()
        functions.close()


@pytest.fixture
def region(made_region: Region) -> Region:
    made_region.functions.behaviour = Behaviour()
    return made_region


def test_an_edge_says_where_others_reach_it(region: Region) -> None:
    contacts = {region.contact(region.here), region.contact(region.there)}

    wait_until(lambda: contacts == {e.contact for e in region.functions.events if e.type is EventType.EDGE_STARTED})


def test_a_phone_at_another_edge_rings_and_both_hear_each_other(region: Region, connect: Connect) -> None:
    anna = hire_at(region.here, region.functions, connect)
    ben = hire_at(region.there, region.functions, connect)
    region.lead_to(ben, region.there)
    outgoing = call(anna, ben.account.aor)
    invite, media = take_call(ben)
    far, near = finish(outgoing, ben, invite, media)

    assert anna.account.aor in invite.header("P-Asserted-Identity")
    assert anna.account.aor in invite.header("From")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_a_caller_who_hides_is_not_told_to_a_phone_at_another_edge(region: Region, connect: Connect) -> None:
    anna = hire_at(region.here, region.functions, connect)
    ben = hire_at(region.there, region.functions, connect)
    region.lead_to(ben, region.there)
    call(anna, ben.account.aor, [("Privacy", "id")])
    invite, _ = take_call(ben)

    assert "anonymous" in invite.header("From")
    assert [] == invite.all("P-Asserted-Identity")


def test_the_caller_may_end_a_call_to_another_edge(region: Region, connect: Connect) -> None:
    anna = hire_at(region.here, region.functions, connect)
    ben = hire_at(region.there, region.functions, connect)
    region.lead_to(ben, region.there)
    outgoing = call(anna, ben.account.aor)
    far, near = finish(outgoing, ben, *take_call(ben))

    assert 200 == near.hang_up_with(far).status


def test_phones_of_one_user_at_both_edges_ring_together(region: Region, connect: Connect) -> None:
    anna = hire_at(region.here, region.functions, connect)
    ben = hire_at(region.here, region.functions, connect)
    account = Account(f"{ben.account.username}x", ben.account.aor)
    region.functions.behaviour.credentials[account.username] = region.functions.behaviour.credentials[ben.account.username]
    region.functions.add(account, tenant_id="t", may_call=True, number=ben.account.aor)
    other = connect(account, region.there)
    other.register()
    region.lead_to(ben, region.here, region.there)
    outgoing = call(anna, ben.account.aor)
    take_call(ben)
    far, near = finish(outgoing, other, *take_call(other))
    cancel = ben.receive("CANCEL")
    ben.answer(cancel, "200 OK")

    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


@pytest.mark.parametrize("kind", ["forward_to", "forward_on_timeout_to"])
def test_a_call_is_forwarded_to_a_colleague_at_another_edge(region: Region, connect: Connect, kind: str) -> None:
    anna, ben = (hire_at(region.here, region.functions, connect) for _ in range(2))
    cleo = hire_at(region.there, region.functions, connect)
    region.lead_to(ben, region.here)
    region.lead_to(cleo, region.there)
    routes = region.functions.behaviour.routes
    settings = CallSettings(**{kind: cleo.account.aor, "ring_seconds": 1})  # type: ignore[arg-type]
    routes[ben.account.aor] = replace(routes[ben.account.aor], call_settings=settings)
    outgoing = call(anna, ben.account.aor)
    far, near = finish(outgoing, cleo, *take_call(cleo))

    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


@pytest.mark.parametrize("bound", ["here", "at both", "nowhere"])
def test_a_colleague_at_another_edge_rings_along(region: Region, connect: Connect, bound: str) -> None:
    """`bound`: where the called user's own phones are."""
    anna = hire_at(region.here, region.functions, connect)
    ben = hire_at(region.here, region.functions, connect)
    cleo = hire_at(region.there, region.functions, connect)
    if bound == "nowhere":
        ben.register(expires=0)
    edges = {"here": [region.here], "at both": [region.here, region.there], "nowhere": []}[bound]
    region.lead_to(ben, *edges)
    routes = region.functions.behaviour.routes
    routes[ben.account.aor] = replace(
        routes[ben.account.aor],
        call_settings=CallSettings(also_ring=cleo.account.aor),
        also_ring_aor=cleo.account.aor,
        also_ring_edges=(EdgeAddress("there", region.contact(region.there)),),
    )
    outgoing = call(anna, ben.account.aor)
    if bound != "nowhere":
        take_call(ben)
    far, near = finish(outgoing, cleo, *take_call(cleo))

    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_with_the_functions_away_a_phone_that_is_bound_here_rings(region: Region, connect: Connect) -> None:
    anna = hire_at(region.here, region.functions, connect)
    ben = hire_at(region.here, region.functions, connect)
    region.functions.behaviour.status = 500
    call(anna, ben.account.aor)

    assert anna.account.aor in take_call(ben)[0].header("From")


def test_an_edge_rings_its_own_phones_alone_for_another_edge(region: Region, connect: Connect) -> None:
    """A stale route must not send a call from edge to edge."""
    anna = hire_at(region.here, region.functions, connect)
    ben = hire_at(region.there, region.functions, connect)
    region.lead_to(ben, region.there)
    ben.register(expires=0)
    region.functions.behaviour.routes[ben.account.aor] = replace(
        region.functions.behaviour.routes[ben.account.aor],
        edges=(
            EdgeAddress("there", region.contact(region.there)),
            EdgeAddress("here", region.contact(region.here)),
        ),
    )
    before = len(region.functions.requests)

    assert 480 == call(anna, ben.account.aor).refused().status
    assert 1 == sum(path == "/edge/v1/route" for path, _ in region.functions.requests[before:])


def test_nobody_from_elsewhere_speaks_to_the_private_port(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer
) -> None:
    address = f"127.0.0.1:{free_port()}"
    edge = make_edge(EDGE_PRIVATE_ADDRESS=address, EDGE_PRIVATE_NETWORKS="10.9.8.0/24").start()
    assert edge.functions is own_functions
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=5) as stranger:
        headers = [
            ("Via", f"SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{time.monotonic_ns()}"),
            ("From", "<sip:x@edge.test>;tag=1"),
            ("To", "<sip:y@edge.test>"),
            ("Call-ID", "x"),
            ("CSeq", "1 INVITE"),
            ("Max-Forwards", "70"),
            ("Contact", "<sip:x@127.0.0.1:9>"),
        ]
        stranger.sendall(render_message("INVITE sip:y@edge.test SIP/2.0", headers))
        try:
            answer = stranger.recv(4096)
        except ConnectionResetError:
            answer = b""

    assert (None, b"") == take_message(answer)
