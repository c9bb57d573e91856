"""What the agent counts and times while it works. Kamailio counts the rest itself (core/exposition.py)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sip_edge.agent.core.exposition import Family, Sample

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)  # seconds


class Counter:
    """Counts by one label."""

    def __init__(self, name: str, label: str, meaning: str) -> None:
        self._name, self._label, self._meaning = name, label, meaning
        self._counts: dict[str, int] = {}

    def add(self, value: str) -> None:
        self._counts[value] = self._counts.get(value, 0) + 1

    def family(self) -> Family:
        samples = tuple(Sample(count, ((self._label, value),)) for value, count in sorted(self._counts.items()))
        return Family(self._name, "counter", self._meaning, samples)


class Histogram:
    """Durations in seconds, by one label."""

    def __init__(self, name: str, label: str, meaning: str) -> None:
        self._name, self._label, self._meaning = name, label, meaning
        self._sums: dict[str, float] = {}
        self._counts: dict[str, list[int]] = {}

    def observe(self, value: str, seconds: float) -> None:
        self._sums[value] = self._sums.get(value, 0.0) + seconds
        counts = self._counts.setdefault(value, [0] * (len(_BUCKETS) + 1))
        for position, limit in enumerate((*_BUCKETS, float("inf"))):
            counts[position] += seconds <= limit

    @contextmanager
    def timed(self, value: str) -> Iterator[None]:
        """Observes how long the block took, also where it raised."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.observe(value, time.monotonic() - started)

    def family(self) -> Family:
        samples: list[Sample] = []
        for value, counts in sorted(self._counts.items()):
            label = (self._label, value)
            limits = (*(f"{limit:g}" for limit in _BUCKETS), "+Inf")
            samples += [Sample(count, (label, ("le", limit)), "_bucket") for limit, count in zip(limits, counts, strict=True)]
            samples += [Sample(self._sums[value], (label,), "_sum"), Sample(counts[-1], (label,), "_count")]
        return Family(self._name, "histogram", self._meaning, tuple(samples))


class Metrics:
    """One agent's measurements since its start."""

    def __init__(self) -> None:
        self.functions_seconds = Histogram("sip_edge_functions_seconds", "call", "How long the functions took to answer.")
        self.functions_failures = Counter(
            "sip_edge_functions_failures_total", "call", "Calls that the functions did not answer."
        )
        self.notify_seconds = Histogram("sip_edge_notify_seconds", "status", "From sending a NOTIFY to its final answer.")
        self.events = Counter("sip_edge_events_total", "type", "Events put into the outbox.")
        self.certificate_reloads = Counter("sip_edge_certificate_reloads_total", "result", "Renewed certificates.")

    def families(self) -> list[Family]:
        counted = (self.functions_seconds, self.functions_failures, self.notify_seconds, self.events, self.certificate_reloads)
        return [one.family() for one in counted]
