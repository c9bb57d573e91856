"""Two clients of different makes call each other: encrypted, named as the edge knows them, and either may hang up."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


def test_linphone_calls_baresip_which_hangs_up(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(), gateway.baresip()
    connect(anna, ben)
    hear_each_other(anna, ben)
    media = gateway.media_of(anna)
    ben.hang_up()
    anna.is_hung_up_on()

    assert [ENCRYPTED, ENCRYPTED] == media
    assert f"<sip:{anna.number}@" in ben.requests("INVITE")[0].header("P-Asserted-Identity")
    assert 200 == ben.final("BYE").status


def test_baresip_calls_linphone_and_hangs_up(gateway: Gateway) -> None:
    anna, ben = gateway.baresip(), gateway.linphone()
    connect(anna, ben)
    hear_each_other(anna, ben)
    media = gateway.media_of(anna)
    anna.hang_up()
    ben.is_hung_up_on()

    assert [ENCRYPTED, ENCRYPTED] == media
    assert 200 == anna.final("BYE").status
