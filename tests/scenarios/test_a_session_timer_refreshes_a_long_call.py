"""Session timers (RFC 4028): the call is refreshed within itself, and goes on."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway

pytestmark = pytest.mark.sip
TIMER = "session_expires_enabled=1\nsession_expires_value=6\nsession_expires_min_value=4\nsession_expires_refresher_value=1"


def test_the_call_is_refreshed_and_heard_after_it(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(more=TIMER), gateway.linphone(more=TIMER)
    connect(anna, ben)
    anna.wait_for(lambda: len(anna.answers("UPDATE", sent=True)) >= 2, "two refreshes")
    hear_each_other(anna, ben)

    assert {"6;refresher=uac"} == {update.header("Session-Expires") for update in anna.requests("UPDATE")}
    assert {200} == {answer.status for answer in ben.answers("UPDATE")}
    assert [] == anna.requests("BYE") + ben.requests("BYE")
