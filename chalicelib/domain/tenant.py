"""An organisation: what it allows and what its phones have in common."""

from __future__ import annotations

import ipaddress
from dataclasses import field
from datetime import datetime
from typing import Annotated

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Language, TenantId
from chalicelib.domain.overrides import OverrideMap

LONGEST_EMERGENCY_NUMBER = 6
SHORTEST_TRUSTED_PREFIX = 8
MOST_EMERGENCY_NUMBERS = 20
EmergencyNumbers = Annotated[
    tuple[Annotated[str, Keywords(pattern="^[0-9]{2,6}$", example="112")], ...], Keywords(max_items=MOST_EMERGENCY_NUMBERS)
]


@dataclass(frozen=True)
class Emergency:
    """`numbers` are dialled as they stand; `when_signed_out` lets signed-out phones of the tenant dial them."""

    numbers: EmergencyNumbers = ("112", "911")
    when_signed_out: bool = False


DEFAULT_EMERGENCY = Emergency()


@dataclass(frozen=True)
class SyncState:
    """The last policy sync of the tenant. `policy_unknown` of those signed out have a policy that nobody has imported here."""

    started_at: datetime | None = None
    finished_at: datetime | None = None
    checked: int = 0
    changed: int = 0
    signed_out: int = 0
    policy_unknown: int = 0


NEVER_SYNCED = SyncState()


@dataclass(frozen=True)
class Tenant:
    """One Entra tenant. `trusted_networks` are CIDR blocks whose phones may enroll without a one-time password.

    `overrides` are its own settings for its phones, by vendor: domain/overrides.py.
    """

    tenant_id: TenantId
    enabled: bool = False
    default_language: Language = Language.EN
    time_zone: str = "UTC"
    emergency: Emergency = DEFAULT_EMERGENCY
    trusted_networks: tuple[str, ...] = ()
    voicemail: str = ""
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    sync: SyncState = NEVER_SYNCED
    version: int = 0


@dataclass(frozen=True)
class TenantSettings:
    """What an administrator may change of a tenant; None leaves a field as it is."""

    enabled: bool | None = None
    default_language: Language | None = None
    time_zone: Annotated[str, Keywords("An IANA time zone.", format="time-zone", example="Europe/Berlin")] | None = None
    emergency: Emergency | None = None
    trusted_networks: tuple[Annotated[str, Keywords(format="cidr", example="203.0.113.0/24")], ...] | None = None
    voicemail: Annotated[str, Keywords("A number or a SIP address; empty for none.", pattern="^[!-~]*$")] | None = None
    overrides: dict[Annotated[str, Keywords("A vendor.", format="vendor")], OverrideMap] | None = None


def check_settings(settings: TenantSettings, *others: Problem) -> None:
    """Raises BadRequest that names every setting a phone could not use; `others` were found where the vendors are known."""
    problems = [
        *_zone_problems(settings.time_zone),
        *_network_problems(settings.trusted_networks or ()),
        *_emergency_problems(settings.emergency),
        *_voicemail_problems(settings.voicemail),
        *others,
    ]
    if problems:
        raise BadRequest("Some settings cannot be used.", tuple(problems))


def trusts(tenant: Tenant, address: str) -> bool:
    """Whether `address` lies in one of the tenant's trusted networks. An address that cannot be read is not trusted."""
    try:
        source = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(source in ipaddress.ip_network(network) for network in tenant.trusted_networks)


def _zone_problems(zone: str | None) -> list[Problem]:
    if zone is None:
        return []
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - a start needs no time zone

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return [Problem("/time_zone", "must be an IANA time zone such as Europe/Berlin")]
    return []


def _network_problems(networks: tuple[str, ...]) -> list[Problem]:
    problems = []
    for index, network in enumerate(networks):
        try:
            broad = ipaddress.ip_network(network).prefixlen < SHORTEST_TRUSTED_PREFIX
        except ValueError:
            problems.append(Problem(f"/trusted_networks/{index}", "must be a network such as 203.0.113.0/24"))
            continue
        if broad:
            problems.append(Problem(f"/trusted_networks/{index}", "is too broad: whoever is in it enrolls without a password"))
    return problems


def _emergency_problems(emergency: Emergency | None) -> list[Problem]:
    if emergency and len(emergency.numbers) > MOST_EMERGENCY_NUMBERS:
        return [Problem("/emergency/numbers", f"must be at most {MOST_EMERGENCY_NUMBERS}: phones hold no more")]
    return [
        Problem(f"/emergency/numbers/{index}", "must be 2 to 6 digits, such as 112")
        for index, number in enumerate(emergency.numbers if emergency else ())
        if not (number.isascii() and number.isdigit() and 1 < len(number) <= LONGEST_EMERGENCY_NUMBER)
    ]


def _voicemail_problems(address: str | None) -> list[Problem]:
    if not address or (address.isascii() and address.isprintable() and " " not in address):
        return []
    return [Problem("/voicemail", "must be a phone number or a SIP address")]
