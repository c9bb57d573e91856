"""Keys pressed in a call (RFC 4733), in both directions."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway

pytestmark = pytest.mark.sip


def test_each_client_tells_its_user_which_keys_the_other_pressed(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(), gateway.baresip()
    connect(anna, ben)
    hear_each_other(anna, ben)
    for digit in "1#9":
        known = len(ben.digits())
        anna.press(digit)
        ben.wait_for(lambda known=known: len(ben.digits()) > known, "a digit")
    for digit in "0*5":
        known = len(anna.digits())
        ben.press(digit)
        anna.wait_for(lambda known=known: len(anna.digits()) > known, "a digit")

    assert ("1#9", "0*5") == (ben.digits(), anna.digits())
