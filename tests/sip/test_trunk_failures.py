"""A trunk whose peers refuse, are away or move: the next one has the call, and an emergency call tries them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib.contracts.edge import CallSettings
from tests.ports import free_port
from tests.sip.calls import call, finish, take_call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import Media
from tests.sip.peer import Peer
from tests.sip.phone import Phone
from tests.sip.trunk import OUTSIDE, Trunk, outside_is_known, trunk_settings

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]
Start = Callable[..., tuple[Phone, list[Peer]]]


@pytest.fixture
def start(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, certificate: tuple[Path, Path], connect: Connect
) -> Iterator[Start]:
    """`start(2)`: an edge with two peers of its own that answer OPTIONS with `options`, and a phone there."""
    made: list[Peer] = []

    def begin(count: int = 1, *, options: str = "200 OK", dedicated: bool = False, **more: str) -> tuple[Phone, list[Peer]]:
        peers = [Peer(*certificate, status=options) for _ in range(count)]
        made.extend(peers)
        own = {"EDGE_EMERGENCY_PEERS": f"127.0.0.1:{peers[-1].listening}"} if dedicated else {}
        settings = trunk_settings(certificate, free_port(), peers[:-1] if dedicated else peers, **own, **more)
        edge = make_edge(**settings).start_rtpengine().start()
        for peer in peers:
            peer.accept()
            peer.wait_for_options()
        own_functions.behaviour = outside_is_known()
        return hire_at(edge, own_functions, connect, language="de", emergency=True, emergency_numbers=("112",)), peers

    yield begin
    for peer in made:
        peer.close()


@pytest.mark.parametrize("said", ["403 Forbidden", "404 Not Found", "486 Busy Here", "488 Not Acceptable Here", "603 Decline"])
def test_an_emergency_call_takes_no_for_an_answer_from_no_single_peer(trunk: Trunk, connect: Connect, said: str) -> None:
    anna = hire_at(trunk.edge, trunk.functions, connect, emergency=True, emergency_numbers=("112",))
    outgoing = call(anna, "112")
    trunk.peers[0].answer(trunk.peers[0].receive("INVITE"), said)
    trunk.peers[0].receive("ACK")
    invite, media = take_call(trunk.peers[1], media=Media(encrypted=False))
    far, near = finish(outgoing, trunk.peers[1], invite, media)

    assert invite.uri.startswith("sip:112@")
    assert 200 == near.hang_up_with(far).status


def test_a_mobile_that_rings_along_and_is_busy_does_not_end_the_ringing_early(trunk: Trunk, connect: Connect) -> None:
    anna, cleo = (hire_at(trunk.edge, trunk.functions, connect) for _ in range(2))
    settings = CallSettings(also_ring=OUTSIDE, forward_on_timeout_to=cleo.account.aor, ring_seconds=1)
    ben = hire_at(trunk.edge, trunk.functions, connect, call_settings=settings)
    call(anna, ben.account.aor)
    take_call(ben)
    trunk.peers[0].answer(trunk.peers[0].receive("INVITE"), "404 Not Found")
    trunk.peers[0].receive("ACK")

    assert cleo.receive("INVITE").uri.startswith("sip:")


def test_a_peer_that_was_there_a_moment_ago_is_followed_by_the_next(start: Start) -> None:
    anna, (first, second) = start(2, EDGE_TRUNK_PROBE_SECONDS="5")
    first.close()
    call(anna, OUTSIDE)

    assert OUTSIDE in second.receive("INVITE").uri


def test_an_emergency_call_goes_to_the_trunk_where_its_own_peers_do_not_take_it(start: Start) -> None:
    anna, (usual, dedicated) = start(2, dedicated=True)
    call(anna, "112")
    dedicated.answer(dedicated.receive("INVITE"), "503 Service Unavailable")

    assert usual.receive("INVITE").uri.startswith("sip:112@")


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented"])
def test_a_peer_that_does_not_serve_options_is_alive_all_the_same(start: Start, status: str) -> None:
    anna, (peer,) = start(options=status)
    _probe_again(peer)
    call(anna, OUTSIDE)

    assert OUTSIDE in peer.receive("INVITE").uri


def test_with_all_peers_away_a_number_is_put_off_and_not_called_unknown(start: Start) -> None:
    anna, (peer,) = start(options="503 Service Unavailable")
    _probe_again(peer)
    answer = call(anna, OUTSIDE).refused()

    assert (503, "Versuchen Sie es in einer Minute noch einmal") == (answer.status, answer.phrase)


def test_an_emergency_call_is_tried_though_the_peer_seems_to_be_away(start: Start) -> None:
    anna, (peer,) = start(options="503 Service Unavailable")
    _probe_again(peer)
    call(anna, "112")

    assert peer.receive("INVITE").uri.startswith("sip:112@")


def test_a_peer_is_called_where_it_said_last(trunk: Trunk, connect: Connect) -> None:
    """The Contact of the answer to a re-INVITE is its new one (RFC 3261 section 12.2.1.2)."""
    anna, peer = hire_at(trunk.edge, trunk.functions, connect), trunk.peers[0]
    outgoing = call(anna, OUTSIDE)
    invite, media = take_call(peer, media=Media(encrypted=False))
    far, near = finish(outgoing, peer, invite, media)
    near.request("INVITE", [("Content-Type", "application/sdp")], near.media.sdp())
    moved = f"sip:moved@{peer.address};transport=tls"
    peer.answer(peer.receive("INVITE"), "200 OK", [("Contact", f"<{moved}>"), ("Content-Type", "application/sdp")], media.sdp())
    anna.receive()
    near.acknowledge()
    acknowledged = peer.receive("ACK").uri
    near.request("BYE")
    bye = peer.receive("BYE")
    peer.answer(bye, "200 OK")

    assert far.phone.contact != moved
    assert [moved, moved, 200] == [acknowledged, bye.uri, anna.receive().status]


def test_nobody_out_there_sends_a_phone_to_another_number(trunk: Trunk, connect: Connect) -> None:
    anna, peer = hire_at(trunk.edge, trunk.functions, connect), trunk.peers[0]
    outgoing = call(anna, OUTSIDE)
    invite, media = take_call(peer, media=Media(encrypted=False))
    far, _ = finish(outgoing, peer, invite, media)

    assert 403 == far.ask("REFER", [("Refer-To", "<sip:+1900555@carrier.test>")]).status
    with pytest.raises(TimeoutError):
        anna.receive("REFER", seconds=0.2)


def _probe_again(peer: Peer) -> None:
    """Twice would do for the edge to take it for gone."""
    for _ in range(4):
        peer.options.clear()
        peer.wait_for_options()
