"""Do not disturb (*30*): no phone of the user rings, and the caller reads why."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import CallSettings
from tests.scenarios.conftest import Gateway

pytestmark = pytest.mark.sip


def test_the_caller_is_refused_at_once(gateway: Gateway) -> None:
    anna = gateway.baresip(gateway.line(language="de"))
    ben = gateway.linphone(gateway.line(call_settings=CallSettings(do_not_disturb=True)))
    anna.dial(ben.number)
    answer = anna.final("INVITE")

    assert (486, "Möchte nicht gestört werden") == (answer.status, answer.phrase)
    assert [] == ben.requests("INVITE")
