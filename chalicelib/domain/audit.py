"""Who did what when: a line for each change that somebody made, and for each sign-in, for the tenant's auditors.

It never holds a secret.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import TenantId

KEEP_AUDIT = timedelta(days=400)
LONGEST_TARGET = 256
DONE = "done"


class AuditType(StrEnum):
    """Where it came from: the API, a person who pairs a phone on the web, a feature code, the phone itself, the clock."""

    API = "api"
    PAIRING = "pairing"
    FEATURE_CODE = "feature_code"
    PHONE = "phone"
    SCHEDULE = "schedule"


@dataclass(frozen=True)
class AuditEntry:
    """`path` is the template, such as `/v1/devices/{mac}`; `target` is what it named; `address` is where the call came from.

    `outcome` is "done", or the code of the error that a sign-in was refused with.
    """

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
    outcome: str = DONE
    version: int = 0
