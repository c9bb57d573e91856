"""Which bindings were reported, so that the report of one that is as it was may wait for others. Delivers nothing itself."""

from __future__ import annotations

from chalicelib.contracts.edge import EdgeEvent, EventType


class KnownBindings:
    """Of this life of the agent: after its start every report is news. One entry for each registered phone."""

    def __init__(self) -> None:
        self._bindings: dict[str, tuple[str, str, str]] = {}

    def note(self, event: EdgeEvent) -> bool:
        """Whether the event tells the functions something new: anything but a binding that was reported like this before."""
        if event.type is EventType.REGISTERED:
            binding = (event.aor, event.contact, event.source)
            known = self._bindings.get(event.username) == binding
            self._bindings[event.username] = binding
            return not known
        if event.type is EventType.UNREGISTERED:
            self._bindings.pop(event.username, None)
        return True

    def clear(self) -> None:
        """Kamailio has started anew: all bindings are gone."""
        self._bindings.clear()
