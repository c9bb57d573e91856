"""Two edges behind one name: what a trunk's peer sends within a call finds the edge that has the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chalicelib.contracts.edge import Route, RouteOutcome
from tests.ports import free_port
from tests.sip.calls import Call, call, finish, take_call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import Media, talk
from tests.sip.peer import Peer
from tests.sip.phone import Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
OUTSIDE = "+4930123456"
NETWORK = "127.0.0.0/8"


@dataclass
class Region:
    here: Edge
    there: Edge
    functions: FunctionsServer
    peer: Peer  # both edges call it; `here` has

    def port(self, edge: Edge) -> int:
        return int(edge.environment["EDGE_TRUNK_PORT"])


@pytest.fixture
def region(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    functions, peer, away = FunctionsServer(*certificate), Peer(*certificate), Peer(*certificate)
    edges = [
        Edge(
            tmp_path_factory.mktemp("edge"),
            *certificate,
            functions,
            {
                "EDGE_ID": name,
                "EDGE_PRIVATE_ADDRESS": f"127.0.0.1:{free_port()}",
                "EDGE_PRIVATE_NETWORKS": NETWORK,
                "EDGE_TRUNK_PEERS": f"127.0.0.1:{server.listening}",
                "EDGE_TRUNK_NETWORKS": NETWORK,
                "EDGE_TRUNK_NAME": "trunk.edge.test",
                "EDGE_TRUNK_PORT": str(free_port()),
                "EDGE_TRUNK_AUTHORITY": str(certificate[0]),
                "EDGE_TRUNK_MEDIA": "rtp",
                "EDGE_TRUNK_PROBE_SECONDS": "1",
            },
        )
        for name, server in (("here", peer), ("there", away))
    ]
    functions.behaviour.routes[OUTSIDE] = Route(RouteOutcome.TRUNK, number=OUTSIDE)
    try:
        edges[0].start_rtpengine().start()
        edges[1].start_rtpengine().start()
        peer.accept()
        peer.wait_for_options()
        yield Region(edges[0], edges[1], functions, peer)
    finally:
        for one in (*edges, peer, away, functions):
            one.close()


@pytest.fixture
def elsewhere(region: Region, certificate: tuple[Path, Path]) -> Iterator[Peer]:
    """The peer's new connection, which has reached the edge that does not have its calls."""
    with Peer(*certificate) as peer:
        peer.call_edge(region.port(region.there))
        yield peer


def call_out(region: Region, phone: Phone) -> tuple[Call, Call]:
    """A call from the phone to the peer: the peer's side, the phone's side."""
    outgoing = call(phone, OUTSIDE)
    invite, media = take_call(region.peer, media=Media(encrypted=False))
    return finish(outgoing, region.peer, invite, media)


def test_a_peer_ends_a_call_over_a_connection_to_another_edge(
    region: Region, elsewhere: Peer, connect: Callable[..., Phone]
) -> None:
    far, near = call_out(region, hire_at(region.here, region.functions, connect))

    assert 200 == replace(far, phone=elsewhere).hang_up_with(near).status


def test_a_peer_holds_a_call_over_a_connection_to_another_edge(
    region: Region, elsewhere: Peer, connect: Callable[..., Phone]
) -> None:
    far, near = call_out(region, hire_at(region.here, region.functions, connect))
    side = replace(far, phone=elsewhere)
    side.request("INVITE", [("Content-Type", "application/sdp")], far.media.sdp())
    invite = near.phone.receive("INVITE")
    near.media.connect(invite.body)
    accepted = [("Contact", f"<{near.phone.contact}>"), ("Content-Type", "application/sdp")]
    near.phone.answer(invite, "200 OK", accepted, near.media.sdp())
    answer = elsewhere.receive()
    side.acknowledge(side.sequence)
    near.phone.receive("ACK")
    far.media.connect(answer.body)

    assert 200 == answer.status
    assert f"<sip:trunk.edge.test:{region.port(region.here)};transport=tls>" == answer.header("Contact")
    wait_until(lambda: talk(near.media, far.media) == (20, 20))  # rtpengine may still learn the sides' addresses anew
    assert 200 == side.hang_up_with(near).status  # its Contact has moved there


def test_a_peer_s_own_call_is_ended_over_a_connection_to_another_edge(
    region: Region, elsewhere: Peer, certificate: tuple[Path, Path], connect: Callable[..., Phone]
) -> None:
    ben = hire_at(region.here, region.functions, connect)
    region.functions.behaviour.routes[ben.account.aor] = Route(
        RouteOutcome.USER, aor=ben.account.aor, tenant_id="t", number=ben.account.aor
    )
    with Peer(*certificate) as caller:
        caller.call_edge(region.port(region.here))
        outgoing = call(caller, ben.account.aor, media=Media(encrypted=False))
        far, near = finish(outgoing, ben, *take_call(ben))

        assert 200 == replace(near, phone=elsewhere).hang_up_with(far).status


@pytest.mark.parametrize("address", ["192.0.2.7:5060", "localhost:5060", "127.0.0.1"])
def test_a_peer_sends_nobody_anywhere_else(
    region: Region, elsewhere: Peer, connect: Callable[..., Phone], address: str
) -> None:
    far, near = call_out(region, hire_at(region.here, region.functions, connect))
    own = region.here.environment["EDGE_PRIVATE_ADDRESS"]
    astray = replace(far, phone=elsewhere, routes=[route.replace(own, address) for route in far.routes])

    assert astray.routes != far.routes
    assert 481 == astray.ask("BYE").status
    assert 200 == far.hang_up_with(near).status
