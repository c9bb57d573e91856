"""A region's settings: one file, `infra/regions/NAME.toml`, read into one typed object. A wrong one is named with its place.

Fields without a default must be given. No secret belongs here: the file is kept with the code.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.contracts.codec import InvalidInput, from_json

REGIONS = Path(__file__).parent / "regions"
PLACEHOLDER_ACCOUNT = "000000000000"  # of the files that come with the project: they synthesise, and are not deployed

_NAME = re.compile(r"[a-z][a-z0-9]{1,11}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_AWS_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}")
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}")
_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+")
_PEER = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}")  # as in sip_edge/agent/settings.py
_PEER_NAME = re.compile(r"(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")  # as there
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_RETENTION_DAYS = (7, 14, 30, 60, 90, 180, 365, 400)  # of those that CloudWatch Logs knows
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html, arm64: memory in MB for each CPU size
_TASK_SIZES = {512: (1024, 4096), 1024: (2048, 8192), 2048: (4096, 16384), 4096: (8192, 30720)}


OPEN_FILES = 65_536  # of a task
LEAST_BESIDE_MB = 384
PHONE_KB = 55  # of shared memory: `make bench` measures 45 to 53


class BadRegion(ValueError):
    """A region file that cannot be used; the message names the file, the field and what it should be."""


@dataclass(frozen=True)
class Hosts:
    """Host names, all of the operator's own domain, and the certificate of ACM (in this region) that covers the first two."""

    phones: str  # provisioning: what DHCP gives to phones
    people: str  # pairing pages, the administrators' API, the edges
    sip: str  # registrar, realm and SIP domain
    certificate_arn: str
    sip_second: str = ""  # NAME or NAME:PORT, where phones go while `sip` does not answer; the SIP certificate names it too
    zone_id: str = ""  # Route 53 zone that gets the records; empty: the operator makes them from the outputs
    zone_name: str = ""


@dataclass(frozen=True)
class Functions:
    """`fixed_egress` puts the functions that talk to Entra ID behind fixed addresses, for Conditional Access."""

    memory_mb: int = 512  # processor power grows with it: one whole CPU at 1,769 MB
    log_level: str = "INFO"
    log_retention_days: int = 30
    fixed_egress: bool = False


@dataclass(frozen=True)
class EdgeTasks:
    """The SIP edge on Fargate (arm64): tasks that come and go between `fewest` and `most`."""

    image: str  # REPOSITORY@sha256:DIGEST
    certificate_secret_arn: str  # Secrets Manager: JSON {"certificate": PEM with its chain, "key": PEM} for the SIP host
    cpu: int = 1024  # 1024 is one vCPU
    memory_mb: int = 4096
    fewest: int = 2
    most: int = 20
    phones_per_task: int = 34_000  # connections at which another task is started; infra/costs/inputs.toml says why so many

    @property
    def most_connections(self) -> int:
        """What a task takes: half as many again while another one of three is lost, and some strangers."""
        return self.phones_per_task * 8 // 5

    @property
    def shared_memory_mb(self) -> int:
        """Kamailio's, where phones are kept. The rest is for its own processes, the agent and rtpengine."""
        return min(self.memory_mb * 4 // 5, self.memory_mb - LEAST_BESIDE_MB)


@dataclass(frozen=True)
class Trunk:
    """The way to the public network: session border controllers or Direct Routing style peers, TLS on both sides.

    The peers call `name`, which leads to the region's SIP addresses. Only a peer whose certificate names it is one.
    """

    peers: tuple[str, ...]  # HOST:PORT, the preferred first
    networks: tuple[str, ...]  # the IPv4 networks that their calls come from; nobody else gets through to the trunk's port
    name: str = ""  # empty: the SIP host
    peer_names: tuple[str, ...] = ()  # of the peers' certificates, `*.` for any one label; empty: the peers' hosts
    certificate_secret_arn: str = ""  # as the edge's, for `name`; empty: the edge's own certificate names both
    media: str = "srtp"  # or rtp
    emergency_peers: tuple[str, ...] = ()  # for emergency calls alone; empty: the trunk's


@dataclass(frozen=True)
class Entra:
    """The app registration that people sign in with, and whose tokens open the API."""

    client_id: str
    api_audience: str
    allowed_tenants: tuple[str, ...]


@dataclass(frozen=True)
class Phones:
    """What phones are told."""

    ntp_servers: tuple[str, ...] = ("pool.ntp.org",)
    firmware_mirror_url: str = ""
    registration_expiry_seconds: int = 120
    manufacturer_roots: str = ""  # PEM file beside this one: only phones with a certificate below these roots reach their host


@dataclass(frozen=True)
class Limits:
    """Requests that a region takes. Those of an address count per five minutes: a building's phones share one."""

    requests_per_second: int = 500
    burst: int = 1000
    per_address: int = 20_000
    stage_one_per_address: int = 3_000
    pairing_per_address: int = 300


@dataclass(frozen=True)
class Directory:
    """Tenants, users and policies: a table of this region, or one that several regions share.

    `own`: this region's alone. `home`: this region owns a global table with copies in `replicas`. `copy`: another one owns it.
    """

    users: str = "local"  # kept in the table, or `graph`: asked of Microsoft Graph (docs/graph.md)
    table: str = "own"
    replicas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Watch:
    """Who hears of an alarm, and where the runbook lies (its anchors are the alarms' names)."""

    alarm_email: str
    runbook_url: str


@dataclass(frozen=True)
class Region:
    """One region. `name` is that of the file, and part of every resource's name."""

    name: str
    account: str
    aws_region: str
    availability_zones: tuple[str, ...]
    hosts: Hosts
    edge: EdgeTasks
    entra: Entra
    watch: Watch
    functions: Functions = field(default_factory=Functions)
    phones: Phones = field(default_factory=Phones)
    limits: Limits = field(default_factory=Limits)
    directory: Directory = field(default_factory=Directory)
    trunk: Trunk | None = None

    @property
    def prefix(self) -> str:
        """What the names of this region's resources begin with."""
        return f"sipgw-{self.name}"

    @property
    def region_table(self) -> str:
        """The table of devices, installations, codes and commands."""
        return f"{self.prefix}-region"

    @property
    def directory_table(self) -> str:
        """The table of tenants, users and policies. A global table has one name everywhere."""
        return f"{self.prefix}-directory" if self.directory.table == "own" else "sipgw-directory"

    @property
    def manufacturer_roots(self) -> Path | None:
        """The file of the roots, where phones need a certificate."""
        return REGIONS / self.phones.manufacturer_roots if self.phones.manufacturer_roots else None


def region_names(folder: Path = REGIONS) -> list[str]:
    """Every region that has a file."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_region(name: str, folder: Path = REGIONS) -> Region:
    """Reads the file of `name`. Raises BadRegion that says what to change."""
    path = folder / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        there = ", ".join(region_names(folder)) or "none"
        raise BadRegion(f"There is no region {name!r}: {path} is missing. There are: {there}.") from None
    try:
        region = from_json(Region, {"name": name, **tomllib.loads(text)}, strict=True)
    except tomllib.TOMLDecodeError as error:
        raise BadRegion(f"{path} is not TOML: {error}") from None
    except InvalidInput as wrong:
        raise BadRegion(f"{path}: " + "; ".join(f"{item.pointer or '/'} {item.detail}" for item in wrong.problems)) from None
    problems = list(_problems(region, folder))
    if problems:
        raise BadRegion(f"{path}: " + "; ".join(problems))
    return region


def _problems(region: Region, folder: Path) -> Iterable[str]:
    yield from _place_problems(region)
    yield from _host_problems(region.hosts)
    yield from _edge_problems(region.edge)
    yield from _trunk_problems(region.trunk) if region.trunk else ()
    yield from _people_problems(region)
    yield from _limit_problems(region)
    roots = region.phones.manufacturer_roots
    if roots and not (folder / roots).is_file():
        yield f"/phones/manufacturer_roots names {roots}, which does not lie in {folder}"


def _place_problems(region: Region) -> Iterable[str]:
    if not _NAME.fullmatch(region.name):
        yield "the file's name must be 2 to 12 lower-case letters and digits"
    if not _ACCOUNT.fullmatch(region.account):
        yield "/account must be the twelve digits of the AWS account"
    if not _AWS_REGION.fullmatch(region.aws_region):
        yield "/aws_region must be a region of AWS, such as eu-central-1"
    zones = region.availability_zones
    if len(set(zones)) != 2 or not all(zone.startswith(region.aws_region) for zone in zones):  # noqa: PLR2004 - two zones
        yield f"/availability_zones must name two zones of {region.aws_region}"
    directory = region.directory
    if directory.users not in {"local", "graph"}:
        yield "/directory/users must be local or graph"
    if directory.table not in {"own", "home", "copy"}:
        yield "/directory/table must be own, home or copy"
    if (directory.table == "home") != bool(directory.replicas) or region.aws_region in directory.replicas:
        yield "/directory/replicas names the other AWS regions of a home table, and belongs to no other"


def _host_problems(hosts: Hosts) -> Iterable[str]:
    names = {"phones": hosts.phones, "people": hosts.people, "sip": hosts.sip}
    for field_name, host in names.items():
        if not _HOST.fullmatch(host):
            yield f"/hosts/{field_name} must be a host name in lower case, such as {field_name}.example.com"
    second, _, port = hosts.sip_second.partition(":")
    if hosts.sip_second and not (
        _HOST.fullmatch(second) and (not port or _PORT.fullmatch(port)) and second not in names.values()
    ):
        yield "/hosts/sip_second must be another host name, or HOST:PORT, such as sip2.example.com"
    if len(set(names.values())) != len(names):
        yield "/hosts: phones, people and sip must be three different names"
    if not _CERTIFICATE.fullmatch(hosts.certificate_arn):
        yield "/hosts/certificate_arn must be the ARN of a certificate in ACM"
    if bool(hosts.zone_id) != bool(hosts.zone_name):
        yield "/hosts: zone_id and zone_name go together"
    if hosts.zone_name and not all(host.endswith(f".{hosts.zone_name}") for host in names.values()):
        yield f"/hosts/zone_name: every host must lie in {hosts.zone_name}"


def _edge_problems(edge: EdgeTasks) -> Iterable[str]:
    if not _IMAGE.fullmatch(edge.image):
        yield "/edge/image must name its digest: REPOSITORY@sha256: and 64 hex digits"
    if not _SECRET.fullmatch(edge.certificate_secret_arn):
        yield "/edge/certificate_secret_arn must be the ARN of a secret in Secrets Manager"
    least, greatest = _TASK_SIZES.get(edge.cpu, (0, 0))
    if not least:
        yield f"/edge/cpu must be one of {', '.join(map(str, _TASK_SIZES))}"
    elif not least <= edge.memory_mb <= greatest or edge.memory_mb % 1024:
        yield f"/edge/memory_mb must be a multiple of 1024 between {least} and {greatest} for cpu {edge.cpu}"
    if not 1 <= edge.fewest <= edge.most:
        yield "/edge: fewest must be at least 1, and most at least as many"
    if edge.phones_per_task < 1:
        yield "/edge/phones_per_task must be at least 1"
    if edge.most_connections > OPEN_FILES * 9 // 10:
        yield f"/edge/phones_per_task must be at most {OPEN_FILES * 9 // 16}: a task has {OPEN_FILES} open files"
    if edge.phones_per_task * 3 // 2 * PHONE_KB > edge.shared_memory_mb * 1000:
        yield f"/edge/memory_mb is too little for half as many phones again as phones_per_task, {PHONE_KB} kB each"


def _trunk_problems(trunk: Trunk) -> Iterable[str]:
    if not trunk.peers or not all(_PEER.fullmatch(peer) for peer in (*trunk.peers, *trunk.emergency_peers)):
        yield "/trunk: peers and emergency_peers must be HOST:PORT, such as sbc.example.com:5061, with at least one peer"
    if not all(_PEER_NAME.fullmatch(name) for name in trunk.peer_names):
        yield "/trunk/peer_names must be host names such as sbc.example.com or *.example.com"
    if trunk.certificate_secret_arn and not _SECRET.fullmatch(trunk.certificate_secret_arn):
        yield "/trunk/certificate_secret_arn must be the ARN of a secret in Secrets Manager"
    for network in trunk.networks:
        if not _is_ipv4_network(network):
            yield f"/trunk/networks: {network} must be an IPv4 network without host bits, such as 203.0.113.0/24"
    if not trunk.networks or "0.0.0.0/0" in trunk.networks:
        yield "/trunk/networks must list where the peers call from, and nothing wider"
    if trunk.name and not _HOST.fullmatch(trunk.name):
        yield "/trunk/name must be a host name in lower case, such as trunk.example.com"
    if trunk.media not in {"srtp", "rtp"}:
        yield "/trunk/media must be srtp or rtp"


def _is_ipv4_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True


def _people_problems(region: Region) -> Iterable[str]:
    entra, watch = region.entra, region.watch
    if not _GUID.fullmatch(entra.client_id):
        yield "/entra/client_id must be the app registration's GUID"
    if not entra.api_audience.startswith("api://"):
        yield "/entra/api_audience must begin with api://"
    if not entra.allowed_tenants or not all(_GUID.fullmatch(item) for item in entra.allowed_tenants):
        yield "/entra/allowed_tenants must list the GUID of each tenant that this region serves"
    if not _EMAIL.fullmatch(watch.alarm_email):
        yield "/watch/alarm_email must be an address of e-mail"
    if not watch.runbook_url.startswith("https://"):
        yield "/watch/runbook_url must begin with https://"
    if region.functions.log_retention_days not in _RETENTION_DAYS:
        yield f"/functions/log_retention_days must be one of {', '.join(map(str, _RETENTION_DAYS))}"


def _limit_problems(region: Region) -> Iterable[str]:
    limits = region.limits
    if min(limits.requests_per_second, limits.burst) < 1:
        yield "/limits: requests_per_second and burst must be at least 1"
    for name in ("per_address", "stage_one_per_address", "pairing_per_address"):
        if getattr(limits, name) < 10:  # noqa: PLR2004 - AWS WAF Developer Guide, "Rate-based rule high-level settings"
            yield f"/limits/{name} must be at least 10, the least that AWS WAF counts"
    if limits.stage_one_per_address > limits.per_address or limits.pairing_per_address > limits.per_address:
        yield "/limits: stage 1 and pairing must be stricter than per_address"
    if not 60 <= region.phones.registration_expiry_seconds <= 300:  # noqa: PLR2004 - as in chalicelib/settings.py
        yield "/phones/registration_expiry_seconds must be between 60 and 300"
    if region.phones.firmware_mirror_url and not region.phones.firmware_mirror_url.startswith("https://"):
        yield "/phones/firmware_mirror_url must begin with https://"
    if not 128 <= region.functions.memory_mb <= 10_240:  # noqa: PLR2004 - Lambda's own limits
        yield "/functions/memory_mb must be between 128 and 10240"
