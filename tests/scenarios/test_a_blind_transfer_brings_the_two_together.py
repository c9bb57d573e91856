"""Ben sends his caller on to Cleo: who was transferred calls her by itself, and Ben is out of it."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.clients import Client
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


def transfer(anna: Client, ben: Client, cleo: Client) -> None:
    """Anna talks to Ben, who sends her on; Cleo takes the call."""
    connect(anna, ben)
    hear_each_other(anna, ben)
    ben.transfer(cleo.number)
    cleo.rings()
    cleo.answer()
    cleo.talks()


def test_baresip_transfers_one_linphone_to_another(gateway: Gateway) -> None:
    anna, ben, cleo = gateway.linphone(), gateway.baresip(), gateway.linphone()
    transfer(anna, ben, cleo)
    hear_each_other(anna, cleo)

    assert 202 == ben.final("REFER").status
    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(cleo)
    assert f"<sip:{anna.number}@" in cleo.requests("INVITE")[0].header("P-Asserted-Identity")
    ben.wait_for(lambda: any(b"200" in m.body for m in ben.requests("NOTIFY")), "word of the transfer's success")


def test_linphone_transfers_baresip_to_linphone(gateway: Gateway) -> None:
    anna, ben, cleo = gateway.baresip(), gateway.linphone(), gateway.linphone()
    transfer(anna, ben, cleo)
    cleo.hears(anna.tone)
    anna.hears(cleo.tone)

    assert 202 == ben.final("REFER").status
    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(cleo)


def test_linphone_transfers_linphone_to_baresip(gateway: Gateway) -> None:
    anna, ben, cleo = gateway.linphone(), gateway.linphone(), gateway.baresip()
    transfer(anna, ben, cleo)
    hear_each_other(anna, cleo)

    assert 202 == ben.final("REFER").status
    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(cleo)
