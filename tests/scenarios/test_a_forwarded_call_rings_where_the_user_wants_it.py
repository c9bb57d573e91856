"""Forwarding (*33*): the call rings at the other user's phone and not at the one that was dialled."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import CallSettings
from tests.scenarios.calls import hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


def test_the_call_is_taken_there(gateway: Gateway) -> None:
    cleo = gateway.baresip()
    anna, ben = gateway.linphone(), gateway.linphone(gateway.line(call_settings=CallSettings(forward_to=cleo.number)))
    anna.dial(ben.number)
    cleo.rings()
    cleo.answer()
    anna.talks()
    hear_each_other(anna, cleo)

    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(cleo)
    assert f"<sip:{anna.number}@" in cleo.requests("INVITE")[0].header("P-Asserted-Identity")
    assert [] == ben.requests("INVITE")
