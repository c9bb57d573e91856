"""A call on hold: who holds hears nothing, who is held hears what the holding phone plays; then both hear each other again."""

from __future__ import annotations

import pytest

from tests.scenarios.calls import connect, hear_each_other
from tests.scenarios.conftest import Gateway
from tests.scenarios.linphone import MUSIC
from tests.scenarios.rtpengine import ENCRYPTED

pytestmark = pytest.mark.sip


def test_the_held_party_hears_music_and_the_holding_one_nothing(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(), gateway.linphone()
    connect(anna, ben)
    hear_each_other(anna, ben)
    anna.hold()
    anna.offers("sendonly")
    ben.hears(MUSIC, ben.mark())

    assert anna.hears_none_of(ben.tone)
    assert gateway.goes_silent(ben)
    anna.resume()
    anna.offers("sendrecv")
    hear_each_other(anna, ben)
    assert [ENCRYPTED, ENCRYPTED] == gateway.media_of(anna)


def test_the_callee_may_hold_and_resume_too_and_be_of_another_make(gateway: Gateway) -> None:
    anna, ben = gateway.linphone(), gateway.baresip()
    connect(anna, ben)
    hear_each_other(anna, ben)
    ben.hold()
    ben.offers("sendonly")

    assert gateway.goes_silent(anna)
    before = gateway.packets_from(anna)
    ben.resume()
    ben.offers("sendrecv")
    anna.hears(ben.tone, anna.mark())
    anna.press("7")  # baresip records no more once it was on hold: a digit that it decrypts stands for what it hears
    assert "7" == ben.wait_for(ben.digits, "a digit")
    assert gateway.packets_from(anna) > before
