"""What the called side says before it answers (183 with SDP): a tone here, an announcement of the network elsewhere."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


def test_the_caller_hears_it_and_then_the_callee(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(), gateway.linphone(early=True)
    anna.dial(ben.number)
    anna.hears(ben.tone)
    statuses = [answer.status for answer in anna.answers("INVITE")]
    ben.answer()
    anna.talks()
    hear_each_other(anna, ben)

    assert (True, False) == (183 in statuses, 200 in statuses)
    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(anna)
