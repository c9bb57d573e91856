"""`make bench`: runs every benchmark, prints a table, writes bench/results/latest.json."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import at_rest, cold_start, edge, edge_calls, outage, phone_files, soak, sync
from bench.figures import Figure, print_table

RESULTS = Path(__file__).parent / "results"
BENCHMARKS = {
    "render": phone_files.measure_rendering,
    "memory": phone_files.measure_memory,
    "fetch": phone_files.measure_fetching,
    "rest": at_rest.measure,
    "sync": sync.measure,
    "registrations": edge.measure_registrations,
    "idle": edge.measure_idle,
    "commands": edge.measure_commands,
    "calls": edge_calls.measure_calls,
    "media": edge_calls.measure_media,
    "storm": edge.measure_storm,
    "churn": soak.measure,
    "outage": outage.measure,
    "cold": cold_start.measure,
}


def main() -> int:
    """The exit status: 0 when everything was measured, whatever the figures say."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(BENCHMARKS)} (all)")
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(BENCHMARKS)}.")
        return 2
    figures: list[Figure] = []
    for name in names:
        print(f"measuring {name} …", flush=True)
        figures.extend(BENCHMARKS[name]())
    print_table(figures)
    RESULTS.mkdir(exist_ok=True)
    report = {
        "at": datetime.now(UTC).isoformat(),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "figures": [figure.as_json() for figure in figures],
    }
    (RESULTS / "latest.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {RESULTS / 'latest.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
