"""The users whose phones have just registered again are compared with the directory, all of a batch together.

One question to the directory for each tenant, however many phones: Microsoft Graph takes some hundred milliseconds for each.
The comparison may be a second behind, at half the price; who seems to differ is asked for and read again before any change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from chalicelib.domain.audit import AuditType
from chalicelib.domain.device import Device
from chalicelib.domain.directory import GLOBAL_POLICY, CallingPolicy, User
from chalicelib.domain.errors import DirectoryAway
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Installation
from chalicelib.domain.sync import decide_sync
from chalicelib.domain.tenant import Tenant
from chalicelib.observability import log
from chalicelib.usecases.change_profile import Cause, change_profile
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.load_user import load_tenant
from chalicelib.usecases.ports import Gateway


def check_users(gateway: Gateway, installations: Collection[Installation]) -> None:
    """While the directory is away phones keep their users: the next check or the hourly sync makes up for it."""
    for tenant_id, own in _by_tenant(installations).items():
        try:
            _check_tenant(gateway, tenant_id, own)
        except DirectoryAway as error:
            log().warning("users_not_checked", extra={"tenant_id": tenant_id, "users": len(_upns(own)), "reason": error.code})


def _check_tenant(gateway: Gateway, tenant_id: TenantId, installations: Collection[Installation]) -> None:
    differing = _differing(gateway, tenant_id, installations)
    asked = _upns(differing)
    known = gateway.directory.load_users(tenant_id, asked) if asked else {}
    users = {upn: known.get(upn) for upn in asked}
    for installation in differing:
        until_saved(partial(_check, gateway, installation.id, users))  # asks again where a number changes hands


def _differing(gateway: Gateway, tenant_id: TenantId, installations: Collection[Installation]) -> list[Installation]:
    """Those whose profile seems not to be what it should be. A change of this very second is seen by the next check."""
    users = gateway.directory.load_users(tenant_id, _upns(installations), fresh=False)
    names = sorted({user.policy or GLOBAL_POLICY for user in users.values()})
    loaded = gateway.store.load_many(CallingPolicy, [(tenant_id, name) for name in names], fresh=False) if names else []
    policies = {policy.name: policy for policy in loaded if policy}
    tenant = gateway.store.load_many(Tenant, [(tenant_id,)], fresh=False)[0] or Tenant(tenant_id)

    def is_right(installation: Installation) -> bool:
        user = users.get(installation.profile.user.upn) if installation.profile.user else None
        policy = policies.get(user.policy or GLOBAL_POLICY) if user else None
        return decide_sync(tenant, installation, user, policy).profile == installation.profile

    return [installation for installation in installations if not is_right(installation)]


def _upns(installations: Collection[Installation]) -> list[Upn]:
    return sorted({installation.profile.user.upn for installation in installations if installation.profile.user})


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
        cause = Cause(decision.sign_out_reason or "policy_sync", AuditType.SCHEDULE)
        change_profile(gateway, installation, device, decision.profile, cause)
