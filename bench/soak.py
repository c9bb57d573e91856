"""`make soak MINUTES=60`: phones come, register, refresh and go, half of them as after a power cut, for as long as asked.

Others call each other with audio; two of three calls end without a BYE.

Ends with status 1 where Kamailio's memory grew, a worker died, a phone was left out, or the log names a bug. Figures of every
minute go to the screen and to bench/results/soak.json; after a problem the edge's logs are kept there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.edge_calls import Pair, hire_pairs
from bench.edge_phones import PhoneProcesses
from bench.edge_round import live_round
from bench.edge_servers import Servers, kamailio_memory, shared_memory
from bench.figures import Figure
from bench.processes import descendants, memory_kb

RESULTS = Path(__file__).parent / "results" / "soak.json"
PHONES = 200
PAIRS = 6  # of phones that call each other, in every round
REFRESH_SECONDS = 1.0
REST_SECONDS = 2.0
SHORT_MINUTES = 1.5
_GROWTH_LIMIT = 1.05  # of memory from the end of the first fifth on


@dataclass(frozen=True)
class Sample:
    """Taken with every phone registered. Memory in MB."""

    minutes: float
    connections: int
    registrations: int
    shared_memory: float
    private_and_shared: float
    calls: int
    rtpengine: float


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    samples, problems = churn(parser.parse_args().minutes)
    problems += _growth(samples)
    RESULTS.parent.mkdir(exist_ok=True)
    report = {"at": datetime.now(UTC).isoformat(), "samples": [asdict(sample) for sample in samples], "problems": problems}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print("\n".join(problems) or "nothing grew, nothing died, nobody was left out")
    return 1 if problems else 0


def measure() -> list[Figure]:
    """A minute of the same, among the benchmarks."""
    samples, problems = churn(SHORT_MINUTES)
    problems += _growth(samples)
    if not samples:
        raise SystemExit("\n".join(problems))
    first, last = samples[len(samples) // 5], samples[-1]
    beside = f"{last.connections:,} connections, half of them ended by RST, {last.calls:,} calls; " + (
        "; ".join(problems) or "no process died"
    )
    return [
        Figure("shared memory after churn", last.shared_memory, "MB", "flat", f"{first.shared_memory} MB before; {beside}"),
        Figure(
            "memory of all processes after churn",
            last.private_and_shared,
            "MB",
            "flat",
            f"{first.private_and_shared} MB before",
        ),
    ]


def churn(minutes: float, *, root: str | None = None) -> tuple[list[Sample], list[str]]:
    """Samples, and what went wrong: who was left out, what died, what the log names a bug. `root` is that of Servers."""
    names = [f"soak{number}" for number in range(PHONES)]
    with Servers(names, bare=False, calls=True, root=root) as servers, PhoneProcesses(servers.edge.port, names) as phones:
        print(f"{PHONES} phones for {minutes:g} minutes; {servers.note}", flush=True)
        samples, problems = _soak(servers, phones, hire_pairs(servers, PAIRS), minutes=minutes)
        problems += _problems_in_log(servers.edge.log("kamailio"))
        if problems:
            _keep_logs(servers)
    return samples, problems


def _soak(servers: Servers, phones: PhoneProcesses, pairs: list[Pair], *, minutes: float) -> tuple[list[Sample], list[str]]:
    assert servers.edge.kamailio is not None
    samples: list[Sample] = []
    problems: list[str] = []
    started = reported = time.monotonic()
    connections = registrations = calls = 0
    workers: list[int] = []
    while time.monotonic() < started + 60 * minutes and not problems:
        lived = live_round(servers, phones, pairs, refresh_seconds=REFRESH_SECONDS)
        connections += lived.connections
        registrations += lived.connections + lived.refreshes
        calls += lived.calls
        problems += lived.problems
        workers = workers or list(descendants(servers.edge.kamailio.pid))
        if servers.edge.kamailio.poll() is not None or workers != list(descendants(servers.edge.kamailio.pid)):
            problems.append("a process of Kamailio died")
        elif not samples or time.monotonic() > reported + min(60, 6 * minutes):
            reported = time.monotonic()
            samples.append(_sample(servers, (reported - started) / 60, connections, registrations, calls))
            print(samples[-1], flush=True)
        phones.run("drop", 0.5, 0.5)
        time.sleep(REST_SECONDS)
    return samples, problems


def _sample(servers: Servers, minutes: float, connections: int, registrations: int, calls: int) -> Sample:
    assert servers.edge.rtpengine is not None
    return Sample(
        minutes=round(minutes, 1),
        connections=connections,
        registrations=registrations,
        shared_memory=round(shared_memory(servers.edge, "used") / 1024, 2),
        private_and_shared=round(kamailio_memory(servers.edge) / 1024, 1),
        calls=calls,
        rtpengine=round(memory_kb(servers.edge.rtpengine.pid, "Rss") / 1024, 1),
    )


def _keep_logs(servers: Servers) -> None:
    """Beside the results: the edge's own folder goes with the servers."""
    RESULTS.parent.mkdir(exist_ok=True)
    for name in ("kamailio", "agent", "rtpengine"):
        (RESULTS.parent / f"soak-{name}.log").write_text(servers.edge.log(name), encoding="utf-8")


def _growth(samples: list[Sample]) -> list[str]:
    """What grew from the first fifth to the end."""
    if len(samples) < 5:  # noqa: PLR2004 - fewer say nothing
        return ["too short to see whether memory grows; ask for more minutes"]
    settled, last = samples[len(samples) // 5], samples[-1]
    problems = []
    for name in ("shared_memory", "private_and_shared"):
        before, after = getattr(settled, name), getattr(last, name)
        if after > before * _GROWTH_LIMIT:
            problems.append(f"{name} grew from {before} to {after} MB")
    return problems


def _problems_in_log(log: str) -> list[str]:
    return [line for line in log.splitlines() if "BUG" in line or "CRITICAL" in line][:10]


if __name__ == "__main__":
    sys.exit(main())
