"""Feature codes that succeed are spoken: the phone hears the very words, and the edge hangs up after them."""

from __future__ import annotations

import wave
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.contracts.edge import FeatureCodeVerdict
from sip_edge.announcements.__main__ import LANGUAGES, make_announcements
from tests.sip.calls import call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import Behaviour, FunctionsServer
from tests.sip.media import Media
from tests.sip.phone import Phone

pytestmark = pytest.mark.sip
PACKETS_HEARD = 50


@dataclass
class Speaking:
    edge: Edge
    functions: FunctionsServer
    folder: Path


@pytest.fixture(scope="module")
def made_speaking(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speaking]:
    folder = tmp_path_factory.mktemp("announcements")
    make_announcements(folder)
    functions = FunctionsServer(*certificate)
    edge = Edge(tmp_path_factory.mktemp("edge"), *certificate, functions, {"EDGE_ANNOUNCEMENTS": str(folder)})
    try:
        yield Speaking(edge.start_rtpengine().start(), functions, folder)
    finally:
        edge.close()
        functions.close()


@pytest.fixture
def speaking(made_speaking: Speaking) -> Speaking:
    verdict = FeatureCodeVerdict("signed_out", 480, "Abgemeldet", announce="signed_out")
    made_speaking.functions.behaviour = Behaviour(verdicts={"*51*": verdict})
    return made_speaking


@pytest.fixture
def phone(speaking: Speaking, connect: Callable[..., Phone]) -> Phone:
    return hire_at(speaking.edge, speaking.functions, connect, language="de")


def test_the_phone_hears_the_words_in_its_language_and_is_hung_up_on(speaking: Speaking, phone: Phone) -> None:
    outgoing = call(phone, "*51*")
    heard = outgoing.answered()
    assert heard.answer is not None
    assert ("Abgemeldet", 'SIP;cause=480;text="Abgemeldet"') == (heard.answer.phrase, heard.answer.header("Reason"))
    sound = array("h", (linear(byte) for payload in heard.media.receive(PACKETS_HEARD) for byte in payload))
    german, english = (read_8k(speaking.folder / language / "signed_out.wav") for language in ("de", "en"))

    assert likeness(sound, german) > 0.8
    assert likeness(sound, english) < 0.5
    phone.answer(phone.receive("BYE"), "200 OK")


def test_the_phone_may_hang_up_before_the_end(phone: Phone) -> None:
    heard = call(phone, "*51*").answered()

    assert 200 == heard.ask("BYE").status


def test_a_phone_with_a_camera_gets_an_answer_to_each_of_its_streams(phone: Phone) -> None:
    media = Media()
    video = b"m=video 40000 RTP/SAVP 99\r\na=rtpmap:99 H264/90000\r\n"
    heard = call(phone, "*51*", media=media, body=media.sdp() + video).answered()
    assert heard.answer is not None

    assert ["audio", "video"] == [line[2:7] for line in heard.answer.body.decode().splitlines() if line.startswith("m=")]
    assert b"m=video 0 " in heard.answer.body
    assert 20 == len(media.receive(20))


def test_a_phone_that_holds_the_announcement_is_answered_as_one_that_holds(phone: Phone) -> None:
    heard = call(phone, "*51*").answered()
    answer = heard.ask("INVITE", [("Content-Type", "application/sdp")], heard.media.sdp("sendonly"))
    heard.acknowledge()

    assert (200, True) == (answer.status, b"a=inactive" in answer.body)


def test_a_phone_that_never_acknowledges_is_hung_up_on_too(phone: Phone) -> None:
    call(phone, "*51*")

    assert 200 == phone.receive().status
    assert "BYE" == phone.receive("BYE").method


@pytest.mark.parametrize("offer", [b"", Media(encrypted=False).sdp()])
def test_without_media_the_words_stand_in_the_refusal(phone: Phone, offer: bytes) -> None:
    answer = call(phone, "*51*", body=offer).refused()

    assert (480, "Abgemeldet") == (answer.status, answer.phrase)


def test_what_is_not_in_the_texts_is_shown_and_not_spoken(speaking: Speaking, phone: Phone) -> None:
    verdict = FeatureCodeVerdict("authorization_pending", 480, "gateway/pair BCDF-GHJK", announce="authorization_pending")
    speaking.functions.behaviour.verdicts["*50*"] = verdict

    assert (480, "gateway/pair BCDF-GHJK") == ((answer := call(phone, "*50*").refused()).status, answer.phrase)


def test_every_announcement_is_there_in_every_language_and_made_once(speaking: Speaking) -> None:
    names = {file.name for file in (speaking.folder / "en").glob("*.wav")}

    assert [names] * len(LANGUAGES) == [{file.name for file in (speaking.folder / lang).glob("*.wav")} for lang in LANGUAGES]
    assert 0 == make_announcements(speaking.folder)


def linear(byte: int) -> int:
    """One sample of G.711 µ-law (ITU-T G.711)."""
    inverted = ~byte & 0xFF
    magnitude = (((inverted & 0x0F) << 3) + 0x84) << ((inverted & 0x70) >> 4)
    return 0x84 - magnitude if inverted & 0x80 else magnitude - 0x84


def read_8k(path: Path) -> array[int]:
    """A mono wav at 8 kHz: the mean of the samples around each point in time."""
    with wave.open(str(path)) as file:
        samples, step = array("h", file.readframes(file.getnframes())), file.getframerate() / 8000
    width = max(1, round(step))
    means = (sum(samples[int(n * step) : int(n * step) + width]) // width for n in range(int(len(samples) / step) - 1))
    return array("h", means)


def likeness(heard: array[int], said: array[int]) -> float:
    """The greatest normalised correlation of what was heard with what was said, over shifts of up to 10 ms either way."""
    begin, window = 400, 4000
    reference = said[begin : begin + window]
    best = 0.0
    for shift in range(-80, 81):
        part = heard[begin + shift : begin + shift + window]
        energy = (sum(x * x for x in part) * sum(x * x for x in reference)) ** 0.5
        best = max(best, sum(x * y for x, y in zip(part, reference, strict=False)) / (energy or 1))
    return best
