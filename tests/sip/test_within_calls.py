"""What one side of a call may ask of the other, and how long the answer may take."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.sip.calls import connected
from tests.sip.media import Media
from tests.sip.phone import Phone

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


@pytest.mark.parametrize("event", ["talk", "hold", "check-sync;reboot=true", "ACTION-URI"])
def test_nobody_operates_the_other_side_s_phone(hire: Hire, event: str) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, ben.account.aor, ben)

    assert 489 == near.ask("NOTIFY", [("Event", event), ("Subscription-State", "active")]).status
    assert 200 == near.hang_up_with(far).status
    assert not ben.has_received("NOTIFY")


def test_an_answer_that_takes_its_time_ends_no_call(hire: Hire) -> None:
    """408 would (RFC 5057 section 5.1). The edge itself waits four seconds for a phone's answer to its own requests."""
    anna, ben = hire(), hire()
    near, far = connected(anna, ben.account.aor, ben)
    near.request("UPDATE")
    update = ben.receive("UPDATE")
    time.sleep(6)
    ben.answer(update, "200 OK")

    assert 200 == anna.receive().status
    assert 200 == near.hang_up_with(far).status


def test_no_call_goes_on_in_the_clear(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, ben.account.aor, ben)
    answer = near.ask("INVITE", [("Content-Type", "application/sdp")], Media(encrypted=False).sdp())
    near.acknowledge()

    assert (488, "Only encrypted calls (SRTP) are possible") == (answer.status, answer.phrase)
    assert 200 == near.hang_up_with(far).status
    assert not ben.has_received("INVITE")
