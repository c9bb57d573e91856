"""A call that nobody answers goes where the user wants it, and the voicemail key leads to the user's messages."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import CallSettings
from tests.scenarios.calls import hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


def test_the_phone_stops_ringing_and_the_caller_hears_the_voicemail(gateway: Gateway) -> None:
    mailbox = gateway.baresip()
    settings = CallSettings(forward_on_timeout_to=mailbox.number, ring_seconds=2)
    anna, ben = gateway.linphone(), gateway.linphone(gateway.line(call_settings=settings))
    anna.dial(ben.number)
    ben.rings()
    mailbox.rings()
    mailbox.answer()
    anna.talks()
    hear_each_other(anna, mailbox)

    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(mailbox)
    assert ben.wait_for(lambda: ben.requests("CANCEL"), "the end of its ringing")
    assert f"<sip:{anna.number}@" in mailbox.requests("INVITE")[0].header("P-Asserted-Identity")


def test_the_voicemail_key_leads_to_the_messages(gateway: Gateway) -> None:
    mailbox = gateway.baresip()
    anna = gateway.linphone(gateway.line(voicemail=mailbox.number))
    anna.dial("*99*")
    mailbox.rings()
    mailbox.answer()
    anna.talks()

    hear_each_other(anna, mailbox)
