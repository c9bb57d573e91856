"""Message waiting (RFC 3842): a phone hears how many messages its user has, when that changes and when it asks."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import CommandType, EdgeCommand
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import REALM, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


def tell(edge: Edge, phone: Phone, new: int, old: int) -> EdgeCommand:
    account = phone.account
    command = EdgeCommand(
        uuid.uuid4().hex, CommandType.MESSAGES, account.username, account.aor, new_messages=new, old_messages=old
    )
    edge.send_command(command)
    return command


def body_for(phone: Phone, waiting: str, voice: str) -> bytes:
    lines = [
        f"Messages-Waiting: {waiting}",
        f"Message-Account: sip:{phone.account.aor}@{REALM}",
        f"Voice-Message: {voice} (0/0)",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


@pytest.mark.parametrize(("counts", "waiting"), [((2, 5), "yes"), ((0, 5), "no"), ((123456, -1), "yes")])
def test_a_phone_is_told_how_many_messages_wait(
    edge: Edge, functions: FunctionsServer, hire: Hire, counts: tuple[int, int], waiting: str
) -> None:
    phone = hire()
    new, old = counts
    command = tell(edge, phone, new, old)
    notify = phone.receive("NOTIFY")
    phone.answer(notify, "200 OK")

    assert ("message-summary", "application/simple-message-summary") == (notify.header("Event"), notify.header("Content-Type"))
    assert body_for(phone, waiting, f"{min(new, 9999)}/{max(old, 0)}") == notify.body
    wait_until(lambda: [event.sip_status for event in functions.events if event.command_id == command.id] == [200])


def test_a_phone_that_subscribes_is_told_at_once_what_is_known(edge: Edge, hire: Hire) -> None:
    phone = hire()
    tell(edge, phone, 3, 1)
    phone.answer(phone.receive("NOTIFY"), "200 OK")
    answer = _subscribe(phone, "message-summary")
    notify = phone.receive("NOTIFY")
    phone.answer(notify, "200 OK")

    assert 200 == answer
    assert body_for(phone, "yes", "3/1") == notify.body


def test_a_resync_after_message_waiting_has_no_body(edge: Edge, hire: Hire) -> None:
    phone = hire()
    tell(edge, phone, 3, 1)
    phone.answer(phone.receive("NOTIFY"), "200 OK")
    account = phone.account
    edge.send_command(
        EdgeCommand(uuid.uuid4().hex, CommandType.RESYNC, account.username, account.aor, notify_event="check-sync")
    )

    assert ("check-sync", b"") == ((notify := phone.receive("NOTIFY")).header("Event"), notify.body)


def test_no_other_event_can_be_subscribed_to(hire: Hire) -> None:
    assert 489 == _subscribe(hire(), "presence")


def _subscribe(phone: Phone, event: str) -> int:
    extra = [("Event", event), ("Expires", "600"), ("Contact", f"<{phone.contact}>")]
    return phone._request("SUBSCRIBE", f"sip:{phone.account.aor}@{REALM}", extra, to_user=phone.account.aor).status
