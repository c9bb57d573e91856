"""Message waiting (RFC 3842): the phone learns how many messages its user has, and takes the news."""

from __future__ import annotations

import uuid

import pytest

from chalicelib.contracts.edge import CommandType, EdgeCommand
from tests.scenarios.clients import Client, Line
from tests.scenarios.conftest import Gateway
from tests.sip.messages import SipMessage

pytestmark = pytest.mark.sip


def test_linphone_takes_news_that_it_has_not_asked_for(gateway: Gateway) -> None:
    line = gateway.line()
    anna = gateway.linphone(line)
    _tell(gateway, line)

    assert [200] == [answer.status for answer in _answers_to(anna, _news(anna))]


def test_baresip_takes_news_within_its_subscription_and_tells_its_user(gateway: Gateway) -> None:
    line = gateway.line()
    anna = gateway.baresip(line)
    assert 200 == anna.final("SUBSCRIBE").status
    _tell(gateway, line)

    assert [200] == [answer.status for answer in _answers_to(anna, _news(anna))]
    anna.wait_for(lambda: any("2/5" in event["param"] for event in anna.events("MWI_NOTIFY")), "the lamp")


def _tell(gateway: Gateway, line: Line) -> None:
    account = line.account
    command = EdgeCommand(uuid.uuid4().hex, CommandType.MESSAGES, account.username, account.aor, new_messages=2, old_messages=5)
    gateway.edge.send_command(command)


def _news(client: Client) -> SipMessage:
    """The NOTIFY of two new messages."""
    notifies = lambda: [m for m in client.requests("NOTIFY") if b"Voice-Message: 2/5" in m.body]  # noqa: E731
    return client.wait_for(notifies, "a NOTIFY of two new messages")[0]


def _answers_to(client: Client, notify: SipMessage) -> list[SipMessage]:
    call = notify.header("Call-ID"), notify.header("CSeq")
    answers = lambda: [m for m in client.answers("NOTIFY", sent=True) if (m.header("Call-ID"), m.header("CSeq")) == call]  # noqa: E731
    return client.wait_for(answers, "its answer")
