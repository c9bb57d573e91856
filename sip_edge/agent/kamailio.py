"""How Kamailio is started: its command line, its environment and its TLS file, from the EDGE_ variables.

`python -m sip_edge.agent.kamailio` becomes Kamailio; `--print` only prints the command line. Kamailio stays in the
foreground and logs to standard error. A supervisor that kills it by SIGKILL must kill its process group: the workers of a
killed main process live on and hold the port.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from sip_edge.agent.certificate import note_certificate
from sip_edge.agent.log import log_event
from sip_edge.agent.settings import BadSetting, KamailioSettings

CONFIGURATION = Path(__file__).resolve().parent.parent / "kamailio" / "kamailio.cfg"

# The fields of the record (core/answers.py) that hold the HA1 of each algorithm.
_HA1_FIELDS = {"MD5": "0", "SHA-256": "1"}

_TLS_CONFIGURATION = """\
[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
certificate = {certificate}
private_key = {key}
cipher_list = {ciphers}

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
"""


def kamailio_command(settings: KamailioSettings) -> list[str]:
    """The command line. Run it with kamailio_environment, after prepare_kamailio."""
    run = Path(settings.run_directory).resolve()
    listen = [f"-ltls:{address.strip()}:{settings.tls_port}" for address in settings.listen.split(",")]
    return [
        "kamailio",
        "-DD",
        "-E",
        *("-f", str(CONFIGURATION)),
        *("-m", str(settings.shared_memory_mb)),
        *("-P", str(run / "kamailio.pid")),
        *("-Y", str(run)),
        *("-w", str(run)),
        *listen,
    ]


def kamailio_environment(settings: KamailioSettings) -> dict[str, str]:
    """The variables that kamailio.cfg reads; everything else of the environment is the caller's choice."""
    return {
        "EDGE_SIP_HOST": settings.sip_host,
        "EDGE_EVAPI": settings.evapi,
        "EDGE_RUN_DIRECTORY": str(Path(settings.run_directory).resolve()),
        "EDGE_DIGEST_ALGORITHM": settings.digest_algorithm,
        "EDGE_HA1_FIELD": _HA1_FIELDS[settings.digest_algorithm],
        "EDGE_EXPIRES_DEFAULT": str(settings.expires_default),
        "EDGE_EXPIRES_MIN": str(settings.expires_min),
        "EDGE_EXPIRES_MAX": str(settings.expires_max),
        "EDGE_REPORT_SECONDS": str(settings.report_seconds),
        "EDGE_PIKE_DENSITY": str(settings.pike_density),
        "EDGE_DEVICE_DENSITY": str(settings.device_density),
        "EDGE_STRANGER_SECONDS": str(settings.stranger_seconds),
        "EDGE_MAX_CONNECTIONS": str(settings.max_connections),
        "EDGE_CONNECTIONS_PER_ADDRESS": str(settings.connections_per_address),
    }


def prepare_kamailio(settings: KamailioSettings) -> None:
    """Makes the run directory (mode 0700) and writes tls.cfg. Certificates are read again by `kamcmd tls.reload`."""
    run = Path(settings.run_directory)
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate, key = Path(settings.tls_certificate).resolve(), Path(settings.tls_key).resolve()
    for path in (certificate, key):
        if not os.access(path, os.R_OK):
            raise BadSetting(f"{path} cannot be read; EDGE_TLS_CERTIFICATE and EDGE_TLS_KEY name PEM files")
    note_certificate(run, certificate, key)
    (run / "tls.cfg").write_text(
        _TLS_CONFIGURATION.format(certificate=certificate, key=key, ciphers=settings.tls_ciphers), encoding="utf-8"
    )


def main() -> int:
    """Becomes Kamailio. Exit status 2 where a setting is wrong."""
    try:
        settings = KamailioSettings.from_environment(os.environ)
        command = kamailio_command(settings)
        if "--print" in sys.argv[1:]:
            sys.stdout.write(shlex.join(command) + "\n")
            return 0
        prepare_kamailio(settings)
    except BadSetting as problem:
        log_event("bad_setting", problem=str(problem))
        return 2
    return os.execvpe(command[0], command, {**os.environ, **kamailio_environment(settings)})  # noqa: S606 - no shell on purpose


if __name__ == "__main__":
    sys.exit(main())
