"""What happened to a device, for the administrator's timeline."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import Mac, TenantId

KEEP_HISTORY = timedelta(days=90)


@dataclass(frozen=True)
class DeviceEvent:
    """One line of a device's history. `type` is a past participle; `tenant_id` None is for every tenant that claims the device.

    The same `id` at the same time is the same event, however often it is saved.
    """

    mac: Mac
    at: datetime
    id: str
    type: str
    tenant_id: TenantId | None = None
    detail: dict[str, str] = field(default_factory=dict)
    version: int = 0
