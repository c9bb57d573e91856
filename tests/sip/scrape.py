"""What a scraper sees of an edge: the pages at EDGE_METRICS."""

from __future__ import annotations

import urllib.error
import urllib.request

from tests.sip.edge import Edge


def get(edge: Edge, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{edge.environment['EDGE_METRICS']}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def measured(edge: Edge) -> dict[str, float]:
    """Every sample of /metrics by its name and labels."""
    lines = [line for line in get(edge, "/metrics")[1].splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
