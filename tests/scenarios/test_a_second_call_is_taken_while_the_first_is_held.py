"""A phone in a call rings for a second one; its user takes it, then goes back to the first."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway

pytestmark = pytest.mark.sip


def test_the_first_caller_waits_and_is_talked_to_again(gateway: Gateway) -> None:
    anna, ben, cleo = gateway.linphone(), gateway.linphone(), gateway.baresip()
    connect(anna, ben)
    hear_each_other(anna, ben)
    connect(cleo, ben)
    hear_each_other(cleo, ben)

    assert gateway.goes_silent(anna)
    cleo.hang_up()
    ben.is_hung_up_on()
    ben.resume(1)
    ben.offers("sendrecv")
    hear_each_other(anna, ben)
