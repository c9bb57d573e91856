"""`python -m sip_edge.agent.health`: the container's health check. Exit status 0 where this edge serves phones, else 1."""

from __future__ import annotations

import os
import sys

import httpx

from sip_edge.agent.settings import AgentSettings, BadSetting

_SECONDS = 4.0


def main() -> int:
    """Asks /healthz at EDGE_METRICS and prints what it says."""
    try:
        address = AgentSettings.from_environment(os.environ).metrics or "127.0.0.1:9090"
        answer = httpx.get(f"http://{address}/healthz", timeout=_SECONDS, trust_env=False)
    except (BadSetting, httpx.HTTPError) as problem:
        print(f"{type(problem).__name__}: {problem}")  # noqa: T201 - a health check's output is kept by the container engine
        return 1
    print(answer.text.strip())  # noqa: T201 - as above
    return 0 if answer.is_success else 1


if __name__ == "__main__":
    sys.exit(main())
