"""Every setting of the functions, read once from the environment into one typed object. Nothing else reads the environment.

Secrets are not settings: `secrets_source` says where they are and adapters/secrets.py reads them there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from chalicelib.contracts.frozen import dataclass

SHORTEST_EXPIRY_SECONDS = 60
LONGEST_EXPIRY_SECONDS = 300
_SERVER = re.compile(r"[A-Za-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?")


class BadSetting(ValueError):
    """A setting that cannot be used; the message names the variable and says what it should be."""


@dataclass(frozen=True)
class Settings:
    """One field per variable: `public_url` is `SIPGW_PUBLIC_URL`. URLs carry no trailing slash."""

    region: str = "local"
    public_url: str = "https://localhost:8443"  # what phones call
    people_url: str = ""  # what browsers call; empty: public_url
    sip_host: str = "localhost"  # registrar, realm and SIP domain
    sip_port: int = 5061
    sip_second: str = ""  # HOST or HOST:PORT, where phones go while sip_host does not answer; empty: nowhere
    registration_expiry_seconds: int = 120  # 60 to 300
    store: str = "sqlite"  # sqlite or dynamodb
    sqlite_path: str = ".gateway/gateway.db"
    region_table: str = "sipgw-region"  # DynamoDB: devices, installations, codes, commands
    directory_table: str = "sipgw-directory"  # DynamoDB: tenants, users, policies; may be a global table
    secrets_source: str = "file:.gateway/secrets.json"  # file:PATH or secretsmanager:ARN[,ARN…]
    commands_link: str = "none"  # unix:PATH (one machine), sns:TOPIC_ARN, or none (commands wait for the next event batch)
    directory: str = "local"  # where users come from: local (set through the API) or graph (Microsoft Graph)
    graph_url: str = "https://graph.microsoft.com"  # a loopback URL selects the double of Microsoft Graph
    work_queue: str = "process"  # process (one machine: a queue inside the front) or sqs:QUEUE_URL
    entra_url: str = "https://login.microsoftonline.com"  # a loopback URL selects the development identity provider
    entra_client_id: str = ""
    api_audience: str = "api://sip-gateway"  # `aud` of administrators' tokens
    trust_anchor_path: str = ""  # PEM that phones are told to trust, where no public root signed the certificate
    ntp_servers: str = "pool.ntp.org"  # comma separated; phones take the first two
    firmware_mirror_url: str = ""  # docs/firmware-mirror.md; empty: phones with too old a firmware get 404
    egress_addresses: str = ""  # comma separated, for /v1/network
    allowed_tenants: str = ""  # comma separated tenant ids that this region serves; `*` for any (one machine only)
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads `SIPGW_…` variables. Raises BadSetting that names the variable."""
        values: dict[str, Any] = {}
        for item in fields(cls):
            variable = f"SIPGW_{item.name.upper()}"
            text = environment.get(variable)
            if text is not None:
                values[item.name] = _number(variable, text) if isinstance(item.default, int) else text.rstrip("/")
        return cls(**values)

    @property
    def second_sip_server(self) -> tuple[str, int]:
        """Host and port of the second SIP server; an empty host where there is none."""
        host, _, port = self.sip_second.partition(":")
        return host, int(port) if port else self.sip_port

    @property
    def browser_url(self) -> str:
        """What people open: the pairing pages."""
        return self.people_url or self.public_url

    def __post_init__(self) -> None:
        if self.store not in {"sqlite", "dynamodb"}:
            raise BadSetting(f"SIPGW_STORE is {self.store!r}; it must be sqlite or dynamodb")
        if self.directory not in {"local", "graph"}:
            raise BadSetting(f"SIPGW_DIRECTORY is {self.directory!r}; it must be local or graph")
        if not SHORTEST_EXPIRY_SECONDS <= self.registration_expiry_seconds <= LONGEST_EXPIRY_SECONDS:
            raise BadSetting("SIPGW_REGISTRATION_EXPIRY_SECONDS must be between 60 and 300 seconds")
        if self.sip_second and not _SERVER.fullmatch(self.sip_second):
            raise BadSetting("SIPGW_SIP_SECOND must be HOST or HOST:PORT")
        if not self.public_url.startswith("https://"):
            raise BadSetting("SIPGW_PUBLIC_URL must begin with https://: phones get secrets from it")
        if self.firmware_mirror_url and not self.firmware_mirror_url.startswith(("https://", "http://")):
            raise BadSetting("SIPGW_FIRMWARE_MIRROR_URL must begin with https:// or http://")
        if self.people_url and not self.people_url.startswith("https://"):
            raise BadSetting("SIPGW_PEOPLE_URL must begin with https://: people sign in there")


def _number(variable: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadSetting(f"{variable} is {text!r}; it must be a whole number") from None
