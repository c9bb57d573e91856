"""Message waiting (RFC 3842): a phone hears how many messages its user has, within its subscription (RFC 6665) or unasked."""

from __future__ import annotations

import itertools
import re
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from chalicelib.contracts.edge import CommandType, EdgeCommand
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.messages import SipMessage, render_message
from tests.sip.phone import REALM, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]
_numbers = itertools.count(1)


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


@dataclass
class Subscription:
    """A dialog that a phone's SUBSCRIBE makes (RFC 6665 section 4.1)."""

    phone: Phone
    event: str = "message-summary"
    sequence: int = 0
    own_tag: str = field(default_factory=lambda: f"watcher{next(_numbers)}")
    call_id: str = field(default_factory=lambda: f"subscription-{next(_numbers)}-{time.monotonic_ns()}")
    edge_tag: str = ""
    target: str = ""

    def ask(self, expires: int = 600, *, sequence: int = 0) -> SipMessage:
        """SUBSCRIBE, the first or another; its answer."""
        self.sequence = sequence or self.sequence + 1
        aor = f"<sip:{self.phone.account.aor}@{REALM}>"
        headers = [
            ("Via", f"SIP/2.0/TLS {self.phone.address};branch=z9hG4bKs{next(_numbers)}-{time.monotonic_ns()};rport"),
            ("Max-Forwards", "70"),
            ("From", f"{aor};tag={self.own_tag}"),
            ("To", f"{aor};tag={self.edge_tag}" if self.edge_tag else aor),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.sequence} SUBSCRIBE"),
            ("Event", self.event),
            ("Expires", str(expires)),
            ("Contact", f"<{self.phone.contact}>"),
        ]
        uri = self.target or f"sip:{self.phone.account.aor}@{REALM}"
        self.phone.send(render_message(f"SUBSCRIBE {uri} SIP/2.0", headers))
        answer = self.phone.receive()
        if answer.status == 200 and not self.edge_tag:
            self.edge_tag = answer.header("To").partition(";tag=")[2]
            self.target = answer.header("Contact").strip("<>")
        return answer

    def hear(self, status: str = "200 OK") -> SipMessage:
        """The next NOTIFY, answered; it belongs to this dialog."""
        notify = self.phone.receive("NOTIFY")
        self.phone.answer(notify, status)
        tags = [notify.header(name).partition(";tag=")[2] for name in ("From", "To")]

        assert [self.call_id, self.edge_tag, self.own_tag] == [notify.header("Call-ID"), *tags]
        assert (self.phone.contact, self.event) == (notify.uri, notify.header("Event"))
        return notify


def sequence_of(message: SipMessage) -> int:
    return int(message.header("CSeq").split(" ")[0])


def seconds_left(notify: SipMessage) -> int:
    state, _, seconds = notify.header("Subscription-State").partition(";expires=")
    assert state == "active"
    return int(seconds)


def test_a_phone_that_subscribes_is_told_at_once_within_its_subscription(edge: Edge, hire: Hire) -> None:
    phone = hire()
    tell(edge, phone, 3, 1)
    phone.answer(phone.receive("NOTIFY"), "200 OK")
    subscription = Subscription(phone, event="message-summary;id=7")
    answer = subscription.ask()
    notify = subscription.hear()

    assert (200, "600") == (answer.status, answer.header("Expires"))
    assert body_for(phone, "yes", "3/1") == notify.body
    assert 0 < seconds_left(notify) <= 600


def test_messages_that_wait_for_weeks_are_not_forgotten_while_a_phone_asks(edge: Edge, hire: Hire) -> None:
    """Kamailio's table forgets after a week what nobody has written or asked for."""
    phone = hire()
    tell(edge, phone, 3, 1)
    phone.answer(phone.receive("NOTIFY"), "200 OK")
    kamcmd(edge, "htable.setex", "messages", f"s:{phone.account.aor}", "60")
    Subscription(phone).ask()
    phone.receive("NOTIFY")

    (until,) = re.findall(r"expire: (\S+ \S+)", kamcmd(edge, "htable.get", "messages", f"s:{phone.account.aor}"))
    assert timedelta(days=6) < datetime.fromisoformat(until) - datetime.now()  # noqa: DTZ005 - Kamailio's is the local time


def kamcmd(edge: Edge, *words: str) -> str:
    command = ["kamcmd", "-s", f"unix:{edge.folder / 'run' / 'ctl'}", *words]
    if edge.root:
        command = edge.in_root(*command)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own command line


def test_every_change_is_told_within_the_subscription_and_reported(edge: Edge, functions: FunctionsServer, hire: Hire) -> None:
    phone = hire()
    subscription = Subscription(phone)
    subscription.ask()
    first = subscription.hear()
    command = tell(edge, phone, 2, 5)
    second = subscription.hear()
    assert 200 == subscription.ask(300).status
    third = subscription.hear()

    assert sequence_of(first) < sequence_of(second) < sequence_of(third)
    assert [body_for(phone, "yes", "2/5")] * 2 == [second.body, third.body]
    assert seconds_left(third) <= 300
    wait_until(lambda: [event.sip_status for event in functions.events if event.command_id == command.id] == [200])


def test_a_phone_that_unsubscribes_is_told_for_the_last_time_and_then_unasked(edge: Edge, hire: Hire) -> None:
    phone = hire()
    subscription = Subscription(phone)
    subscription.ask()
    subscription.hear()
    answer = subscription.ask(0)
    last = subscription.hear()
    tell(edge, phone, 1, 0)
    unasked = phone.receive("NOTIFY")

    assert (200, "0") == (answer.status, answer.header("Expires"))
    assert "terminated;reason=timeout" == last.header("Subscription-State")
    assert subscription.call_id != unasked.header("Call-ID")
    assert 481 == subscription.ask().status


def test_a_phone_may_ask_once_without_a_subscription(hire: Hire) -> None:
    phone = hire()
    subscription = Subscription(phone)
    answer = subscription.ask(0)
    notify = subscription.hear()

    assert (200, "terminated;reason=timeout") == (answer.status, notify.header("Subscription-State"))
    assert body_for(phone, "no", "0/0") == notify.body
    assert 481 == subscription.ask().status


def test_a_subscription_that_is_not_refreshed_ends_with_a_word(hire: Hire) -> None:
    phone = hire()
    subscription = Subscription(phone)
    subscription.ask(2)
    subscription.hear()
    last = subscription.hear()

    assert "terminated;reason=timeout" == last.header("Subscription-State")


def test_a_subscription_that_nobody_has_does_not_exist(hire: Hire) -> None:
    ours, theirs = Subscription(hire()), Subscription(hire())
    for subscription in (ours, theirs):
        subscription.ask()
        subscription.hear()
    theirs.call_id, theirs.edge_tag = ours.call_id, ours.edge_tag
    forged = Subscription(ours.phone, call_id=ours.call_id, own_tag=ours.own_tag, edge_tag="guessed")

    assert [481, 481] == [theirs.ask().status, forged.ask(sequence=9).status]
    assert 200 == ours.ask().status


def test_a_tag_that_a_phone_makes_up_leads_nowhere(hire: Hire) -> None:
    """What the edge keeps of a subscription stands between bars, and one that is not bound is told where that says."""
    made_up = "x|1|9999999999|127.0.0.1:1|message-summary|sip:x@127.0.0.1"

    assert 400 == Subscription(hire(), own_tag=made_up).ask().status


def test_an_older_request_changes_nothing(hire: Hire) -> None:
    subscription = Subscription(hire(), sequence=5)
    subscription.ask()
    subscription.hear()

    assert 500 == subscription.ask(0, sequence=6).status
    assert 200 == subscription.ask(sequence=7).status


def test_too_short_a_subscription_is_refused_with_the_shortest(hire: Hire) -> None:
    answer = Subscription(hire()).ask(1)

    assert (423, "2") == (answer.status, answer.header("Min-Expires"))


def test_a_phone_that_has_forgotten_its_subscription_is_told_unasked(
    edge: Edge, functions: FunctionsServer, hire: Hire
) -> None:
    phone = hire()
    subscription = Subscription(phone)
    subscription.ask()
    subscription.hear()
    command = tell(edge, phone, 4, 0)
    subscription.hear("481 Subscription does not exist")
    unasked = phone.receive("NOTIFY")
    phone.answer(unasked, "200 OK")

    assert subscription.call_id != unasked.header("Call-ID")
    assert body_for(phone, "yes", "4/0") == unasked.body
    wait_until(lambda: [event.sip_status for event in functions.events if event.command_id == command.id] == [200])
    assert 481 == subscription.ask().status


def test_a_phone_that_answers_no_notify_loses_its_subscription(hire: Hire) -> None:
    subscription = Subscription(hire())
    subscription.ask()

    wait_until(lambda: subscription.ask().status == 481)


def test_a_subscription_goes_on_over_a_new_connection(edge: Edge, hire: Hire, connect: Callable[..., Phone]) -> None:
    phone = hire()
    subscription = Subscription(phone)
    subscription.ask()
    subscription.hear()
    again = connect(phone.account, edge, contact=phone.contact)
    again.register()
    tell(edge, phone, 1, 1)
    subscription.phone = again

    assert body_for(phone, "yes", "1/1") == subscription.hear().body


def test_a_phone_that_nobody_knows_any_more_has_no_subscription(edge: Edge, hire: Hire) -> None:
    phone = hire()
    subscription = Subscription(phone)
    subscription.ask()
    subscription.hear()
    edge.send_command(EdgeCommand(uuid.uuid4().hex, CommandType.FORGET, phone.account.username, phone.account.aor))

    assert "terminated;reason=noresource" == subscription.hear().header("Subscription-State")


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
    answer = Subscription(hire(), event="presence").ask()

    assert (489, "message-summary") == (answer.status, answer.header("Allow-Events"))
