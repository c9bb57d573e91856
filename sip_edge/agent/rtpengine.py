"""How rtpengine is started: in userspace (no kernel module), by the EDGE_ variables; `--print` only prints the command line.

`python -m sip_edge.agent.rtpengine` becomes rtpengine. It stays in the foreground and logs warnings to standard error; more
would put keys of calls into the log. A call from which nothing has come for EDGE_MEDIA_TIMEOUT seconds is reported to Kamailio
(sip_edge/kamailio/media.cfg), which hangs up on both sides.
"""

from __future__ import annotations

import os
import shlex
import sys

from sip_edge.agent.log import log_event
from sip_edge.agent.settings import BadSetting, MediaSettings

_LOG_WARNINGS = 4
_HOLD_SECONDS = 3600  # both sides silent on purpose


def rtpengine_command(settings: MediaSettings) -> list[str]:
    """The command line."""
    return [
        "rtpengine",
        "--config-file=none",
        "--foreground",
        "--log-stderr",
        f"--log-level={_LOG_WARNINGS}",
        "--table=-1",
        f"--interface={settings.media_address}",
        f"--listen-ng={settings.media_control}",
        f"--port-min={settings.media_port_min}",
        f"--port-max={settings.media_port_max}",
        f"--timeout={settings.media_timeout}",
        f"--silent-timeout={_HOLD_SECONDS}",
        "--delete-delay=0",  # the ports of a call that has ended are free at once
        "--num-threads=2",
        f"--b2b-url=http://{settings.media_control}/ended",
        "--xmlrpc-format=2",
    ]


def main() -> int:
    """Becomes rtpengine. Exit status 2 where a setting is wrong."""
    try:
        command = rtpengine_command(MediaSettings.from_environment(os.environ))
    except BadSetting as problem:
        log_event("bad_setting", problem=str(problem))
        return 2
    if "--print" in sys.argv[1:]:
        sys.stdout.write(shlex.join(command) + "\n")
        return 0
    return os.execvp(command[0], command)  # noqa: S606 - no shell on purpose


if __name__ == "__main__":
    sys.exit(main())
