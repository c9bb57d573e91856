"""Processor time and memory of a process and everything it started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def descendants(process_id: int) -> Iterator[int]:
    """The process and everything below it."""
    yield process_id
    for task in Path(f"/proc/{process_id}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield from descendants(int(child))


def cpu_seconds(processes: list[int]) -> float:
    """User and system time together."""
    total = 0.0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def memory_kb(process: int, name: str) -> int:
    """`Rss`, `Pss`, `Pss_Anon` or `Pss_Shmem` in kB, from the kernel's roll-up of the process's mappings."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
