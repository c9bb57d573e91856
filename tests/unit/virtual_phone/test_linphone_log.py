"""The reading of linphone's log; the sample is a real one of liblinphone 5.1.65 against Kamailio 5.6.3 over TLS."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.virtual_phone.errors import NotSeenError
from local.virtual_phone.linphone_log import Direction, LogFollower, LogParser, SeenMessage

SAMPLE = (Path(__file__).parent / "samples" / "linphone-onboarding.log").read_bytes()
FIRST_LINES = [
    "sent REGISTER sip:localhost SIP/2.0",
    "received SIP/2.0 401 Unauthorized",
    "sent REGISTER sip:localhost SIP/2.0",
    "received SIP/2.0 200 OK",
    "sent INVITE sip:*55*123456@localhost SIP/2.0",
    "received SIP/2.0 407 Proxy Authentication Required",
    "sent ACK sip:*55*123456@localhost SIP/2.0",
    "sent INVITE sip:*55*123456@localhost SIP/2.0",
    "received SIP/2.0 480 Enrolled",
    "sent ACK sip:*55*123456@localhost SIP/2.0",
    "received NOTIFY sip:+491234@127.0.0.1:57324;transport=tls SIP/2.0",
    "sent SIP/2.0 200 Ok",
]
UNTRUSTED = (
    b"2026-11-22 10:36:56:659 belle-sip-error-Channel [0x7f4ad8002840]: SSL handshake failed : "
    b"X509 - Certificate verification failed, e.g. CRL, CA or signature check failed\n"
    b"2026-11-22 10:36:56:659 belle-sip-error-Cannot connect to [TLS://localhost:5061]\n"
)


def received(*pieces: bytes, channel: bytes = b"0x7f") -> bytes:
    head = b"2026-11-22 10:41:25:064 belle-sip-message-channel [%s]: received [%d] new bytes from [TLS://localhost:5061]:\n"
    return b"".join(head % (channel, len(piece)) + piece + b"\n" for piece in pieces)


def shown(messages: list[SeenMessage]) -> list[str]:
    return [f"{message.direction} {message.first_line}" for message in messages]


def test_a_real_log_gives_every_message_in_order() -> None:
    expected = FIRST_LINES
    assert expected == shown(LogParser().feed(SAMPLE))


def test_what_a_message_says_can_be_asked() -> None:
    answer = LogParser().feed(SAMPLE)[8]

    expected = (480, "Enrolled", "INVITE", "TLS", Direction.RECEIVED, 'SIP;cause=480;text="Enrolled"')
    assert expected == (
        answer.status,
        answer.reason_phrase,
        answer.method,
        answer.transport,
        answer.direction,
        answer.header("reason"),
    )


def test_digests_are_masked() -> None:
    register = LogParser().feed(SAMPLE)[2]

    expected = "***"
    assert expected == register.header("Authorization")


@given(st.lists(st.integers(min_value=0, max_value=len(SAMPLE)), max_size=8))
def test_the_pieces_in_which_a_log_is_read_do_not_matter(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(SAMPLE)]
    parser = LogParser()

    expected = FIRST_LINES
    assert expected == shown([m for i in range(len(edges) - 1) for m in parser.feed(SAMPLE[edges[i] : edges[i + 1]])])


def test_messages_that_tcp_cut_or_joined_come_out_whole() -> None:
    message = b"NOTIFY sip:a SIP/2.0\r\nCSeq: 1 NOTIFY\r\nContent-Length: 4\r\n\r\nbody"
    stream = b"\r\n\r\n" + message + message + b"\r\n"

    expected = ["received NOTIFY sip:a SIP/2.0"] * 2
    assert expected == shown(LogParser().feed(received(stream[:30], stream[30:90], stream[90:])))


def test_channels_are_kept_apart() -> None:
    first, second = b"NOTIFY sip:a SIP/2.0\r\nCSeq: 1", b" NOTIFY\r\n\r\n"
    log = received(first) + received(b"\r\n", channel=b"0x80") + received(second)

    expected = ["1 NOTIFY"]
    assert expected == [message.header("CSeq") for message in LogParser().feed(log)]


def test_the_reason_of_a_failed_connection_is_kept() -> None:
    parser = LogParser()
    handshake = UNTRUSTED.index(b"\n") + 1
    for start, end in ((0, 100), (100, handshake)):
        parser.feed(UNTRUSTED[start:end])

    expected = "SSL handshake failed : X509 - Certificate verification failed, e.g. CRL, CA or signature check failed"
    assert expected == parser.last_trouble


@given(st.binary(max_size=300))
def test_no_log_breaks_the_parser(noise: bytes) -> None:
    LogParser().feed(received(noise) + noise)


def test_a_follower_sees_what_is_written_later(tmp_path: Path) -> None:
    follower = LogFollower(tmp_path / "sip.log")
    follower.start()
    timer = threading.Timer(0.1, lambda: (tmp_path / "sip.log").write_bytes(SAMPLE))
    timer.start()
    try:
        found = follower.wait_for(
            lambda messages: next((m for m in messages if m.method == "NOTIFY"), None), expected="a NOTIFY", timeout_seconds=5
        )
    finally:
        timer.join()
        follower.stop()

    expected = "check-sync;reboot=false"
    assert expected == found.header("Event")


def test_waiting_in_vain_says_what_was_expected_and_what_came_last(tmp_path: Path) -> None:
    (tmp_path / "sip.log").write_bytes(SAMPLE + UNTRUSTED)
    follower = LogFollower(tmp_path / "sip.log")
    follower.start()
    reason = r"expected a BYE within 0.3 s; last seen: sent SIP/2.0 200 Ok \(10 NOTIFY\); trouble: Cannot connect"
    with pytest.raises(NotSeenError, match=reason):
        follower.wait_for(lambda _: None, expected="a BYE", timeout_seconds=0.3)
    follower.stop()
