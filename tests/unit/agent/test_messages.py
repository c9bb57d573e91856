"""Messages between Kamailio and the agent."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.edge import EdgeEvent, EventType
from sip_edge.agent.core.messages import (
    BindingReport,
    EdgeState,
    Notify,
    NotifyResult,
    UnreadableMessage,
    VerdictAnswer,
    VerdictWanted,
    event_of,
    parse_message,
    render_message,
)


def test_a_binding_report_of_kamailio_becomes_an_event() -> None:
    frame = (  # as Kamailio 5.6.3 wrote it
        b'{"at": "1795345648.509719", "expires_seconds": 120, "user_agent": "Yealink SIP-T46U 108.86.0.90", '
        b'"source": "127.0.0.1:36648", "contact": "sip:out0@127.0.0.1:36648;transport=tls", "aor": "out0", '
        b'"username": "out0.1", "op": "registered"}'
    )
    report = parse_message(frame)
    assert isinstance(report, BindingReport)

    expected = EdgeEvent(
        id="e1",
        type=EventType.REGISTERED,
        at=datetime(2026, 11, 22, 11, 7, 28, 509719, tzinfo=UTC),
        username="out0.1",
        aor="out0",
        contact="sip:out0@127.0.0.1:36648;transport=tls",
        source="127.0.0.1:36648",
        user_agent="Yealink SIP-T46U 108.86.0.90",
        expires_seconds=120,
    )
    assert expected == event_of(report, event_id="e1")


@pytest.mark.parametrize(
    ("frame", "fact"),
    [
        (b'{"op":"edge_state","start_id":"1-2"}', EdgeState("1-2")),
        (
            b'{"op":"verdict_wanted","ti":4872,"tl":3240596304,"username":"u.3","dialled":"*55*1"}',
            VerdictWanted("u.3", "*55*1", ti=4872, tl=3240596304),
        ),
        (b'{"op":"notify_result","job":"j","status":408,"uri":"sip:x","at":"1.0"}', NotifyResult("j", 408, uri="sip:x")),
    ],
)
def test_each_operation_has_its_fact(frame: bytes, fact: object) -> None:
    assert fact == parse_message(frame)


@pytest.mark.parametrize(
    "frame", [b"", b"[]", b"null", b"{}", b'{"op":"format"}', b'{"op":[]}', b'{"op":"edge_state"}', b"\xff"]
)
def test_what_cannot_be_read_is_refused_without_being_quoted(frame: bytes) -> None:
    with pytest.raises(UnreadableMessage, match=rf"in a message of {len(frame)} bytes"):
        parse_message(frame)


@given(st.binary())
def test_no_bytes_do_more_harm_than_being_unreadable(frame: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        parse_message(frame)


@given(st.text(max_size=200))
def test_any_reason_arrives_as_it_is(reason: str) -> None:
    sent = json.loads(render_message(VerdictAnswer(ti=1, tl=2, status=603, reason=reason)))

    assert {"op": "verdict", "ti": 1, "tl": 2, "status": 603, "reason": reason, "announce": ""} == sent


def test_a_notify_carries_all_that_kamailio_reads() -> None:
    sent = json.loads(render_message(Notify("j", "u.3", "check-sync", "Digest x", proxy=True)))

    expected = {
        "op": "notify",
        "job": "j",
        "username": "u.3",
        "event": "check-sync",
        "authorization": "Digest x",
        "proxy": True,
        "messages": "",
    }
    assert expected == sent
