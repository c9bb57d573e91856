"""How Kamailio is started: its command line, its environment and its TLS file, from the EDGE_ variables.

`python -m sip_edge.agent.kamailio` becomes Kamailio; `--print` only prints the command line. Kamailio stays in the
foreground and logs to standard error, of which only its own lines are let through. A supervisor that kills it by SIGKILL
must kill its process group: the workers of a killed main process live on and hold the port.
"""

from __future__ import annotations

import os
import resource
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from sip_edge.agent.certificate import certificate_pairs, note_certificates
from sip_edge.agent.log import log_event
from sip_edge.agent.settings import BadSetting, KamailioSettings, split_list

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
ca_list = {authority}
certificate = {trunk_certificate}
private_key = {trunk_key}
"""
# The trunk's own port: a peer proves who it is (mutual TLS).
_TRUNK_CONFIGURATION = """
[server:{address}:{port}]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = {authority}
certificate = {trunk_certificate}
private_key = {trunk_key}
"""
# Of each process, taken as used. The files alone take more than half of 16 MB; the processes that read from phones have a table
# with a place for every connection there may be.
_PRIVATE_MEMORY_MB = 16
_CONNECTIONS_PER_MB = 2_000
# Files that it has open beside its connections.
_OTHER_FILES = 1_024
# A message that Kamailio cannot read goes into its log as it came, whatever its settings: many lines, in which a stranger may
# write what looks like the agent's, and a phone what it dialled. sed leaves each entry its first line, ` 7(31) ERROR: …`; what
# comes before the first entry passes.
_ENTRY = r"/^ *[0-9]\+([0-9]\+) [A-Z]\+: /"
_OWN_LINES = ("sed", "-u", "-n", "-e", f"1,{_ENTRY}{{p;d}}", "-e", f"{_ENTRY}p")
_NO_NAME = "[.]"
_NO_NETWORK = "127.0.0.255/32"  # nobody comes from a broadcast address
# The sets of the dispatcher's list.
_TRUNK_SET, _EMERGENCY_SET = 1, 2


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
        *("-x", "tlsf"),  # Kamailio's default wastes more, and is slow with TLS buffers: docs/adr/0018
        *("-M", str(_PRIVATE_MEMORY_MB + settings.max_connections // _CONNECTIONS_PER_MB)),
        *("-P", str(run / "kamailio.pid")),
        *("-Y", str(run)),
        *("-w", str(run)),
        *listen,
        *(f"-ltls:{address}:{settings.trunk_port}" for address in _trunk_addresses(settings)),
        *([f"-ltcp:{settings.private_address}"] if settings.private_address else []),
        f"-ludp:{settings.announcer}",
    ]


def kamailio_environment(settings: KamailioSettings) -> dict[str, str]:
    """The variables that kamailio.cfg reads; everything else of the environment is the caller's choice."""
    return {
        "EDGE_SIP_HOST": settings.sip_host,
        "EDGE_SIP_SECOND": settings.sip_second.partition(":")[0] or settings.sip_host,
        "EDGE_EVAPI": settings.evapi,
        "EDGE_RUN_DIRECTORY": str(Path(settings.run_directory).resolve()),
        "EDGE_PHONE_ROUTE": f"{settings.sip_host}:{settings.tls_port};transport=tls",
        "EDGE_MEDIA_CONTROL": settings.media_control,
        "EDGE_ANNOUNCER": settings.announcer,
        "EDGE_ANNOUNCEMENTS": str(Path(settings.announcements).resolve()),
        "EDGE_PRIVATE_ROUTE": f"{settings.private_address or settings.sip_host};transport=tcp",
        "EDGE_PRIVATE_ADDRESS": settings.private_address or "none",
        "EDGE_PRIVATE_PORT": settings.private_address.rpartition(":")[2] or "0",
        "EDGE_PRIVATE_NETWORKS": ",".join(split_list(settings.private_networks)) or _NO_NETWORK,
        "EDGE_TRUNK_NAME": _trunk_name(settings),
        "EDGE_TRUNK_ROUTE": _trunk_route(settings),
        "EDGE_TRUNK_RECORD": _trunk_record(settings),
        "EDGE_TRUNK_PORT": str(settings.trunk_port) if settings.trunk_peers else "0",
        "EDGE_TRUNK_NETWORKS": ",".join(split_list(settings.trunk_networks)) or _NO_NETWORK,
        "EDGE_TRUNK_PEER_PATTERN": "|".join(map(_certified_as, _peer_names(settings))) or _NO_NAME,
        "EDGE_TRUNK_MEDIA": settings.trunk_media,
        "EDGE_TRUNK_PROBE_SECONDS": str(settings.trunk_probe_seconds),
        "EDGE_EMERGENCY_FIRST": next(iter(_emergency_peers(settings)), ""),
        "EDGE_EMERGENCY_NUMBERS": "|".join(split_list(settings.emergency_numbers)) or "none",
        "EDGE_DIGEST_ALGORITHM": settings.digest_algorithm,
        "EDGE_HA1_FIELD": _HA1_FIELDS[settings.digest_algorithm],
        "EDGE_EXPIRES_DEFAULT": str(settings.expires_default),
        "EDGE_EXPIRES_MIN": str(settings.expires_min),
        "EDGE_EXPIRES_MAX": str(settings.expires_max),
        "EDGE_REPORT_SECONDS": str(settings.report_seconds),
        "EDGE_PIKE_DENSITY": str(settings.pike_density),
        "EDGE_DEVICE_DENSITY": str(settings.device_density),
        "EDGE_CALL_DENSITY": str(settings.call_density),
        "EDGE_CALL_SECONDS": str(settings.call_seconds),
        "EDGE_GONE_SECONDS": str(settings.gone_seconds),
        "EDGE_STRANGER_SECONDS": str(settings.stranger_seconds),
        "EDGE_MAX_CONNECTIONS": str(settings.max_connections),
        "EDGE_CONNECTIONS_PER_ADDRESS": str(settings.connections_per_address),
    }


def prepare_kamailio(settings: KamailioSettings) -> None:
    """Makes the run directory (mode 0700) with tls.cfg and peers.list. Certificates are read again by `order(…, "reload")`."""
    run = Path(settings.run_directory)
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = {
        "certificate": settings.tls_certificate,
        "key": settings.tls_key,
        "trunk_certificate": settings.trunk_certificate or settings.tls_certificate,
        "trunk_key": settings.trunk_key or settings.tls_key,
    }
    if settings.trunk_peers or settings.emergency_peers:
        files["authority"] = settings.trunk_authority
    paths = {name: Path(file).resolve() for name, file in files.items()}
    for path in paths.values():
        if not os.access(path, os.R_OK):
            raise BadSetting(f"{path} cannot be read; EDGE_TLS_… and EDGE_TRUNK_… name PEM files")
    note_certificates(run, certificate_pairs(settings))
    (run / "tls.cfg").write_text(_tls_configuration(settings, {"authority": paths["certificate"], **paths}), encoding="utf-8")
    (run / "peers.list").write_text(_peers_list(settings), encoding="utf-8")


def _tls_configuration(settings: KamailioSettings, paths: Mapping[str, Path]) -> str:
    trunk = (
        _TRUNK_CONFIGURATION.format(address=address, port=settings.trunk_port, **paths)
        for address in _trunk_addresses(settings)
    )
    return _TLS_CONFIGURATION.format(ciphers=settings.tls_ciphers, **paths) + "".join(trunk)


def _peers_list(settings: KamailioSettings) -> str:
    """The dispatcher's list: `set uri flags priority attributes`. The first of a set that answers OPTIONS is taken."""
    trunk = split_list(settings.trunk_peers)
    sets = {_TRUNK_SET: trunk, _EMERGENCY_SET: _emergency_peers(settings)}
    return "".join(
        f"{number} sip:{peer};transport=tls 0 {len(peers) - place}\n"
        for number, peers in sets.items()
        for place, peer in enumerate(peers)
    )


def _emergency_peers(settings: KamailioSettings) -> list[str]:
    """Those for emergency calls alone, then the trunk's."""
    return list(dict.fromkeys(split_list(f"{settings.emergency_peers},{settings.trunk_peers}")))


def _trunk_addresses(settings: KamailioSettings) -> list[str]:
    return split_list(settings.listen) if settings.trunk_peers else []


def _trunk_route(settings: KamailioSettings) -> str:
    return f"{_trunk_name(settings)}:{settings.trunk_port};transport=tls"


def _trunk_record(settings: KamailioSettings) -> str:
    """Record-Route towards the trunk: the edges have one name there, so it says which of them has the call."""
    edge = f";edge={settings.private_address}" if settings.private_address else ""
    return _trunk_route(settings) + edge


def _peer_names(settings: KamailioSettings) -> list[str]:
    """How the peers' certificates may call them."""
    peers = split_list(f"{settings.trunk_peers},{settings.emergency_peers}")
    return split_list(settings.trunk_peer_names) or [peer.rpartition(":")[0] for peer in peers]


def _certified_as(name: str) -> str:
    """The names in a certificate that stand for this one (RFC 6125 section 6.4.3): a regular expression without backslashes."""
    label, _, rest = name.partition(".")
    any_label = f"[^.]+[.]{rest.replace('.', '[.]')}"
    if label == "*":
        return any_label
    wildcard = f"[*][.]{rest.replace('.', '[.]')}"
    return f"{name.replace('.', '[.]')}|{wildcard}" if rest else name


def _trunk_name(settings: KamailioSettings) -> str:
    return settings.trunk_name or settings.sip_host


def _allow_open_files(wanted: int) -> None:
    """A shell's usual 1,024 are fewer than the connections that Kamailio is told to take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == unlimited else min(wanted, hard), hard))
    if hard not in {unlimited, max(hard, wanted)}:
        log_event("open_files_few", limit=hard, wanted=wanted)


def _pass_own_lines_on() -> None:
    """Standard error goes through _OWN_LINES from now on. That is no child of Kamailio, which ends with any of its children."""
    reading, writing = os.pipe()
    if (between := os.fork()) == 0:
        if os.fork() == 0:
            os.dup2(reading, 0)
            os.dup2(2, 1)
            os.close(writing)
            os.execvp(_OWN_LINES[0], _OWN_LINES)  # noqa: S606 - no shell on purpose
        os._exit(0)
    os.waitpid(between, 0)
    os.dup2(writing, 2)
    os.close(reading)
    os.close(writing)


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
    _allow_open_files(settings.max_connections + _OTHER_FILES)
    _pass_own_lines_on()
    return os.execvpe(command[0], command, {**os.environ, **kamailio_environment(settings)})  # noqa: S606 - no shell on purpose


if __name__ == "__main__":
    sys.exit(main())
