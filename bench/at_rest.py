"""The whole gateway at rest: memory and processor time of all its processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.local_gateway import LocalGateway

REST_SECONDS = 30.0
SETTLE_SECONDS = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")


def measure() -> list[Figure]:
    """Starts a gateway, waits until it is at rest, and adds up its processes."""
    with LocalGateway() as gateway:
        time.sleep(SETTLE_SECONDS)
        processes = list(_descendants(gateway.process_id))
        before = _cpu_seconds(processes)
        time.sleep(REST_SECONDS)
        spent = _cpu_seconds(processes) - before
        rss = sum(_memory(process, "Rss") for process in processes)
        pss = sum(_memory(process, "Pss") for process in processes)
    return [
        Figure("whole gateway at rest, RSS", rss / 1024, "MB", "< 500", f"{len(processes)} processes"),
        Figure("whole gateway at rest, PSS", pss / 1024, "MB", "", "shared pages counted once"),
        Figure("whole gateway at rest, CPU", 100 * spent / REST_SECONDS, "% of a core", "< 2", f"{REST_SECONDS:.0f} s"),
    ]


def _descendants(process_id: int) -> Iterator[int]:
    yield process_id
    for task in Path(f"/proc/{process_id}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield from _descendants(int(child))


def _cpu_seconds(processes: list[int]) -> float:
    total = 0.0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def _memory(process: int, name: str) -> int:
    """In kB, from the kernel's roll-up of the process's mappings."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
