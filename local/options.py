"""What the person who starts the gateway on this machine may choose, from the command line and the environment."""

from __future__ import annotations

import argparse
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE
)
_PORTS = {
    "https_port": ("HTTPS_PORT", 8443, "HTTPS: phones, browsers, administrators"),
    "http_port": ("HTTP_PORT", 8000, "plain HTTP, loopback only"),
    "sip_port": ("SIP_PORT", 5061, "SIP over TLS"),
    "idp_port": ("IDP_PORT", 8001, "development sign-in"),
    "graph_port": ("GRAPH_PORT", 8002, "double of Microsoft Graph, loopback only, with DIRECTORY=graph"),
    "evapi_port": ("EVAPI_PORT", 8448, "between Kamailio and its agent, and the next one to rtpengine; loopback only"),
}


class BadOption(ValueError):
    """An option that cannot be used; the message names it and says what it should be."""


@dataclass(frozen=True)
class GatewayOptions:
    """The choices. `host` is empty where the gateway serves loopback alone."""

    state: Path
    host: str = ""
    sip_second: str = ""
    host_certificate: Path | None = None
    host_key: Path | None = None
    https_port: int = 8443
    http_port: int = 8000
    sip_port: int = 5061
    idp_port: int = 8001
    graph_port: int = 8002
    evapi_port: int = 8448
    app: str = "app:app"
    directory: str = "local"
    people: Path | None = None
    schedule_seconds: float | None = None

    @property
    def public_host(self) -> str:
        """The name that phones and browsers use; an IPv6 address has its brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host or "localhost"

    @property
    def bind_address(self) -> str:
        return "0.0.0.0" if self.host else "127.0.0.1"  # noqa: S104 - HOST asks for the whole network

    @property
    def public_url(self) -> str:
        return f"https://{self.public_host}:{self.https_port}"

    @property
    def sign_in_url(self) -> str:
        """The development identity provider as browsers know it."""
        return f"http://{self.public_host if self.host else '127.0.0.1'}:{self.idp_port}"


def parse_options(arguments: Sequence[str], environment: Mapping[str, str]) -> GatewayOptions:
    """The command line of `python -m local run`, whose defaults come from the environment. Raises BadOption."""
    options = _parser(environment).parse_args(arguments)
    if bool(options.host_certificate) != bool(options.host_key):
        raise BadOption("HOST_CERT and HOST_KEY belong together: set both to PEM files, or neither for a local certificate")
    if options.host_certificate and not options.host:
        raise BadOption("HOST_CERT needs HOST, the name that the certificate was issued for")
    ports = {name: _parse_port(name, getattr(options, name)) for name in _PORTS}
    if len(set(ports.values())) < len(ports):
        raise BadOption(f"every port must be another one: {', '.join(f'{_PORTS[n][0]}={p}' for n, p in ports.items())}")
    return GatewayOptions(
        state=options.state.absolute(),
        host=_parse_host(options.host),
        sip_second=_parse_second(options.sip_second),
        host_certificate=options.host_certificate,
        host_key=options.host_key,
        app=options.app,
        directory=_parse_directory(options.directory),
        people=options.people,
        schedule_seconds=options.schedule_seconds,
        **ports,
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local run", description="Runs the whole gateway on this machine.")
    state = environment.get("GATEWAY_STATE") or ".gateway"
    parser.add_argument(
        "--state", type=Path, default=Path(state), help="folder that keeps everything (GATEWAY_STATE; .gateway)"
    )
    parser.add_argument("--host", default=environment.get("HOST", ""), help="serve the network under this name (HOST)")
    parser.add_argument(
        "--sip-second",
        default=environment.get("SIP_SECOND", ""),
        help="NAME or NAME:PORT of a second SIP server for phones; a name of this machine, or of another gateway (SIP_SECOND)",
    )
    parser.add_argument(
        "--host-certificate", type=Path, default=_path(environment, "HOST_CERT"), help="own chain, PEM (HOST_CERT)"
    )
    parser.add_argument("--host-key", type=Path, default=_path(environment, "HOST_KEY"), help="its key, PEM (HOST_KEY)")
    parser.add_argument("--app", default="app:app", help="MODULE:NAME of the Chalice app")
    directory = environment.get("DIRECTORY") or "local"
    parser.add_argument("--directory", default=directory, help="where users come from: local or graph (DIRECTORY; local)")
    parser.add_argument("--people", type=Path, default=_path(environment, "GATEWAY_PEOPLE"), help="JSON file of more users")
    parser.add_argument("--schedule-seconds", type=float, help="run every schedule at this interval instead of its own")
    for name, (variable, default, meaning) in _PORTS.items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, default=environment.get(variable) or default, help=f"{meaning} ({variable}; {default})")
    return parser


def _path(environment: Mapping[str, str], variable: str) -> Path | None:
    text = environment.get(variable)
    return Path(text) if text else None


def _parse_port(name: str, text: object) -> int:
    variable = _PORTS[name][0]
    try:
        port = int(str(text))
    except ValueError:
        port = 0
    if not 0 < port < 65536:  # noqa: PLR2004 - TCP has 16 bits
        raise BadOption(f"{variable} is {text!r}; it must be a port from 1 to 65535")
    return port


def _parse_directory(text: str) -> str:
    if text not in {"local", "graph"}:
        raise BadOption(f"DIRECTORY is {text!r}; it must be local, or graph for the double of Microsoft Graph")
    return text


def _parse_second(text: str) -> str:
    name, _, port = text.strip().lower().partition(":")
    if not name:
        return ""
    if not _HOST_NAME.fullmatch(name):
        raise BadOption(f"SIP_SECOND is {text!r}; it must be a host name, or one with its port: sip2.example.com:5061")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):  # noqa: PLR2004 - TCP has 16 bits
        raise BadOption(f"SIP_SECOND is {text!r}; its port must be from 1 to 65535")
    return f"{name}:{port}" if port else name


def _parse_host(text: str) -> str:
    host = text.strip().lower().strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host and not _HOST_NAME.fullmatch(host):
            raise BadOption(f"HOST is {text!r}; it must be a host name or an address") from None
    return "" if host in {"localhost", "127.0.0.1", "::1"} else host
