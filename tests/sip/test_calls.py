"""Calls between phones of a tenant on one edge: nobody is asked, both hear each other, and the end is clean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import ROUTE_PATH
from tests.sip.calls import Call, call, connected, finish, record_routes, take_call, uri_of
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.media import Media, talk
from tests.sip.phone import REALM, Phone

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


def number_of(phone: Phone) -> str:
    return phone.account.aor


def test_two_phones_talk_encrypted_through_the_edge_without_a_question_to_the_functions(
    functions: FunctionsServer, hire: Hire
) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, number_of(ben), ben)

    assert (20, 20) == talk(near.media, far.media)
    assert all(49152 <= media.port <= 53247 for media in (near.media, far.media))
    assert 0 == functions.asked(ROUTE_PATH, to=number_of(ben))
    assert 200 == near.hang_up_with(far).status


def test_the_callee_may_hang_up_and_nothing_of_the_call_is_left(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, number_of(ben), ben)

    assert 200 == far.hang_up_with(near).status
    assert 481 == near.ask("INFO").status


@pytest.mark.parametrize("form", ["{user}", "USER@example.com", "{escaped}", "{aor}"])
def test_a_user_is_reached_by_principal_name_too(hire: Hire, form: str) -> None:
    anna, ben = hire(), hire()
    user = f"user{number_of(ben)[5:].lstrip('0')}@example.com"
    dialled = form.replace("USER@", user.partition("@")[0].upper() + "@").format(
        user=user, escaped=user.replace("@", "%40") + f"@{REALM}", aor=ben.account.aor
    )
    call(anna, dialled)

    assert ben.receive("INVITE").uri.startswith("sip:")


def test_the_callee_sees_the_caller_as_the_edge_knows_it_and_nothing_that_the_phone_claims(hire: Hire) -> None:
    anna, ben = hire(display_name='Anna "A" Größe'), hire()
    lies = [
        ("P-Asserted-Identity", "<sip:boss@edge.test>"),
        ("P-Preferred-Identity", "<sip:boss@edge.test>"),
        ("Remote-Party-ID", "<sip:boss@edge.test>"),
        ("History-Info", "<sip:boss@edge.test>;index=1"),
        ("P-Charge-Info", "<sip:boss@edge.test>"),
    ]
    outgoing = call(anna, number_of(ben), lies)
    invite, media = take_call(ben)

    true_identity = f'"Anna \\"A\\" Größe" <sip:{number_of(anna)}@{REALM}>'
    assert true_identity == invite.header("P-Asserted-Identity")
    assert invite.header("From").startswith(f"{true_identity};tag=")
    assert ([], []) == (invite.all("P-Preferred-Identity"), invite.all("Remote-Party-ID"))
    assert "boss" not in str(invite.headers)
    _, near = finish(outgoing, ben, invite, media)
    assert near.local == near.answer.header("From")  # its own From comes back


def test_a_reinvite_carries_the_identity_of_who_sends_it(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, number_of(ben), ben)
    near.request(
        "INVITE", [("P-Asserted-Identity", "<sip:boss@edge.test>"), ("Content-Type", "application/sdp")], near.media.sdp()
    )
    seen_by_ben = ben.receive("INVITE")
    ben.answer(seen_by_ben, "488 Not now")
    anna.receive()
    far.request("UPDATE", [("P-Asserted-Identity", "<sip:boss@edge.test>")])
    seen_by_anna = anna.receive("UPDATE")

    assert [f'"User {_n(anna)}" <sip:{number_of(anna)}@{REALM}>'] == seen_by_ben.all("P-Asserted-Identity")
    assert [f'"User {_n(ben)}" <sip:{number_of(ben)}@{REALM}>'] == seen_by_anna.all("P-Asserted-Identity")


def test_a_caller_that_gives_up_stops_the_ringing(hire: Hire) -> None:
    anna, ben = hire(), hire()
    outgoing = call(anna, number_of(ben))
    invite, _ = take_call(ben)
    outgoing.ringing()
    outgoing.cancel()
    ben.answer(ben.receive("CANCEL"), "200 OK")
    ben.answer(invite, "487 Request Terminated")

    assert [200, 487] == [anna.receive().status, outgoing.refused().status]


def test_whoever_gives_up_a_call_that_is_none_is_told(hire: Hire) -> None:
    """RFC 3261 section 9.2."""
    anna, ben = hire(), hire()
    outgoing = call(anna, number_of(ben))
    take_call(ben)
    outgoing.headers = [
        (name, value.replace("=z9hG4bK", "=z9hG4bKx") if name == "Via" else value) for name, value in outgoing.headers
    ]
    outgoing.cancel()

    assert 481 == anna.receive().status


@pytest.mark.parametrize(
    ("said", "status", "phrase"),
    [
        ("486 Busy Here", 486, "Besetzt"),
        ("603 Decline", 603, "Anruf abgelehnt"),
        ("480 Gone", 480, "Keine Antwort"),
        ("500 Broken", 480, "Zurzeit nicht erreichbar"),
        ("302 Elsewhere", 480, "Zurzeit nicht erreichbar"),
    ],
)
def test_a_refusal_is_told_in_the_caller_s_language(hire: Hire, said: str, status: int, phrase: str) -> None:
    anna, ben = hire(language="de"), hire()
    outgoing = call(anna, number_of(ben))
    invite, _ = take_call(ben)
    ben.answer(invite, said)
    answer = outgoing.refused()

    assert (status, phrase) == (answer.status, answer.phrase)
    assert f'SIP;cause={status};text="{phrase}"' == answer.header("Reason")


def test_a_user_whose_phone_is_gone_is_not_reachable(hire: Hire) -> None:
    anna, ben = hire(language="fr"), hire()
    ben.register(expires=0)
    answer = call(anna, number_of(ben)).refused()

    assert (480, "Injoignable pour le moment") == (answer.status, answer.phrase)


def test_another_tenant_s_user_is_nobody(hire: Hire) -> None:
    anna, stranger = hire(), hire(tenant_id="other")
    call(anna, number_of(stranger))

    with pytest.raises(TimeoutError):
        stranger.receive("INVITE", seconds=0.3)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_phone_that_offers_no_encryption_we_take_is_refused_before_anybody_rings(hire: Hire, encrypted: bool) -> None:  # noqa: FBT001 - a case
    anna, ben = hire(), hire()
    offer = Media(encrypted=encrypted).sdp().replace(b"AES_CM_128_HMAC_SHA1_80", b"NULL_HMAC_SHA1_80")
    answer = call(anna, number_of(ben), body=offer).refused()

    assert (488, "Only encrypted calls (SRTP) are possible") == (answer.status, answer.phrase)
    with pytest.raises(TimeoutError):
        ben.receive("INVITE", seconds=0.2)


def test_only_the_two_good_suites_are_offered_to_a_phone(hire: Hire) -> None:
    anna, ben = hire(), hire()
    call(anna, number_of(ben))
    sdp = ben.receive("INVITE").body.decode()
    suites = {line.split(" ")[1] for line in sdp.splitlines() if line.startswith("a=crypto:")}

    assert {"AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"} == suites
    assert "fingerprint" not in sdp


def test_a_held_call_is_resumed_and_both_hear_each_other_again(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, number_of(ben), ben)
    for direction, back in (("sendonly", "recvonly"), ("sendrecv", "sendrecv")):
        near.request("INVITE", [("Content-Type", "application/sdp")], near.media.sdp(direction))
        offer = ben.receive("INVITE")
        assert f"a={direction}" in offer.body.decode()
        far.media.connect(offer.body)
        ben.answer(offer, "200 OK", [("Contact", f"<{ben.contact}>"), ("Content-Type", "application/sdp")], far.media.sdp(back))
        answer = anna.receive()
        assert f"a={back}" in answer.body.decode()
        near.media.connect(answer.body)
        near.acknowledge()
        ben.receive("ACK")

    assert (20, 20) == talk(near.media, far.media)


def test_an_offer_may_come_late_in_the_200(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near_media = Media()
    outgoing = call(anna, number_of(ben), media=near_media, body=b"")
    invite, far_media = take_call(ben)
    ben.answer(
        invite,
        "200 OK",
        [
            ("Contact", f"<{ben.contact}>"),
            ("Content-Type", "application/sdp"),
            *[("Record-Route", r) for r in invite.all("Record-Route")],
        ],
        far_media.sdp(),
    )
    answer = anna.receive()
    near_media.connect(answer.body)
    near = Call(
        anna,
        near_media,
        dict(outgoing.headers)["Call-ID"],
        dict(outgoing.headers)["From"],
        answer.header("To"),
        uri_of(answer.header("Contact")),
        answer.all("Record-Route")[::-1],
        sequence=int(dict(outgoing.headers)["CSeq"].split(" ")[0]),
    )
    near.acknowledge(body=near_media.sdp())
    far_media.connect(ben.receive("ACK").body)

    assert (20, 20) == talk(near_media, far_media)


def test_digits_pass_as_events_and_as_info(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, number_of(ben), ben)
    near.media.send([b"\x05\x0a\x01\x40"] * 3, payload_type=101)
    digits = far.media.receive(3)
    near.request("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5\r\nDuration=160\r\n")
    info = ben.receive("INFO")
    ben.answer(info, "200 OK")

    assert ([b"\x05\x0a\x01\x40"] * 3, [101] * 3) == (digits, far.media.payload_types)
    assert (b"Signal=5\r\nDuration=160\r\n", 200) == (info.body, anna.receive().status)


def test_session_timers_pass(hire: Hire) -> None:
    anna, ben = hire(), hire()
    outgoing = call(anna, number_of(ben), [("Session-Expires", "1800;refresher=uac"), ("Supported", "timer")])
    invite, media = take_call(ben)
    _, near = finish(outgoing, ben, invite, media)
    near.request("UPDATE", [("Session-Expires", "1800;refresher=uac")])
    update = ben.receive("UPDATE")
    ben.answer(update, "200 OK", [("Session-Expires", "1800;refresher=uac")])

    assert ("1800;refresher=uac", "timer") == (invite.header("Session-Expires"), invite.header("Supported"))
    assert "1800;refresher=uac" == anna.receive().header("Session-Expires")


def test_a_reliable_ringing_is_acknowledged_on_its_way(hire: Hire) -> None:
    """RFC 3262: 100rel, PRACK and its answer pass."""
    anna, ben = hire(), hire()
    outgoing = call(anna, number_of(ben), [("Supported", "100rel")])
    invite = ben.receive("INVITE")
    headers = [("Contact", f"<{ben.contact}>"), ("Require", "100rel"), ("RSeq", "7"), *record_routes(invite)]
    ben.answer(invite, "180 Ringing", headers)
    ringing = outgoing.ringing()
    sequence = dict(outgoing.headers)["CSeq"].split(" ")[0]
    early = outgoing.early(ringing)
    early.request("PRACK", [("RAck", f"7 {sequence} INVITE")])
    prack = ben.receive("PRACK")
    ben.answer(prack, "200 OK")

    assert ("100rel", "100rel") == (invite.header("Supported"), ringing.header("Require"))
    assert f"7 {sequence} INVITE" == prack.header("RAck")
    assert 200 == anna.receive().status


def test_two_holds_at_once_are_both_told_to_try_later(hire: Hire) -> None:
    """RFC 3261 section 14.1: each side's re-INVITE meets the other's, and the call lives on."""
    anna, ben = hire(), hire()
    near, far = connected(anna, number_of(ben), ben)
    content = [("Content-Type", "application/sdp")]
    near.request("INVITE", content, near.media.sdp("sendonly"))
    far.request("INVITE", content, far.media.sdp("sendonly"))
    ben.answer(ben.receive("INVITE"), "491 Request Pending")
    anna.answer(anna.receive("INVITE"), "491 Request Pending")

    assert (491, 491) == (anna.receive().status, ben.receive().status)
    assert {"ACK"} == {anna.receive("ACK").method, ben.receive("ACK").method}
    assert 200 == near.hang_up_with(far).status


def test_an_answer_that_crosses_the_caller_s_goodbye_reaches_the_caller(hire: Hire) -> None:
    """The caller then ends the call with a BYE (RFC 3261 section 15)."""
    anna, ben = hire(), hire()
    outgoing = call(anna, number_of(ben))
    invite, media = take_call(ben)
    outgoing.ringing()
    outgoing.cancel()
    assert 200 == anna.receive().status
    ben.answer(ben.receive("CANCEL"), "200 OK")
    far, near = finish(outgoing, ben, invite, media)

    assert 200 == near.hang_up_with(far).status


def test_without_rtpengine_nobody_rings(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Callable[..., Phone]
) -> None:
    edge = make_edge().start()
    anna, ben = (hire_at(edge, own_functions, connect) for _ in range(2))

    assert 503 == call(anna, number_of(ben)).refused().status
    with pytest.raises(TimeoutError):
        ben.receive("INVITE", seconds=0.2)


def test_several_calls_of_one_phone_live_side_by_side(hire: Hire) -> None:
    anna, ben, cleo = hire(), hire(), hire()
    first = connected(anna, number_of(ben), ben)
    second = connected(anna, number_of(cleo), cleo)

    assert (20, 20) == talk(first[0].media, first[1].media)
    assert (20, 20) == talk(second[0].media, second[1].media)


def test_a_request_with_a_route_of_its_own_opens_no_way_through(hire: Hire) -> None:
    anna, ben = hire(), hire()
    forged = Call(
        anna, Media(), "no-such-call", f"<sip:x@{REALM}>;tag=a", f"<sip:y@{REALM}>;tag=b", f"sip:x@{ben.address};transport=tls",
        [f"<sip:{REALM};lr>"],
    )  # fmt: skip

    assert 481 == forged.ask("BYE").status
    with pytest.raises(TimeoutError):
        ben.receive("BYE", seconds=0.2)


def _n(phone: Phone) -> str:
    return phone.account.username.rpartition(".")[2]


def test_a_call_from_which_nothing_comes_is_ended_on_both_sides(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Callable[..., Phone]
) -> None:
    edge = make_edge(EDGE_MEDIA_TIMEOUT="2").start_rtpengine().start()
    anna, ben = (hire_at(edge, own_functions, connect) for _ in range(2))
    connected(anna, number_of(ben), ben)

    assert ["BYE", "BYE"] == [anna.receive("BYE").method, ben.receive("BYE").method]
