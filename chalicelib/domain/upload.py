"""What phones send back: logs, overrides, call lists. Kept as they came, newest by name, never read by the gateway."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import Mac, TenantId

LARGEST_UPLOAD = 512 * 1024  # bytes
PART_SIZE = 192 * 1024  # bytes before base64: a record holds at most 400 kB
MOST_NAMES = 20  # per device
KEEP_UPLOAD = timedelta(days=30)


@dataclass(frozen=True)
class Upload:
    """One part of an upload. `data` is base64; `parts` and `size` are those of the whole."""

    mac: Mac
    name: str
    part: int
    parts: int
    size: int
    tenant_id: TenantId
    at: datetime
    content_type: str
    data: str
    version: int = 0
