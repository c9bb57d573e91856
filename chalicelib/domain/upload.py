"""What phones send back: logs, overrides, call lists. Kept as they came, newest by name, never read by the gateway."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import Mac, TenantId

LARGEST_UPLOAD = 512 * 1024  # bytes
PART_SIZE = 192 * 1024  # bytes before base64: a record holds at most 400 kB
MOST_NAMES = 20  # per device
KEEP_UPLOAD = timedelta(days=30)
KEEP_UNPROVEN_UPLOAD = timedelta(days=1)
UNPROVEN_AN_HOUR = 100  # of one network address


@dataclass(frozen=True)
class Upload:
    """One part of an upload. `data` is base64; `parts` and `size` are those of the whole.

    `tenant_id` is None for what came from a phone that nobody owns and that proved nothing: no tenant sees it.
    """

    mac: Mac
    name: str
    part: int
    parts: int
    size: int
    tenant_id: TenantId | None
    at: datetime
    content_type: str
    data: str
    version: int = 0

    @property
    def kept_under(self) -> str:
        """As the function of that name: what proved nothing is kept apart, so that it takes no place of a tenant's uploads."""
        return kept_under(self.mac, self.tenant_id)

    @property
    def expires_at(self) -> datetime:
        """When it is gone."""
        return self.at + (KEEP_UPLOAD if self.tenant_id else KEEP_UNPROVEN_UPLOAD)


def kept_under(mac: Mac, tenant_id: TenantId | None) -> str:
    """What uploads of a device are kept under: its MAC for a tenant's, `unproven-MAC` for nobody's."""
    return mac if tenant_id else f"unproven-{mac}"
