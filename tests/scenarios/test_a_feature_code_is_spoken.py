"""The answer to a feature code: its words, whole, in the user's language, then the edge hangs up."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import FeatureCodeVerdict
from tests.scenarios import sound
from tests.scenarios.conftest import Gateway
from tests.scenarios.linphone import Linphone
from tests.sip.test_announcements import read_8k

pytestmark = pytest.mark.sip


@pytest.fixture(autouse=True)
def spoken(gateway: Gateway) -> None:
    verdict = FeatureCodeVerdict("signed_out", 480, "Abgemeldet", announce="signed_out")
    gateway.functions.behaviour.verdicts["*51*"] = verdict


def test_linphone_hears_every_word(gateway: Gateway) -> None:
    anna = gateway.linphone(gateway.line(language="de"))
    german, english = (read_8k(gateway.announcements / language / "signed_out.wav") for language in ("de", "en"))

    assert any(_hears_all(anna, german, attempt) for attempt in range(1, 6))  # a busy machine may lose a packet: then again
    assert (200, "Abgemeldet") == ((answer := anna.final("INVITE")).status, answer.phrase)
    assert 0 == sound.part_heard(anna.recording(), english)


def test_baresip_shows_the_words_and_is_hung_up_on(gateway: Gateway) -> None:
    anna = gateway.baresip(gateway.line(language="de"))
    anna.dial("*51*")
    answer = anna.final("INVITE")
    anna.wait_for(lambda: anna.events("CALL_RTPESTAB"), "sound from the edge")
    anna.is_hung_up_on()

    assert (200, "Abgemeldet", 'SIP;cause=480;text="Abgemeldet"') == (answer.status, answer.phrase, answer.header("Reason"))


def _hears_all(client: Linphone, words: sound.Samples, attempt: int) -> bool:
    """Dials the code, for the so many-th time."""
    since = client.mark()
    client.dial("*51*")
    client.is_hung_up_on(times=attempt)
    return sound.part_heard(client.recording()[since:], words) == 1
