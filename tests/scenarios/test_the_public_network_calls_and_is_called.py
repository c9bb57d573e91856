"""Calls over the trunk: TLS with both certificates, plain RTP out there, SRTP to the phone."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import Route, RouteOutcome
from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED, PLAIN

pytestmark = pytest.mark.sip
OUTSIDE = "+4930123456"


def test_a_phone_calls_out_with_its_user_s_number(gateway: Gateway) -> None:
    anna, carrier = gateway.linphone(), gateway.carrier(OUTSIDE)
    gateway.functions.behaviour.routes[OUTSIDE] = Route(RouteOutcome.TRUNK, number=OUTSIDE)
    connect(anna, carrier)
    hear_each_other(anna, carrier)
    media = gateway.media_of(anna)
    carrier.hang_up()
    anna.is_hung_up_on()

    assert {ENCRYPTED, PLAIN} == set(media)
    assert f"<sip:{anna.number}@" in carrier.requests("INVITE")[0].header("P-Asserted-Identity")


def test_a_number_is_called_from_outside(gateway: Gateway) -> None:
    ben, carrier = gateway.linphone(), gateway.carrier(OUTSIDE)
    connect(carrier, ben)
    hear_each_other(carrier, ben)
    media = gateway.media_of(ben)
    ben.hang_up()
    carrier.is_hung_up_on()

    assert {ENCRYPTED, PLAIN} == set(media)
