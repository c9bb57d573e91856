"""Bodies and answers of `/v1/tenant`, `/v1/policies`, `/v1/users`, the audit and what needs no token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.audit import AuditType
from chalicelib.domain.directory import BusyOnBusy, CallRedirect, Voicemail
from chalicelib.domain.identifiers import Language, TenantId
from chalicelib.domain.tenant import Emergency, SyncState
from chalicelib.usecases.import_policies import MOST_POLICIES


@dataclass(frozen=True)
class TenantView:
    """The organisation's settings, and its last policy sync."""

    tenant_id: TenantId
    enabled: bool
    default_language: Language
    time_zone: str
    emergency: Emergency
    trusted_networks: tuple[str, ...]
    voicemail: str
    overrides: dict[str, dict[str, str]]
    sync: SyncState
    version: int


@dataclass(frozen=True)
class PolicyView:
    """A calling policy as far as a SIP device is concerned."""

    name: str
    sip_devices_for_calls: bool
    call_redirect: CallRedirect
    voicemail: Voicemail
    common_area: bool
    busy_on_busy: BusyOnBusy


@dataclass(frozen=True)
class AuditLine:
    """A change that somebody made, or a sign-in. `path` is the template of the API's path, `target` what it named.

    `outcome` is "done", or the code of the error that a sign-in was refused with.
    """

    at: datetime
    id: str
    type: AuditType
    actor: str
    method: str
    path: str
    target: str | None
    address: str | None
    status: int
    outcome: str


@dataclass(frozen=True)
class Ports:
    """What phones reach, by protocol."""

    https: str
    sip: str
    media: str


@dataclass(frozen=True)
class NetworkView:
    """What a firewall and Conditional Access must let through."""

    region: str
    provisioning_url: Annotated[str, Keywords(format="uri")]
    sip_host: str
    ports: Ports
    egress_addresses: Annotated[
        tuple[str, ...],
        Keywords(
            "The SIP host's fixed addresses, and those from which Entra ID is called where they are fixed; media has others."
        ),
    ]


@dataclass(frozen=True)
class CompatibleModel:
    """A model of the catalogue, and from which firmware on it is onboarded."""

    vendor: str
    model: str
    minimum_firmware: str
    approved_firmware: str


@dataclass(frozen=True)
class ExportedPolicy:
    """A policy as `Get-CsTeamsCallingPolicy | ConvertTo-Json` writes it. Other fields of it are passed over."""

    Identity: Annotated[
        str, Keywords("`Global`, or `Tag:` and the name. Each once.", format="policy-identity", example="Tag:Sales")
    ]
    AllowSIPDevicesCalling: bool | None = None
    AllowCallRedirect: Literal["Enabled", "Disabled", "UserOverride"] | None = None
    AllowVoicemail: Literal["AlwaysEnabled", "AlwaysDisabled", "UserOverride"] | None = None
    BusyOnBusyEnabledType: Literal["Enabled", "Disabled", "Unanswered", "UserOverride"] | None = None


ExportedList = Annotated[tuple[ExportedPolicy, ...], Keywords(min_items=1, max_items=MOST_POLICIES)]


@dataclass(frozen=True)
class ExportedPolicies:
    """The export as PowerShell 5.1 wraps it where it came through a variable."""

    value: ExportedList


PolicyExport = Annotated[
    ExportedList | ExportedPolicies | ExportedPolicy,
    Keywords("The output of `Get-CsTeamsCallingPolicy | ConvertTo-Json`: one policy is no list."),
]
PolicyExportFile = Annotated[str, Keywords("The same as a file in UTF-8 or UTF-16.", format="policy-export")]


@dataclass(frozen=True)
class OpenApiDocument:
    """An OpenAPI 3.1 document; https://spec.openapis.org/oas/v3.1.0."""

    openapi: str
