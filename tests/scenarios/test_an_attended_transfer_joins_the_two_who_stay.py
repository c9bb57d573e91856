"""Ben asks Cleo first, then joins his two calls: Anna's phone calls Cleo's in the place of Ben (Replaces, RFC 3891)."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.linphone import MUSIC
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


def test_the_consulted_party_talks_to_the_caller(gateway: Gateway) -> None:
    anna, ben, cleo = gateway.linphone(), gateway.linphone(), gateway.linphone()
    connect(anna, ben)
    hear_each_other(anna, ben)
    ben.hold()
    anna.hears(MUSIC)
    connect(ben, cleo)
    hear_each_other(ben, cleo)
    ben.join(1, 2)
    replacing = cleo.wait_for(lambda: [m for m in cleo.requests("INVITE") if m.header("Replaces")], "an INVITE with Replaces")
    hear_each_other(anna, cleo)

    assert replacing[0].header("Replaces").startswith(cleo.requests("INVITE")[0].header("Call-ID"))
    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(anna)
    cleo.wait_for(lambda: cleo.requests("BYE") or cleo.requests("BYE", sent=True), "the end of the consultation")
