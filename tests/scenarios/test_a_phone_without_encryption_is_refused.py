"""A client that would talk without SRTP is told so, and nobody rings."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import Gateway

pytestmark = pytest.mark.sip


def test_nobody_rings(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(encrypted=False), gateway.baresip()
    anna.dial(ben.number)

    assert 488 == anna.final("INVITE").status
    assert [] == ben.requests("INVITE")
