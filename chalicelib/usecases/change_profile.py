"""Giving an installation another profile: saved with its device, and the phone told to fetch its files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.contracts.edge import CommandType, EdgeCommand
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.audit import AuditEntry, AuditType
from chalicelib.domain.binding import Binding
from chalicelib.domain.calls import Number
from chalicelib.domain.device import Device, Move, move
from chalicelib.domain.errors import NumberTaken
from chalicelib.domain.identifiers import CommandId, is_port
from chalicelib.domain.installation import Installation, Profile, configure
from chalicelib.domain.job import JobType
from chalicelib.domain.port import with_port
from chalicelib.usecases.base_ports import Base, load_base
from chalicelib.usecases.claim_number import claim_number
from chalicelib.usecases.history import event_of
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.record_audit import phone_entry, schedule_entry
from chalicelib.usecases.request_command import (
    account_commands,
    edge_command,
    hand_over,
    order,
    tell_every_edge,
    wait_at_edge,
)


@dataclass(frozen=True)
class Change:
    """What is saved together. `reach_by` is the binding that the phone has; `tell` follows the resync, to every edge."""

    installation: Installation
    device: Device
    also: tuple[Any, ...] = ()
    remove: tuple[Any, ...] = ()
    tell: tuple[EdgeCommand, ...] = ()
    reach_by: Binding | None = None


@dataclass(frozen=True)
class Cause:
    """Why a profile changes, for the device's history, and where that came from: a call of the API has its own audit line."""

    reason: str
    by: AuditType


def change_profile(gateway: Gateway, installation: Installation, device: Device, profile: Profile, cause: Cause) -> CommandId:
    """Saves and tells; the resync command. A profile without a user signs the device out. May raise SaveConflict.

    A number that somebody else has signs the device out too, and is then the reason on record.
    """
    numbers: tuple[Number, ...] = ()
    reason = cause.reason
    try:
        numbers = _new_number(gateway, installation, profile)
    except NumberTaken as refusal:
        profile, reason = replace(profile, user=None, voicemail="", busy_on_busy=False, may_forward=True), refusal.code
    changed = configure(installation, profile)
    now = gateway.clock()
    signs_out = installation.profile.user is not None and profile.user is None
    if signs_out:
        device = move(device, Move.SIGN_OUT, now)
    device = replace(device, user=profile.user, config_version=changed.config_version, last_sync_at=now)
    audited = _audited(gateway, installation, device, cause.by) if signs_out else ()
    event = event_of(gateway, device, "signed_out" if signs_out else "configuration_changed", reason=reason)
    tell = account_commands(gateway, installation, None if signs_out else changed)
    return save_and_tell(
        gateway, Change(changed, device, also=(event, *numbers, *audited), tell=tuple(tell), reach_by=device.binding)
    )


def _audited(gateway: Gateway, installation: Installation, device: Device, by: AuditType) -> tuple[AuditEntry, ...]:
    user, tenant_id = installation.profile.user, installation.tenant_id
    if user is None or tenant_id is None or by is AuditType.API:
        return ()
    if by is AuditType.PHONE:
        return (phone_entry(gateway, tenant_id, device, "sign-out", user.upn),)
    return (schedule_entry(gateway, tenant_id, device.mac, JobType.POLICY_SYNC),)


def _new_number(gateway: Gateway, installation: Installation, profile: Profile) -> tuple[Number, ...]:
    """The number that the profile brings, claimed for its user; none where it stays the same. Raises NumberTaken."""
    before, user = installation.profile.user, profile.user
    if user is None or installation.tenant_id is None or (before is not None and before.number == user.number):
        return ()
    return (claim_number(gateway, installation.tenant_id, user.upn, user.number),)


def save_and_tell(gateway: Gateway, change: Change) -> CommandId:
    """Saves the change with a resync command, and sends that over the binding that the phone still has.

    What the edge is to forget waits there from the save on, until it was handed over: whoever lost a right shall lose it at the
    edge too, even if nobody comes to send it. A resync that nobody sent goes with the phone's next report.

    Of a port it is the base that is told, by a command of its own.
    """
    base = load_base(gateway, change.device.mac, change.installation.tenant_id) if is_port(change.device.mac) else None
    if base is not None:
        return _save_and_tell_base(gateway, change, base)
    reachable = replace(change.device, binding=change.reach_by)
    ordered, command = order(gateway, reachable, CommandType.RESYNC, "gateway")
    device = replace(change.device, pending_commands=ordered.pending_commands)
    waiting = wait_at_edge(gateway, change.device.edge_id, change.tell)
    gateway.store.save(change.installation, device, command, *change.also, *waiting, remove=change.remove)
    if change.reach_by is not None:
        hand_over(gateway, change.reach_by.edge_id, [edge_command(gateway, reachable, command)])
    tell_every_edge(gateway, change.tell, waiting)
    return command.id


def _save_and_tell_base(gateway: Gateway, change: Change, base: Base) -> CommandId:
    """A port's account stands in its base's files. Where these say the same as before nobody is told: an empty id."""
    told = with_port(base.installation, change.installation)
    if told.config_version == base.installation.config_version:
        changed = (told,) if told != base.installation else ()
        waiting = wait_at_edge(gateway, base.device.edge_id, change.tell)
        gateway.store.save(change.installation, change.device, *changed, *change.also, *waiting, remove=change.remove)
        tell_every_edge(gateway, change.tell, waiting)
        return CommandId("")
    phone = replace(base.device, config_version=told.config_version)
    also = (change.installation, change.device, *change.also)
    return save_and_tell(gateway, replace(change, installation=told, device=phone, also=also, reach_by=phone.binding))
