"""A user of the directory as the tenant's administrators see them: with the devices that they are signed in on."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Device, DeviceState
from chalicelib.domain.directory import GLOBAL_POLICY, CallingPolicy, User
from chalicelib.domain.identifiers import Mac, TenantId, Upn
from chalicelib.domain.installation import Installation
from chalicelib.usecases.ports import Gateway

MOST_DEVICES = 100  # of one user in one answer; nobody signs in on more


@dataclass(frozen=True)
class UserDevice:
    """One device that the user is signed in on."""

    mac: Mac
    vendor: str
    model: str
    state: DeviceState


@dataclass(frozen=True)
class UserView:
    """`policy` null is the Global policy. `policy_known` false: nobody has imported it here, so it allows no SIP device."""

    upn: Upn
    display_name: str
    number: str | None
    policy: str | None
    policy_known: bool
    extension: str | None
    enabled: bool
    devices: tuple[UserDevice, ...]


def view_of_user(gateway: Gateway, user: User) -> UserView:
    """One user's view. One query, and a read for the policy and for each device."""
    return views_of_users(gateway, user.tenant_id, [user])[0]


def views_of_users(gateway: Gateway, tenant_id: TenantId, users: Sequence[User]) -> list[UserView]:
    """The views in order. One query a user, one read a policy, and one a device."""
    known = _known_policies(gateway, tenant_id, users)
    devices = [_devices(gateway, tenant_id, user.upn) for user in users]
    return [
        UserView(
            upn=user.upn,
            display_name=user.display_name,
            number=user.number or None,
            policy=user.policy or None,
            policy_known=(user.policy or GLOBAL_POLICY) in known,
            extension=user.extension or None,
            enabled=user.enabled,
            devices=signed_in,
        )
        for user, signed_in in zip(users, devices, strict=True)
    ]


def _known_policies(gateway: Gateway, tenant_id: TenantId, users: Sequence[User]) -> set[str]:
    names = sorted({user.policy or GLOBAL_POLICY for user in users})
    loaded = gateway.store.load_many(CallingPolicy, [(tenant_id, name) for name in names]) if names else []
    return {policy.name for policy in loaded if policy is not None}


def _devices(gateway: Gateway, tenant_id: TenantId, upn: Upn) -> tuple[UserDevice, ...]:
    found = gateway.store.find(Installation, tenant_id, prefix=f"{upn}#", limit=MOST_DEVICES).items
    loaded = gateway.store.load_many(Device, [(installation.mac,) for installation in found]) if found else []
    return tuple(
        UserDevice(installation.mac, device.vendor, device.model, device.state)
        for installation, device in zip(found, loaded, strict=True)
        if device is not None and device.installation_id == installation.id  # not one that a reset phone left behind
    )
