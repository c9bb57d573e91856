"""Who did what when: one line for each change that somebody made, for the tenant's auditors. It never holds a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.identifiers import TenantId

KEEP_AUDIT = timedelta(days=400)
LONGEST_TARGET = 256


class AuditType(StrEnum):
    """Where it came from: the administrators' API, a person who paired a phone on the web, a feature code, the clock."""

    API = "api"
    PAIRING = "pairing"
    FEATURE_CODE = "feature_code"
    SCHEDULE = "schedule"


@dataclass(frozen=True)
class AuditEntry:
    """`path` is the template, such as `/v1/devices/{mac}`; `target` is what it named; `address` is where the call came from."""

    tenant_id: TenantId
    at: datetime
    id: str
    type: AuditType
    actor: str
    method: str
    path: str
    target: str
    address: str
    status: int
    version: int = 0
