"""Watches rtpengine for Kamailio, which would wait for its answer with every call, and cannot know that it began anew."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable

from sip_edge.agent.core.exposition import Family, Sample
from sip_edge.agent.core.media import (
    Life,
    MediaState,
    MediaWatched,
    UnreadableStatistics,
    ask_statistics,
    note_life,
    note_refused,
    note_silence,
    parse_life,
)
from sip_edge.agent.core.messages import MediaNote
from sip_edge.agent.log import log_event

ANSWER_SECONDS = 1.0
PAUSE_SECONDS = 1.0
_LONGEST_ANSWER_BYTES = 65536


class MediaWatch:
    """Asks rtpengine at `address` every second. `send` reaches Kamailio while `linked`; what it missed it is told then."""

    def __init__(self, address: str, *, send: Callable[[MediaNote], None], linked: Callable[[], bool]) -> None:
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._send = send
        self._linked = linked
        self._watched = MediaWatched()
        self._told: MediaState | None = None
        self._owes_loss = False

    async def run(self) -> None:
        """Watches until cancelled."""
        while True:
            before = self._watched
            self._watched = await asyncio.to_thread(self._ask)
            if self._watched.state is not before.state or self._watched.lost:
                log_event("media_watched", state=self._watched.state, lost=self._watched.lost)
            self._owes_loss |= self._watched.lost
            self._tell()
            await asyncio.sleep(PAUSE_SECONDS)

    @property
    def is_away(self) -> bool:
        """Whether calls cannot be made for want of rtpengine."""
        return self._watched.state is MediaState.AWAY

    def link_up(self, *, new_life: bool) -> None:
        """Kamailio is linked and knows nothing; one that was started anew has no calls that could have lost anything."""
        self._told = None
        self._owes_loss &= not new_life
        self._tell()

    def family(self) -> Family:
        """For the scraper."""
        return Family("sip_edge_media_up", "gauge", "1 while rtpengine answers.", (Sample(not self.is_away),))

    def _tell(self) -> None:
        if not self._linked():
            return
        if self._owes_loss:
            self._send(MediaNote(MediaState.LOST))
            self._owes_loss = False
        if self._told is not self._watched.state:
            self._told = self._watched.state
            self._send(MediaNote(self._told))

    def _ask(self) -> MediaWatched:
        try:
            return note_life(self._watched, self._read_life())
        except ConnectionRefusedError:
            return note_refused(self._watched)
        except (OSError, UnreadableStatistics):  # TimeoutError is an OSError
            return note_silence(self._watched)

    def _read_life(self) -> Life:
        # By the wall clock, as rtpengine counts: where it is set, both leap.
        asked_at = time.time()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(self._address)
            connection.send(ask_statistics(secrets.token_hex(8)))
            answer = connection.recv(_LONGEST_ANSWER_BYTES)
        return parse_life(answer, asked_at=asked_at, answered_at=time.time())
