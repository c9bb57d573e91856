"""Which bindings were reported, and what a batch may say of them: that they are watched. Delivers nothing itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.contracts.edge import EdgeEvent, EventBatch, EventType


class KnownBindings:
    """Of one watch: from a link to Kamailio until that is lost, or until an event is. One entry for each registered phone.

    `watched_since`: whatever was reported since then still holds, unless its end was reported. None while nobody watches.
    """

    def __init__(self, edge_id: str) -> None:
        self.watched_since: datetime | None = None
        self._edge_id = edge_id
        self._bindings: OrderedDict[str, EdgeEvent] = OrderedDict()  # by user name, the longest without a report first

    def begin(self, now: datetime) -> None:
        """A new watch: what was known before may have ended unheard, and every report is news."""
        self._bindings.clear()
        self.watched_since = now

    def end(self) -> None:
        """The link is lost. What comes until there is another is reported as news."""
        self._bindings.clear()
        self.watched_since = None

    def lose_event(self, now: datetime) -> None:
        """An event was given up, perhaps the end of a binding: what was reported before may be no longer so."""
        if self.watched_since is not None:
            self.begin(now)

    def batch_of(self, events: Sequence[EdgeEvent], until: datetime) -> EventBatch:
        """The batch, with the time until which the functions know of every end once they have it."""
        if self.watched_since is None or until < self.watched_since:
            return EventBatch(self._edge_id, tuple(events))
        return EventBatch(self._edge_id, tuple(events), self.watched_since, until)

    def note(self, event: EdgeEvent) -> EdgeEvent:
        """The event as it is reported: `refreshed` where it tells nothing but that a binding is as it was reported before."""
        if event.type is EventType.UNREGISTERED:
            self._bindings.pop(event.username, None)
        if event.type is not EventType.REGISTERED:
            return event
        before = self._bindings.get(event.username)
        self._bindings[event.username] = event
        self._bindings.move_to_end(event.username)
        return replace(event, refreshed=before is not None and _binding(before) == _binding(event))

    def silent(self, now: datetime, limit: timedelta) -> list[EdgeEvent]:
        """The last reports of those bindings that none has followed for so long, the oldest first."""
        found = []
        for event in self._bindings.values():
            if now - event.at <= limit:
                break
            found.append(event)
        return found


def _binding(event: EdgeEvent) -> tuple[str, str, str]:
    return event.aor, event.contact, event.source
