"""`python -m sip_edge.agent.drain`: no new calls; returns when none runs. After EDGE_DRAIN_SECONDS it hangs up on the rest.

Run it before Kamailio is stopped. New calls are answered 503 with Retry-After, so phones take another edge; emergency calls and
everything within running calls still work.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from sip_edge.agent.control import KamailioRefused, KamailioSilent, order
from sip_edge.agent.log import log_event
from sip_edge.agent.settings import BadSetting, KamailioSettings

_POLL_SECONDS = 0.5
_RPC_SECONDS = 5
_GOODBYE_SECONDS = 5  # from the edge's BYE to the end of the last call
_CALLS = re.compile(r"\ball: (\d+)")


def drain(settings: KamailioSettings) -> int:
    """How many calls were hung up on.

    Raises OSError, subprocess.SubprocessError, KamailioSilent or KamailioRefused where Kamailio does not answer.
    """
    _ask(settings, "pv.shvSet", "drain", "int", "1")
    log_event("draining", calls=_running_calls(settings))
    running = _wait_for_calls(settings, settings.drain_seconds)
    if running:
        _end_all_calls(settings)
        _wait_for_calls(settings, _GOODBYE_SECONDS)
    log_event("drained", calls=running)
    return running


def _wait_for_calls(settings: KamailioSettings, seconds: int) -> int:
    """How many calls still run when none does, or after `seconds`."""
    end = time.monotonic() + seconds
    while (running := _running_calls(settings)) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    return running


def _end_all_calls(settings: KamailioSettings) -> None:
    """Kamailio hangs up on both sides of every call (sip_edge/kamailio/control.cfg)."""
    order(settings.media_control, "ended-all")


def _running_calls(settings: KamailioSettings) -> int:
    found = _CALLS.search(_ask(settings, "dlg.stats_active"))
    return int(found[1]) if found else 0


def _ask(settings: KamailioSettings, *command: str) -> str:
    control = f"unix:{Path(settings.run_directory).resolve() / 'ctl'}"
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    done = subprocess.run(  # noqa: S603 - our own words
        ["kamcmd", "-s", control, *command],  # noqa: S607 - from the path
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=_RPC_SECONDS,
        check=True,
    )
    return done.stdout


def main() -> int:
    """Exit status 1 where Kamailio does not answer, 2 where a setting is wrong."""
    try:
        drain(KamailioSettings.from_environment(os.environ))
    except BadSetting as problem:
        log_event("bad_setting", problem=str(problem))
        return 2
    except (OSError, subprocess.SubprocessError, KamailioSilent, KamailioRefused) as problem:
        log_event("drain_failed", problem=type(problem).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
