"""The callee refuses the call, each make in its own way; the caller's phone shows why."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import Gateway

pytestmark = pytest.mark.sip


def test_baresip_says_busy(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(gateway.line(language="de")), gateway.baresip()
    anna.dial(ben.number)
    ben.rings()
    ben.hang_up()
    answer = anna.final("INVITE")

    assert (486, "Besetzt", 'SIP;cause=486;text="Besetzt"') == (answer.status, answer.phrase, answer.header("Reason"))


def test_linphone_declines(gateway: Gateway) -> None:
    anna, ben = gateway.baresip(gateway.line(language="fr")), gateway.linphone()
    anna.dial(ben.number)
    ben.rings()
    ben.hang_up()
    answer = anna.final("INVITE")

    assert (603, 'SIP;cause=603;text="Appel refusé"') == (answer.status, answer.header("Reason"))
