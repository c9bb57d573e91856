"""What runs by the clock."""

from __future__ import annotations

from chalice.app import Blueprint, CloudWatchEvent, Rate

from chalicelib.observability import log
from chalicelib.usecases.sync_policy import sync_all_tenants
from chalicelib.wiring import gateway

blueprint = Blueprint(__name__)


@blueprint.schedule(Rate(1, unit=Rate.HOURS), name="sync_policy")
def sync_policy(event: CloudWatchEvent) -> dict[str, int]:
    """Compares every enabled tenant's directory with what its phones were last configured with."""
    del event
    tenants = sync_all_tenants(gateway())
    log().info("policies_synced", extra={"tenants": tenants})
    return {"tenants": tenants}
