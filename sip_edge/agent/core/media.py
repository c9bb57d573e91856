"""What rtpengine's answers say about the calls' audio: it flows, it may flow again, or it is lost.

An rtpengine that has ended has lost every call; the one started in its place knows none of them. It is known by how long it
runs, which it tells with its statistics (NG protocol: a cookie and a bencoded dictionary in a datagram).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SILENT_TRIES = 2  # a busy rtpengine may miss one

_UPTIME = re.compile(rb"6:uptime(?:(\d{1,2}):|i(\d{1,10})e)")


class UnreadableStatistics(ValueError):
    """An answer without the time that rtpengine has run."""


class MediaState(StrEnum):
    """What Kamailio is told."""

    ANSWERS = "answers"
    AWAY = "away"
    LOST = "lost"


@dataclass(frozen=True)
class Life:
    """One run of rtpengine: it was started between these times of this machine's clock, which rtpengine reads as well."""

    earliest: float
    latest: float


@dataclass(frozen=True)
class MediaWatched:
    """What is known after some questions. `lost`: the answer to the last one showed that all audio is gone."""

    life: Life | None = None
    silent_tries: int = 0
    refused: bool = False
    lost: bool = False

    @property
    def state(self) -> MediaState:
        """Whether a call may be tried."""
        return MediaState.AWAY if self.refused or self.silent_tries >= SILENT_TRIES else MediaState.ANSWERS


def ask_statistics(cookie: str) -> bytes:
    """The question. Rtpengine answers one with a cookie that it has seen as it answered the first."""
    return f"{cookie} d7:command10:statisticse".encode("ascii")


def parse_life(answer: bytes, *, asked_at: float, answered_at: float) -> Life:
    """Of an answer to ask_statistics, whose uptime is in whole seconds. Raises UnreadableStatistics."""
    found = _UPTIME.search(answer)
    if not found:
        raise UnreadableStatistics("no uptime")
    text = found[2] or answer[found.end() : found.end() + int(found[1])]
    if not text.isdigit():
        raise UnreadableStatistics("the uptime is no number")
    seconds = int(text)
    return Life(asked_at - seconds - 1, answered_at - seconds)


def note_life(watched: MediaWatched, life: Life) -> MediaWatched:
    """It answered. One that was started after the one before it could have been has lost all calls."""
    known = watched.life
    if known is None or life.earliest > known.latest:
        return MediaWatched(life, lost=known is not None and not watched.refused)
    return MediaWatched(Life(max(known.earliest, life.earliest), min(known.latest, life.latest)))


def note_refused(watched: MediaWatched) -> MediaWatched:
    """Nobody listens there: it has ended, or was never started."""
    return MediaWatched(refused=True, lost=not watched.refused)


def note_silence(watched: MediaWatched) -> MediaWatched:
    """No answer in time: it may still carry its calls."""
    return MediaWatched(watched.life, watched.silent_tries + 1, watched.refused)
