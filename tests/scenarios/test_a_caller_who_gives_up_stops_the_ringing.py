"""The caller hangs up before anybody answers."""

from __future__ import annotations

import pytest

from tests.scenarios.clients import Client
from tests.scenarios.conftest import Gateway

pytestmark = pytest.mark.sip


@pytest.mark.parametrize("calling", ["linphone", "baresip"])
def test_the_other_phone_falls_silent(gateway: Gateway, calling: str) -> None:
    phones: dict[str, Client] = {"linphone": gateway.linphone(), "baresip": gateway.baresip()}
    anna = phones.pop(calling)
    (ben,) = phones.values()
    anna.dial(ben.number)
    ben.rings()
    anna.wait_for(lambda: 180 in [answer.status for answer in anna.answers("INVITE")], "the ringing")
    anna.hang_up()
    ben.wait_for(lambda: ben.requests("CANCEL"), "a CANCEL")

    assert 487 == anna.final("INVITE").status
    assert 487 == ben.wait_for(lambda: [m.status for m in ben.answers("INVITE", sent=True) if m.status >= 200], "its answer")[0]
