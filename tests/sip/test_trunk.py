"""Calls to and from the public network over the trunk's TLS peers, and emergency calls."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.contracts.edge import CREDENTIALS_PATH, ROUTE_PATH, CallSettings
from tests.ports import free_port
from tests.sip.calls import call, finish, take_call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.media import Media, talk
from tests.sip.peer import Peer
from tests.sip.phone import Phone
from tests.sip.trunk import OUTSIDE, Trunk

pytestmark = pytest.mark.sip


@pytest.fixture
def hire(trunk: Trunk, connect: Callable[..., Phone]) -> Callable[..., Phone]:
    return lambda **more: hire_at(trunk.edge, trunk.functions, connect, **more)


Hire = Callable[..., Phone]


def test_the_edge_watches_its_peers_and_answers_them(trunk: Trunk, certificate: tuple[Path, Path]) -> None:
    options = trunk.peers[0].wait_for_options()
    caller = Peer(*certificate)
    caller.call_edge(trunk.port)

    assert f"<sip:trunk.edge.test:{trunk.port};transport=tls>" == options.header("Contact")
    assert "sip:trunk.edge.test" in options.header("From")
    assert 200 == caller.ask_options().status
    caller.close()


def test_a_call_goes_out_with_the_user_s_number_and_both_hear_each_other(trunk: Trunk, hire: Hire) -> None:
    anna, peer = hire(), trunk.peers[0]
    outgoing = call(anna, OUTSIDE)
    invite, media = take_call(peer, media=Media(encrypted=False))
    identity = f'"User {_n(anna)}" <sip:{anna.account.aor}@trunk.edge.test>'

    assert invite.uri.startswith(f"sip:{OUTSIDE}@")
    assert identity == invite.header("P-Asserted-Identity")
    assert invite.header("From").startswith(identity)
    assert f"<sip:trunk.edge.test:{trunk.port};transport=tls>" == invite.header("Contact")
    assert f"<sip:trunk.edge.test:{trunk.port};transport=tls" in invite.all("Record-Route")[0]
    far, near = finish(outgoing, peer, invite, media)
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_a_phone_may_end_its_call_to_the_public_network(trunk: Trunk, hire: Hire) -> None:
    anna, peer = hire(), trunk.peers[0]
    outgoing = call(anna, OUTSIDE)
    invite, media = take_call(peer, media=Media(encrypted=False))
    far, near = finish(outgoing, peer, invite, media)

    assert 200 == near.hang_up_with(far).status


def test_a_peer_that_cannot_take_the_call_is_followed_by_the_next(trunk: Trunk, hire: Hire) -> None:
    anna = hire()
    outgoing = call(anna, OUTSIDE)
    first, _ = take_call(trunk.peers[0])
    trunk.peers[0].answer(first, "503 Service Unavailable")
    invite, media = take_call(trunk.peers[1], media=Media(encrypted=False))
    far, near = finish(outgoing, trunk.peers[1], invite, media)

    assert first.header("P-Asserted-Identity") == invite.header("P-Asserted-Identity")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_with_the_functions_away_a_number_in_full_still_goes_out(trunk: Trunk, hire: Hire) -> None:
    anna = hire()
    trunk.functions.behaviour.status = 500
    call(anna, OUTSIDE)

    assert OUTSIDE in take_call(trunk.peers[0])[0].uri


def test_a_number_that_the_network_does_not_know_is_told_in_the_phone_s_language(trunk: Trunk, hire: Hire) -> None:
    anna = hire(language="es")
    outgoing = call(anna, OUTSIDE)
    trunk.peers[0].answer(trunk.peers[0].receive("INVITE"), "404 Not Found")
    answer = outgoing.refused()

    assert (404, "Este número no existe") == (answer.status, answer.phrase)


def test_a_call_from_outside_rings_the_user_s_phone(trunk: Trunk, hire: Hire, certificate: tuple[Path, Path]) -> None:
    ben, caller = hire(), Peer(*certificate)
    caller.call_edge(trunk.port)
    before = trunk.functions.asked(ROUTE_PATH)
    claimed = [("P-Asserted-Identity", "<sip:+4940555@carrier.test>")]
    outgoing = call(caller, ben.account.aor, claimed, media=Media(encrypted=False))
    invite, media = take_call(ben)
    far, near = finish(outgoing, ben, invite, media)

    assert "<sip:+4940555@carrier.test>" == invite.header("P-Asserted-Identity")
    assert before == trunk.functions.asked(ROUTE_PATH)
    assert near.answer is not None
    assert f"<sip:trunk.edge.test:{trunk.port};transport=tls>" == near.answer.header("Contact")
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == near.hang_up_with(far).status
    caller.close()


@pytest.mark.parametrize(("privacy", "told"), [("id", False), ("user;id", False), ("none", True)])
def test_a_caller_from_outside_who_hides_is_not_told_to_the_phone(
    trunk: Trunk, hire: Hire, certificate: tuple[Path, Path], *, privacy: str, told: bool
) -> None:
    ben, caller = hire(), Peer(*certificate)
    caller.call_edge(trunk.port)
    identity = ("P-Asserted-Identity", "<sip:+4940555@carrier.test>")
    outgoing = call(caller, ben.account.aor, [("Privacy", privacy), identity], media=Media(encrypted=False))
    invite, media = take_call(ben)
    _, near = finish(outgoing, ben, invite, media)
    near.request("UPDATE", [("Privacy", privacy), identity])

    assert told == ("+4940555" in str(invite.headers)) == ("+4940555" in str(ben.receive("UPDATE").headers))
    caller.close()


def test_a_caller_who_hides_is_told_to_the_public_network_alone(trunk: Trunk, hire: Hire) -> None:
    anna = hire()
    call(anna, OUTSIDE, [("Privacy", "user")])
    invite, _ = take_call(trunk.peers[0])

    assert invite.header("From").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')
    assert f'"User {_n(anna)}" <sip:{anna.account.aor}@trunk.edge.test>' == invite.header("P-Asserted-Identity")
    assert ["id"] == invite.all("Privacy")


def test_nobody_calls_in_without_a_certificate(trunk: Trunk, certificate: tuple[Path, Path]) -> None:
    stranger = Peer(*certificate)

    def talk_to_edge() -> None:
        stranger.call_edge(trunk.port, with_certificate=False)
        stranger.ask_options()

    with pytest.raises((ssl.SSLError, ConnectionError, OSError)):
        talk_to_edge()
    stranger.close()


def test_a_user_may_forward_to_the_public_network_and_the_network_is_told_for_whom(trunk: Trunk, hire: Hire) -> None:
    anna, ben = hire(), hire(call_settings=CallSettings(forward_to=OUTSIDE))
    call(anna, ben.account.aor)
    invite, _ = take_call(trunk.peers[0])

    assert f"<sip:{ben.account.aor}@trunk.edge.test>;reason=unconditional" == invite.header("Diversion")
    assert anna.account.aor in invite.header("From")


def test_a_call_that_nobody_answers_goes_out_and_comes_back_over_the_trunk_s_own_way(trunk: Trunk, hire: Hire) -> None:
    anna, ben = hire(), hire(call_settings=CallSettings(forward_on_timeout_to=OUTSIDE, ring_seconds=1))
    outgoing = call(anna, ben.account.aor)
    first, _ = take_call(ben)
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(first, "487 Request Terminated")
    invite, media = take_call(trunk.peers[0], media=Media(encrypted=False))
    far, near = finish(outgoing, trunk.peers[0], invite, media)

    assert f"<sip:trunk.edge.test:{trunk.port};transport=tls" in invite.all("Record-Route")[0]
    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


@pytest.mark.parametrize(("diversions", "status"), [(5, 480), (4, 0)])
def test_a_call_that_was_forwarded_five_times_is_forwarded_no_more(
    trunk: Trunk, hire: Hire, certificate: tuple[Path, Path], diversions: int, status: int
) -> None:
    ben = hire(call_settings=CallSettings(forward_to=OUTSIDE))
    caller = Peer(*certificate)
    caller.call_edge(trunk.port)
    headers = [("Diversion", f"<sip:+49301{n}@peer.test>;reason=unconditional") for n in range(diversions)]
    outgoing = call(caller, ben.account.aor, headers, media=Media(encrypted=False))
    if status:
        answer = outgoing.refused()
        assert (status, "Forwarded in circles") == (answer.status, answer.phrase)
    else:
        assert OUTSIDE in take_call(trunk.peers[0])[0].uri
    caller.close()


def test_a_call_from_outside_never_goes_out_again_by_itself(trunk: Trunk, hire: Hire, certificate: tuple[Path, Path]) -> None:
    hire()
    caller = Peer(*certificate)
    caller.call_edge(trunk.port)
    answer = call(caller, OUTSIDE, media=Media(encrypted=False)).refused()
    caller.close()

    assert (404, "This number is not known") == (answer.status, answer.phrase)


def test_a_mobile_may_ring_along_with_the_phone(trunk: Trunk, hire: Hire) -> None:
    anna, ben = hire(), hire(call_settings=CallSettings(also_ring=OUTSIDE))
    outgoing = call(anna, ben.account.aor)
    take_call(ben)
    invite, media = take_call(trunk.peers[0], media=Media(encrypted=False))
    far, near = finish(outgoing, trunk.peers[0], invite, media)
    ben.answer(ben.receive("CANCEL"), "200 OK")

    assert (20, 20) == talk(near.media, far.media)
    assert 200 == far.hang_up_with(near).status


def test_an_emergency_call_waits_for_nobody_and_says_where_the_phone_is(trunk: Trunk, hire: Hire) -> None:
    anna = hire(emergency=True, emergency_numbers=("112",), location="Lobby <2>")
    trunk.functions.behaviour.away = True
    asked = len(trunk.functions.requests)
    outgoing = call(anna, "112")
    invite, media = take_call(trunk.peers[0], media=Media(encrypted=False))
    parts = invite.body.decode()
    invite_for_media = type(invite)(invite.first_line, invite.headers, parts.encode())
    far, near = finish(outgoing, trunk.peers[0], invite_for_media, media)

    assert invite.uri.startswith("sip:112@")
    assert anna.account.aor in invite.header("P-Asserted-Identity")
    assert "<cid:location@edge.test>" == invite.header("Geolocation")
    assert "Content-ID: <location@edge.test>" in parts
    assert "<ca:LOC>Lobby &lt;2&gt;</ca:LOC>" in parts
    assert invite.header("Content-Type").startswith("multipart/mixed")
    assert (20, 20) == talk(near.media, far.media)
    assert [] == [path for path, _ in trunk.functions.requests[asked:] if path in {ROUTE_PATH, CREDENTIALS_PATH}]


def test_who_calls_for_help_is_told_whatever_the_phone_hides(trunk: Trunk, hire: Hire) -> None:
    anna = hire(emergency=True, emergency_numbers=("112",))
    call(anna, "112", [("Privacy", "id")])
    invite, _ = take_call(trunk.peers[0])

    assert anna.account.aor in invite.header("From")
    assert anna.account.aor in invite.header("P-Asserted-Identity")
    assert [] == invite.all("Privacy")


def test_a_signed_out_phone_dials_the_emergency_numbers_that_it_may_and_no_other(trunk: Trunk, hire: Hire) -> None:
    phone = hire(may_call=False, emergency=True, emergency_numbers=("112",), number="+49899990", user="")
    call(phone, "112")

    assert take_call(trunk.peers[0])[0].uri.startswith("sip:112@")
    assert 403 == call(phone, OUTSIDE).refused().status


def test_a_small_screen_is_told_in_the_words_that_fit_it(hire: Hire) -> None:
    phone = hire(may_call=False, number="+49899992", user="", language="de", emergency_refusal="Press Sign In")

    assert (403, "Press Sign In") == ((answer := call(phone, "112").refused()).status, answer.phrase)


def test_a_signed_out_phone_that_may_not_is_told_to_sign_in(hire: Hire) -> None:
    phone = hire(may_call=False, number="+49899991", user="", language="de")
    answer = call(phone, "112").refused()

    assert (403, "Melden Sie sich an, um einen Notruf abzusetzen") == (answer.status, answer.phrase)


def test_a_peer_s_connection_is_kept_whoever_opened_it(make_edge: Callable[..., Edge], certificate: tuple[Path, Path]) -> None:
    peer, caller, port = Peer(*certificate), Peer(*certificate), free_port()
    settings = {
        "EDGE_TRUNK_PEERS": f"127.0.0.1:{peer.listening}",
        "EDGE_TRUNK_NETWORKS": "127.0.0.0/8",
        "EDGE_TRUNK_PORT": str(port),
        "EDGE_TRUNK_AUTHORITY": str(certificate[0]),
        "EDGE_TRUNK_PROBE_SECONDS": "8",
        "EDGE_STRANGER_SECONDS": "1",
    }
    make_edge(**settings).start()  # the last of this file: meanwhile nobody answers the other edge's OPTIONS
    peer.accept()
    peer.wait_for_options()
    caller.call_edge(port)
    first = caller.ask_options()
    peer.options.clear()
    peer.wait_for_options()  # eight silent seconds later, on the same connection: the peer has accepted no other

    assert [200, 200] == [first.status, caller.ask_options().status]
    peer.close()
    caller.close()


def _n(phone: Phone) -> str:
    return phone.account.username.rpartition(".")[2]


def test_a_route_that_a_phone_makes_up_within_a_call_leads_nowhere(trunk: Trunk, hire: Hire) -> None:
    anna, peer = hire(), trunk.peers[0]
    outgoing = call(anna, OUTSIDE)
    invite, media = take_call(peer, media=Media(encrypted=False))
    far, near = finish(outgoing, peer, invite, media)
    with socket.create_server(("127.0.0.1", 0)) as inside:
        address = f"sip:127.0.0.1:{inside.getsockname()[1]};transport=tcp"
        near.routes, near.target = [*near.routes, f"<{address};lr>"], address
        near.request("INFO")
        info = peer.receive("INFO")
        peer.answer(info, "200 OK")
        inside.settimeout(0)
        with pytest.raises(BlockingIOError):
            inside.accept()

    assert far.phone.contact == info.uri
    assert 200 == anna.receive().status
