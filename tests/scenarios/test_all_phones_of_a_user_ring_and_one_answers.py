"""A user with two phones of different makes: both ring, one takes the call, the other stops and knows why."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


@pytest.mark.parametrize("takes", [0, 1])
def test_the_other_phone_stops_ringing(gateway: Gateway, takes: int) -> None:
    line = gateway.line()
    phones = [gateway.baresip(line), gateway.linphone(gateway.another_line(line))]
    anna = gateway.linphone()
    anna.dial(line.number)
    for phone in phones:
        phone.rings()
    taken, left = phones[takes], phones[1 - takes]
    taken.answer()
    taken.talks()
    hear_each_other(anna, taken)
    cancel = left.wait_for(lambda: left.requests("CANCEL"), "a CANCEL")[0]

    assert 'text="Call completed elsewhere"' in cancel.header("Reason")
    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(taken)
    assert [487] == left.wait_for(lambda: [m.status for m in left.answers("INVITE", sent=True) if m.status >= 200], "its end")
