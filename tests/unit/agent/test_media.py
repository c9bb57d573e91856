"""What rtpengine's answers say about the calls' audio."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_edge.agent.core.media import (
    Life,
    MediaState,
    MediaWatched,
    UnreadableStatistics,
    note_life,
    note_refused,
    note_silence,
    parse_life,
)

# As rtpengine 10.5 and 12.5 answer, shortened: the dictionary's other entries do not matter.
ANSWER = b"edge d10:statisticsd17:currentstatisticsd11:sessionsowni0ee15:totalstatisticsd6:uptime%d:%d15:managedsessionsi0eeee"


def answer_after(seconds: int) -> bytes:
    return ANSWER % (len(str(seconds)), seconds)


@given(started=st.floats(1e9, 2e9), seconds=st.integers(0, 10**7), part=st.floats(0, 0.999), took=st.floats(0, 2))
def test_the_start_lies_within_what_an_answer_says(started: float, seconds: int, part: float, took: float) -> None:
    asked_at = started + seconds + part
    life = parse_life(answer_after(seconds), asked_at=asked_at, answered_at=asked_at + took)

    assert life.earliest - 0.001 <= started <= life.latest + 0.001


@given(
    started=st.floats(1e9, 2e9), asked=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1), st.floats(0, 30)), max_size=20)
)
def test_the_same_rtpengine_never_seems_to_have_begun_anew(started: float, asked: list[tuple[float, float, float]]) -> None:
    """However late the answers come and are read."""
    watched, now = MediaWatched(), started
    for pause, until_read, until_handled in asked:
        asked_at = now + pause
        read_at = asked_at + until_read
        now = read_at + until_handled
        life = parse_life(answer_after(int(read_at - started)), asked_at=asked_at - 0.001, answered_at=now + 0.001)
        watched = note_life(watched, life)
        assert not watched.lost


def test_one_that_was_started_later_has_lost_the_calls() -> None:
    first = note_life(MediaWatched(), parse_life(answer_after(10), asked_at=1010.1, answered_at=1010.2))
    second = note_life(first, parse_life(answer_after(0), asked_at=1011.1, answered_at=1011.2))

    assert [False, True] == [first.lost, second.lost]
    assert not note_life(second, Life(1010.5, 1011.0)).lost


def test_one_that_is_not_there_has_lost_the_calls_once() -> None:
    once = note_refused(MediaWatched(Life(1.0, 2.0)))
    twice = note_refused(once)
    back = note_life(twice, Life(50.0, 51.0))

    assert [True, False, False] == [once.lost, twice.lost, back.lost]
    assert [MediaState.AWAY, MediaState.AWAY, MediaState.ANSWERS] == [once.state, twice.state, back.state]


def test_silence_is_forgiven_once_and_loses_nothing() -> None:
    life = Life(1.0, 2.0)
    once = note_silence(MediaWatched(life))
    twice = note_silence(once)
    back = note_life(twice, life)

    assert [MediaState.ANSWERS, MediaState.AWAY, MediaState.ANSWERS] == [once.state, twice.state, back.state]
    assert [False, False, False] == [once.lost, twice.lost, back.lost]


@pytest.mark.parametrize("answer", [b"", b"edge d6:result4:ponge", b"edge d6:uptime2:x1e"])
def test_an_answer_without_an_uptime_is_unreadable(answer: bytes) -> None:
    with pytest.raises(UnreadableStatistics):
        parse_life(answer, asked_at=1.0, answered_at=2.0)


def test_an_uptime_may_be_a_number_as_well() -> None:
    assert Life(989.0, 991.0) == parse_life(b"edge d6:uptimei10ee", asked_at=1000.0, answered_at=1001.0)
