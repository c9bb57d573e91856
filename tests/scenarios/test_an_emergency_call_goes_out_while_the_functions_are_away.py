"""An emergency call is decided by the edge alone, and goes to the trunk with the user's number."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import ROUTE_PATH
from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED, PLAIN

pytestmark = pytest.mark.sip


def test_both_hear_each_other(gateway: Gateway) -> None:
    anna = gateway.linphone(gateway.line(emergency=True, emergency_numbers=("112",)))
    carrier = gateway.carrier("112")
    gateway.functions.behaviour.away = True
    connect(anna, carrier)
    hear_each_other(anna, carrier)

    assert {ENCRYPTED, PLAIN} == set(gateway.media_of(anna))
    assert f"<sip:{anna.number}@" in carrier.requests("INVITE")[0].header("P-Asserted-Identity")
    assert 0 == gateway.functions.asked(ROUTE_PATH, to="112")
