"""The processes of a gateway on one machine: what each is started with, and how one sees that it works."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.certificates import ServerIdentity
from local.options import GatewayOptions
from local.readiness import Check, accepts_unix, all_of, answers_http, answers_ping, is_linked, own_address, speaks_tls
from local.state import GatewayState

ROOT = Path(__file__).resolve().parent.parent
_CLIENT_ID = "sip-gateway"


@dataclass(frozen=True)
class ChildPlan:
    """One process. `says` is the line that is printed once `is_ready`."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    is_ready: Check
    says: str


def plan_children(
    options: GatewayOptions, state: GatewayState, identity: ServerIdentity, inherited: Mapping[str, str]
) -> list[ChildPlan]:
    """In the order in which they become ready; they are stopped in the opposite one.

    Settings that nothing here decides, such as SIPGW_NTP_SERVERS, come from the environment of the start.
    """
    search = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    clean = {name: value for name, value in inherited.items() if name != "SIPGW_TOKEN"}  # the command line's, a secret
    base = {**clean, "PYTHONPATH": os.pathsep.join(search), "PYTHONUNBUFFERED": "1"}
    return [
        _identity_provider(options, state, base),
        *([_graph(options, base)] if options.directory == "graph" else []),
        _functions(options, state, identity, base),
        _rtpengine(options, base),
        _kamailio(options, state, identity, base),
        _agent(options, state, identity, base),
    ]


def _identity_provider(options: GatewayOptions, state: GatewayState, base: Mapping[str, str]) -> ChildPlan:
    arguments = [
        *("--address", options.bind_address),
        *("--port", str(options.idp_port)),
        *("--public-url", options.sign_in_url),
        *("--keys", str(state.identity_keys)),
        *("--secrets", str(state.secrets)),
        *(("--people", str(options.people.absolute())) if options.people else ()),
    ]
    return ChildPlan(
        "identity",
        (sys.executable, "-m", "local.identity_provider", *arguments),
        base,
        answers_http(f"http://127.0.0.1:{options.idp_port}/healthz"),
        f"development sign-in on {options.sign_in_url}",
    )


def _graph(options: GatewayOptions, base: Mapping[str, str]) -> ChildPlan:
    arguments = ("--port", str(options.graph_port), "--identity-provider", f"http://127.0.0.1:{options.idp_port}")
    url = f"http://127.0.0.1:{options.graph_port}"
    return ChildPlan(
        "graph",
        (sys.executable, "-m", "local.graph", *arguments),
        base,
        answers_http(f"{url}/healthz"),
        f"double of Microsoft Graph on {url}; POST {url}/development/accounts changes its users",
    )


def _functions(options: GatewayOptions, state: GatewayState, identity: ServerIdentity, base: Mapping[str, str]) -> ChildPlan:
    arguments = [
        *("--app", options.app),
        *("--https-address", options.bind_address),
        *("--https-port", str(options.https_port)),
        *("--http-port", str(options.http_port)),
        *("--certificate", str(identity.certificate)),
        *("--key", str(identity.key)),
        *(("--schedule-seconds", str(options.schedule_seconds)) if options.schedule_seconds else ()),
    ]
    return ChildPlan(
        "functions",
        (sys.executable, "-m", "local.front", *arguments),
        {**base, **function_settings(options, state, identity)},
        all_of(
            answers_http(f"http://127.0.0.1:{options.http_port}/healthz"),
            speaks_tls(options.https_port, options.host or "localhost", identity.trust_anchor),
        ),
        f"functions on {options.public_url} and http://127.0.0.1:{options.http_port}",
    )


def function_settings(options: GatewayOptions, state: GatewayState, identity: ServerIdentity) -> dict[str, str]:
    """The functions' settings (chalicelib/settings.py)."""
    return {
        "SIPGW_REGION": "local",
        "SIPGW_PUBLIC_URL": options.public_url,
        "SIPGW_SIP_HOST": options.host or "localhost",
        "SIPGW_SIP_PORT": str(options.sip_port),
        "SIPGW_SIP_SECOND": options.sip_second,
        "SIPGW_STORE": "sqlite",
        "SIPGW_SQLITE_PATH": str(state.database),
        "SIPGW_SECRETS_SOURCE": f"file:{state.secrets}",
        "SIPGW_COMMANDS_LINK": f"unix:{state.agent_socket}",
        "SIPGW_ALLOWED_TENANTS": "*",  # the development identity provider signs for any tenant
        "SIPGW_DIRECTORY": options.directory,
        "SIPGW_GRAPH_URL": f"http://127.0.0.1:{options.graph_port}",
        "SIPGW_ENTRA_URL": f"http://127.0.0.1:{options.idp_port}",
        "SIPGW_ENTRA_CLIENT_ID": _CLIENT_ID,
        "SIPGW_TRUST_ANCHOR_PATH": str(identity.trust_anchor or ""),
    }


def _rtpengine(options: GatewayOptions, base: Mapping[str, str]) -> ChildPlan:
    settings = {"EDGE_MEDIA_CONTROL": _media_control(options), "EDGE_MEDIA_ADDRESS": own_address(options.host)}
    return ChildPlan(
        "rtpengine",
        (sys.executable, "-m", "sip_edge.agent.rtpengine"),
        {**base, **settings, "PATH": f"{base.get('PATH', '')}:/usr/sbin"},
        answers_ping(options.evapi_port + 1),
        f"media on {settings['EDGE_MEDIA_ADDRESS']}, UDP 49152-53247",
    )


def _kamailio(options: GatewayOptions, state: GatewayState, identity: ServerIdentity, base: Mapping[str, str]) -> ChildPlan:
    settings = {
        "EDGE_SIP_HOST": options.host or "localhost",
        "EDGE_SIP_SECOND": options.sip_second,
        "EDGE_LISTEN": options.bind_address,
        "EDGE_TLS_PORT": str(options.sip_port),
        "EDGE_TLS_CERTIFICATE": str(identity.certificate),
        "EDGE_TLS_KEY": str(identity.key),
        "EDGE_EVAPI": _evapi(options),
        "EDGE_MEDIA_CONTROL": _media_control(options),
        "EDGE_ANNOUNCER": _evapi(options),  # UDP, where evapi is TCP
        "EDGE_RUN_DIRECTORY": str(state.run / "kamailio"),
    }
    return ChildPlan(
        "kamailio",
        (sys.executable, "-m", "sip_edge.agent.kamailio"),
        {**base, **settings, "PATH": f"{base.get('PATH', '')}:/usr/sbin"},  # Debian keeps Kamailio out of a user's path
        speaks_tls(options.sip_port, options.host or "localhost", identity.trust_anchor),
        f"SIP edge on sips:{options.public_host}:{options.sip_port}, TLS",
    )


def _agent(options: GatewayOptions, state: GatewayState, identity: ServerIdentity, base: Mapping[str, str]) -> ChildPlan:
    settings = {
        "EDGE_ID": "local",
        "EDGE_FUNCTIONS_URL": f"http://127.0.0.1:{options.http_port}",
        "EDGE_CREDENTIAL_FILE": str(state.secrets),
        "EDGE_OUTBOX": str(state.outbox),
        "EDGE_EVAPI": _evapi(options),
        "EDGE_MEDIA_CONTROL": _media_control(options),
        "EDGE_COMMANDS": f"unix:{state.agent_socket}",
        "EDGE_RUN_DIRECTORY": str(state.run / "kamailio"),
        "EDGE_TLS_CERTIFICATE": str(identity.certificate),
        "EDGE_TLS_KEY": str(identity.key),
    }
    return ChildPlan(
        "agent",
        (sys.executable, "-m", "sip_edge.agent"),
        {**base, **settings},
        all_of(accepts_unix(state.agent_socket), is_linked(options.evapi_port)),  # unlinked, it answers no phone
        "agent, between the SIP edge and the functions",
    )


def _evapi(options: GatewayOptions) -> str:
    return f"127.0.0.1:{options.evapi_port}"


def _media_control(options: GatewayOptions) -> str:
    return f"127.0.0.1:{options.evapi_port + 1}"
