"""Every setting of the edge, read once from the environment. Nothing else in the agent reads the environment.

Kamailio, rtpengine and the agent are the processes of one edge: each has its object; what two of them need is in both.
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

_ANNOUNCEMENTS = str(Path(__file__).resolve().parent.parent / "announcements" / "wav")
_PEER = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}")
_PEER_NAME = re.compile(r"(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_EMERGENCY_NUMBER = re.compile(r"[0-9]{2,8}")
_TOPIC = re.compile(r"arn:[^:]+:sns:[^:]+:[0-9]*:.+")
_URL = re.compile(r"(https://[A-Za-z0-9._-]+|http://(127\.0\.0\.1|localhost)|https://\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/.*)?")
_HIGHEST_PORT = 65535
# A phone's connection that says nothing for three times as long is closed (sip_edge/kamailio/binding.cfg).
LONGEST_EXPIRY_SECONDS = 300


class BadSetting(ValueError):
    """A setting that cannot be used; the message names the variable and says what it should be."""


class _FromEnvironment:
    """One field per variable: `evapi` is EDGE_EVAPI."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Reads the EDGE_ variables. Raises BadSetting that names the variable."""
        values: dict[str, Any] = {}
        for item in fields(cls):  # type: ignore[arg-type]  # every subclass is a dataclass
            variable = f"EDGE_{item.name.upper()}"
            text = environment.get(variable, "")
            if text:
                values[item.name] = _number(variable, text) if isinstance(item.default, int) else text
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        """Raises BadSetting where values do not fit."""


@dataclass(frozen=True)
class KamailioSettings(_FromEnvironment):
    """What Kamailio is started with. Paths may be relative to the folder of the start."""

    sip_host: str = "localhost"  # realm, SIP domain and the name that phones call
    sip_second: str = ""  # HOST or HOST:PORT: the second server of the phones' files, another name of the edges
    listen: str = "127.0.0.1"  # addresses for TLS, comma separated; 0.0.0.0 for all
    tls_port: int = 5061
    tls_certificate: str = "/etc/sip-edge/certificate.pem"  # PEM with the chain
    tls_key: str = "/etc/sip-edge/key.pem"
    evapi: str = "127.0.0.1:8448"  # where the agent links, loopback only
    run_directory: str = "/run/sip-edge"  # pid, tls.cfg, control socket
    expires_default: int = 120  # seconds granted to a REGISTER that asks for none
    expires_min: int = 60
    expires_max: int = 300
    report_seconds: int = 900  # an unchanged binding is reported again after this
    pike_density: int = 400  # requests per address and 2 seconds of connections on which nobody has registered
    device_density: int = 200  # requests of one registered phone in 10 seconds; those of calls are not counted
    call_density: int = 60  # calls and feature codes that one phone may dial in a minute; emergency calls are not counted
    call_seconds: int = 43_200  # the longest call; then the edge hangs up on both sides
    gone_seconds: int = 60  # a phone in a call whose connection has been gone for so long has left the call
    stranger_seconds: int = 30  # a silent connection on which nobody has registered is closed after this
    max_connections: int = 16_384
    connections_per_address: int = 2_000  # an office may be behind one address; Kamailio 6 only
    tls_ciphers: str = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:!aNULL:!eNULL"  # of TLS 1.2, as OpenSSL lists them
    digest_algorithm: str = "MD5"  # or SHA-256; one for all phones (a limit of Kamailio's auth module)
    shared_memory_mb: int = 512  # taken as used: about 55 kB for each connected phone
    drain_seconds: int = 90  # how long an edge that is stopped lets running calls go on
    media_control: str = "127.0.0.1:2223"  # rtpengine's control port (UDP), and where it reports dead calls (TCP)
    announcer: str = "127.0.0.1:5090"  # where Kamailio itself answers calls, for announcements (UDP, loopback)
    announcements: str = _ANNOUNCEMENTS  # folder LANGUAGE/NAME.wav, made by `python -m sip_edge.announcements`
    private_address: str = ""  # ADDRESS:PORT (TCP) at which other edges reach this one; empty: it is alone
    private_networks: str = ""  # where other edges are: 10.0.0.0/16, comma separated
    trunk_peers: str = ""  # HOST:PORT of the trunk's TLS peers, the preferred first, comma separated; empty: no trunk
    trunk_peer_names: str = ""  # of the peers' certificates, `*.` for any one label; empty: the hosts of both lists of peers
    trunk_networks: str = ""  # where calls from the trunk may come from: 203.0.113.0/24, comma separated
    trunk_name: str = ""  # how the peers call us, a name of trunk_certificate; empty: sip_host
    trunk_port: int = 5062  # where the peers reach us, TLS with a certificate of theirs
    trunk_certificate: str = ""  # empty: tls_certificate
    trunk_key: str = ""
    trunk_authority: str = "/etc/ssl/certs/ca-certificates.crt"  # PEM of who signs the peers' certificates
    trunk_media: str = "srtp"  # or rtp
    trunk_probe_seconds: int = 30  # between two OPTIONS to each peer
    emergency_peers: str = ""  # as trunk_peers, for emergency calls alone; empty: the trunk's
    emergency_numbers: str = "112,911,999,000,110,118,119"  # a phone that may dial none of its own is told to sign in for these

    def _check(self) -> None:
        if self.digest_algorithm not in {"MD5", "SHA-256"}:
            raise BadSetting("EDGE_DIGEST_ALGORITHM must be MD5 or SHA-256")
        if not 0 < self.expires_min <= self.expires_default <= self.expires_max:
            raise BadSetting("EDGE_EXPIRES_MIN, _DEFAULT and _MAX must grow in this order")
        if self.expires_max > LONGEST_EXPIRY_SECONDS:
            raise BadSetting(f"EDGE_EXPIRES_MAX must be at most {LONGEST_EXPIRY_SECONDS}")
        if not 0 < self.pike_density <= 65535:  # noqa: PLR2004 - an unsigned short in pike
            raise BadSetting("EDGE_PIKE_DENSITY must be between 1 and 65535")
        _check_at_least_one(
            self,
            "report_seconds",
            "device_density",
            "call_density",
            "call_seconds",
            "gone_seconds",
            "stranger_seconds",
            "max_connections",
            "connections_per_address",
        )
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(self.tls_ciphers)
        except ssl.SSLError:
            raise BadSetting("EDGE_TLS_CIPHERS names no cipher that OpenSSL knows") from None
        self._check_trunk()

    def _check_trunk(self) -> None:
        if self.private_address and not (_PEER.fullmatch(self.private_address) and self.private_networks):
            raise BadSetting("EDGE_PRIVATE_ADDRESS must be ADDRESS:PORT, and EDGE_PRIVATE_NETWORKS say where other edges are")
        if self.trunk_media not in {"srtp", "rtp"}:
            raise BadSetting("EDGE_TRUNK_MEDIA must be srtp or rtp")
        for variable, text in (("EDGE_TRUNK_PEERS", self.trunk_peers), ("EDGE_EMERGENCY_PEERS", self.emergency_peers)):
            if not all(_PEER.fullmatch(peer) for peer in split_list(text)):
                raise BadSetting(f"{variable} must be HOST:PORT, comma separated")
        if not all(_PEER_NAME.fullmatch(name) for name in split_list(self.trunk_peer_names)):
            raise BadSetting(
                "EDGE_TRUNK_PEER_NAMES must be host names such as sbc.example.com or *.example.com, comma separated"
            )
        try:
            for network in split_list(f"{self.trunk_networks},{self.private_networks}"):
                ipaddress.ip_network(network)
        except ValueError:
            problem = "EDGE_TRUNK_NETWORKS and EDGE_PRIVATE_NETWORKS must be networks such as 203.0.113.0/24, comma separated"
            raise BadSetting(problem) from None
        if self.trunk_peers and not self.trunk_networks:
            raise BadSetting("EDGE_TRUNK_NETWORKS must say where calls from EDGE_TRUNK_PEERS may come from")
        if not all(_EMERGENCY_NUMBER.fullmatch(number) for number in split_list(self.emergency_numbers)):
            raise BadSetting("EDGE_EMERGENCY_NUMBERS must be numbers of 2 to 8 digits, comma separated")


@dataclass(frozen=True)
class MediaSettings(_FromEnvironment):
    """What rtpengine is started with."""

    media_control: str = "127.0.0.1:2223"
    media_address: str = "127.0.0.1"  # where audio comes in: ADDRESS, or LOCAL!PUBLIC behind a one-to-one NAT
    media_port_min: int = 49152
    media_port_max: int = 53247
    media_timeout: int = 60  # seconds without a packet from either side after which a call is dead

    def _check(self) -> None:
        if not 1024 <= self.media_port_min < self.media_port_max <= 65535:  # noqa: PLR2004 - UDP's ports
            raise BadSetting("EDGE_MEDIA_PORT_MIN and _MAX must be ports from 1024 to 65535, in this order")
        if self.media_timeout < 1:
            raise BadSetting("EDGE_MEDIA_TIMEOUT must be at least 1 second")


@dataclass(frozen=True)
class AgentSettings(_FromEnvironment):
    """What the agent is started with."""

    id: str = ""  # this edge's name, as the functions address commands to it
    functions_url: str = ""  # such as https://gateway.example/
    credential_file: str = ""  # JSON {"edge_credentials": ["current", "next"]}; the first is used, read again after a 401
    credential_secret: str = ""  # ARN of a secret in Secrets Manager with the same JSON, in place of the file
    credential: str = ""  # the credential itself, where there is neither
    trust_anchor: str = ""  # PEM that signed the functions' certificate; empty: the system's roots
    outbox: str = "outbox.db"  # SQLite file of the events that wait for delivery
    outbox_limit: int = 50_000
    evapi: str = "127.0.0.1:8448"
    announcements: str = _ANNOUNCEMENTS  # as Kamailio's
    private_address: str = ""  # as Kamailio's; other edges are told
    media_control: str = "127.0.0.1:2223"  # as rtpengine's, which is watched
    commands: str = ""  # unix:PATH, sns:TOPIC_ARN or sqs:QUEUE_URL; empty: commands come only with the answers to events
    queue_prefix: str = "sip-edge-"  # of the queue that the edge makes for itself behind an SNS topic
    heartbeat_seconds: int = 30
    report_seconds: int = 900  # as Kamailio's
    expires_max: int = 300  # as Kamailio's
    silence_spare_seconds: int = 30  # a binding without a report for both of these and so long more has ended unheard
    report_linger_seconds: int = 5  # how long the report of an unchanged binding waits for others; news never does
    metrics: str = ""  # ADDRESS:PORT of /metrics and /healthz, loopback or private only; empty: none
    run_directory: str = "/run/sip-edge"  # Kamailio's, for its control socket
    tls_certificate: str = "/etc/sip-edge/certificate.pem"  # watched: Kamailio reads a renewed one
    tls_key: str = "/etc/sip-edge/key.pem"
    trunk_certificate: str = ""  # as Kamailio's, and watched as well
    trunk_key: str = ""
    renewal_seconds: int = 60  # how often the certificates are looked at

    def _check(self) -> None:
        if not self.id:
            raise BadSetting("EDGE_ID must name this edge")
        if not _URL.fullmatch(self.functions_url):
            raise BadSetting("EDGE_FUNCTIONS_URL must be https://HOST or https://HOST:PORT (http:// on loopback only)")
        if not (self.credential or self.credential_file or self.credential_secret):
            raise BadSetting("EDGE_CREDENTIAL_FILE, EDGE_CREDENTIAL_SECRET or EDGE_CREDENTIAL must be set")
        if self.commands and not self.commands.startswith(("unix:", "sns:", "sqs:")):
            raise BadSetting("EDGE_COMMANDS must be unix:PATH, sns:TOPIC_ARN or sqs:QUEUE_URL")
        if self.commands.startswith("sns:") and not _TOPIC.fullmatch(self.commands.removeprefix("sns:")):
            raise BadSetting("EDGE_COMMANDS names no SNS topic: sns:arn:aws:sns:REGION:ACCOUNT:NAME")
        addresses = {"EVAPI": self.evapi, "METRICS": self.metrics or "127.0.0.1:9090", "MEDIA_CONTROL": self.media_control}
        for name, address in addresses.items():
            if not _is_address(address):
                raise BadSetting(f"EDGE_{name} must be ADDRESS:PORT")
        _check_at_least_one(self, "outbox_limit", "heartbeat_seconds", "report_seconds", "expires_max", "renewal_seconds")
        if not 0 <= self.report_linger_seconds <= 60:  # noqa: PLR2004 - a report and a registration later its binding is given up
            raise BadSetting("EDGE_REPORT_LINGER_SECONDS must be between 0 and 60")

    def load_credential(self) -> str:
        """The edge credential that is valid now. Raises BadSetting where the file or the secret does not hold one."""
        if self.credential_file:
            return _read_credential("EDGE_CREDENTIAL_FILE", lambda: Path(self.credential_file).read_text(encoding="utf-8"))
        if self.credential_secret:
            return _read_credential("EDGE_CREDENTIAL_SECRET", lambda: _read_secret(self.credential_secret))
        return self.credential


def _read_credential(variable: str, read: Callable[[], str]) -> str:
    """The first of the pair; a new secret in Secrets Manager holds a single one, as text, until its first rotation."""
    try:
        credentials = json.loads(read())["edge_credentials"]
        return str(credentials if isinstance(credentials, str) else credentials[0])
    except (OSError, ValueError, LookupError, TypeError) as problem:
        raise BadSetting(f"{variable} cannot be used: {type(problem).__name__}") from None


def _read_secret(arn: str) -> str:
    """Raises OSError where Secrets Manager does not give it."""
    import boto3  # noqa: PLC0415 - 20 MB that a local edge does not need
    from botocore.config import Config  # noqa: PLC0415 - as boto3
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as boto3

    # The defaults wait for five minutes; the agent looks every few seconds, each time in another of its few threads.
    soon = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 1})
    try:
        secrets = boto3.client("secretsmanager", region_name=arn.split(":")[3], config=soon)
        answer = secrets.get_secret_value(SecretId=arn)
    except (BotoCoreError, ClientError) as problem:
        raise OSError(str(problem)) from None
    return str(answer["SecretString"])


def _check_at_least_one(settings: KamailioSettings | AgentSettings, *names: str) -> None:
    for name in names:
        if getattr(settings, name) < 1:
            raise BadSetting(f"EDGE_{name.upper()} must be at least 1")


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and re.fullmatch(r"[0-9]{1,5}", port) is not None and 0 < int(port) <= _HIGHEST_PORT


def split_list(text: str) -> list[str]:
    """`a, b` as its items."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _number(variable: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadSetting(f"{variable} is {text!r}; it must be a whole number") from None
