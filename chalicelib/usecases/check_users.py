"""The users whose phones have just registered again are compared with the directory, all of a batch together.

One question to the directory for each tenant, however many phones: Microsoft Graph takes some hundred milliseconds for each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from chalicelib.domain.device import Device
from chalicelib.domain.directory import GLOBAL_POLICY, CallingPolicy, User
from chalicelib.domain.errors import DirectoryAway
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Installation
from chalicelib.domain.sync import decide_sync
from chalicelib.observability import log
from chalicelib.usecases.change_profile import change_profile
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.load_user import load_tenant
from chalicelib.usecases.ports import Gateway


def check_users(gateway: Gateway, installations: Collection[Installation]) -> None:
    """While the directory is away phones keep their users: the next check or the hourly sync makes up for it."""
    for tenant_id, own in _by_tenant(installations).items():
        asked = {installation.profile.user.upn for installation in own if installation.profile.user}
        try:
            known = gateway.directory.load_users(tenant_id, sorted(asked))
            users = {upn: known.get(upn) for upn in asked}
            for installation in own:
                until_saved(partial(_check, gateway, installation.id, users))  # asks again where a number changes hands
        except DirectoryAway as error:
            log().warning("users_not_checked", extra={"tenant_id": tenant_id, "users": len(asked), "reason": error.code})


def _by_tenant(installations: Collection[Installation]) -> dict[TenantId, list[Installation]]:
    found: dict[TenantId, list[Installation]] = {}
    for installation in installations:
        if installation.tenant_id is not None and installation.profile.user is not None:
            found.setdefault(installation.tenant_id, []).append(installation)
    return found


def _check(gateway: Gateway, installation_id: str, users: Mapping[Upn, User | None]) -> None:
    """`users`: who was asked for, None where the directory does not know them. Four reads."""
    installation = gateway.store.load(Installation, installation_id)
    if installation is None or installation.profile.user is None or installation.tenant_id is None:
        return
    if installation.profile.user.upn not in users:
        return  # changed hands meanwhile; whoever changed it read the directory as well
    user = users[installation.profile.user.upn]
    policy = gateway.store.load(CallingPolicy, installation.tenant_id, user.policy or GLOBAL_POLICY) if user else None
    decision = decide_sync(load_tenant(gateway, installation.tenant_id), installation, user, policy)
    device = gateway.store.load(Device, installation.mac)
    if device is not None and device.installation_id == installation_id and decision.profile != installation.profile:
        change_profile(gateway, installation, device, decision.profile, decision.sign_out_reason or "policy_sync")
