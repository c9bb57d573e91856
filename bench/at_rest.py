"""The whole gateway at rest: memory and processor time of all its processes."""

from __future__ import annotations

import time

from bench.figures import Figure
from bench.local_gateway import LocalGateway
from bench.processes import cpu_seconds, descendants, memory_kb

REST_SECONDS = 30.0
SETTLE_SECONDS = 5.0


def measure() -> list[Figure]:
    """Starts a gateway, waits until it is at rest, and adds up its processes."""
    with LocalGateway() as gateway:
        time.sleep(SETTLE_SECONDS)
        processes = list(descendants(gateway.process_id))
        before = cpu_seconds(processes)
        time.sleep(REST_SECONDS)
        spent = cpu_seconds(processes) - before
        rss = sum(memory_kb(process, "Rss") for process in processes)
        pss = sum(memory_kb(process, "Pss") for process in processes)
    return [
        Figure("whole gateway at rest, RSS", rss / 1024, "MB", "< 500", f"{len(processes)} processes"),
        Figure("whole gateway at rest, PSS", pss / 1024, "MB", "", "shared pages counted once"),
        Figure("whole gateway at rest, CPU", 100 * spent / REST_SECONDS, "% of a core", "< 2", f"{REST_SECONDS:.0f} s"),
    ]
