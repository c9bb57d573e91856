"""Giving an installation another profile: saved with its device, and the phone told to fetch its files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chalicelib.contracts.edge import CommandType, EdgeCommand
from chalicelib.domain.binding import Binding
from chalicelib.domain.device import Device, Move, move
from chalicelib.domain.identifiers import CommandId
from chalicelib.domain.installation import Installation, Profile, configure, username_of
from chalicelib.usecases.history import event_of
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.request_command import (
    edge_command,
    forget_command,
    hand_over,
    hand_over_waiting,
    order,
    wait_at_edge,
)


@dataclass(frozen=True)
class Change:
    """What is saved together. `reach_by` is the binding that the phone has; `forgets` follow the resync, at `forget_at`."""

    installation: Installation
    device: Device
    also: tuple[Any, ...] = ()
    remove: tuple[Any, ...] = ()
    forgets: tuple[EdgeCommand, ...] = ()
    reach_by: Binding | None = None
    forget_at: str = ""  # an edge


def change_profile(gateway: Gateway, installation: Installation, device: Device, profile: Profile, reason: str) -> CommandId:
    """Saves and tells; the resync command. A profile without a user signs the device out. May raise SaveConflict."""
    changed = configure(installation, profile)
    now = gateway.clock()
    signs_out = installation.profile.user is not None and profile.user is None
    if signs_out:
        device = move(device, Move.SIGN_OUT, now)
    device = replace(device, user=profile.user, config_version=changed.config_version, last_sync_at=now)
    event = event_of(gateway, device, "signed_out" if signs_out else "configuration_changed", reason=reason)
    account = installation.account
    forgets = (forget_command(gateway, username_of(installation, account), account.aor),) if signs_out else ()
    return save_and_tell(
        gateway, Change(changed, device, also=(event,), forgets=forgets, reach_by=device.binding, forget_at=device.edge_id)
    )


def save_and_tell(gateway: Gateway, change: Change) -> CommandId:
    """Saves the change with a resync command, and sends that over the binding that the phone still has.

    What the edge is to forget waits there from the save on, until it was handed over: whoever lost a right shall lose it at the
    edge too, even if nobody comes to send it. A resync that nobody sent goes with the phone's next report.
    """
    reachable = replace(change.device, binding=change.reach_by)
    ordered, command = order(gateway, reachable, CommandType.RESYNC, "gateway")
    device = replace(change.device, pending_commands=ordered.pending_commands)
    waiting = wait_at_edge(gateway, change.forget_at, change.forgets)
    gateway.store.save(change.installation, device, command, *change.also, *waiting, remove=change.remove)
    if change.reach_by is not None:
        hand_over(gateway, change.reach_by.edge_id, [edge_command(gateway, reachable, command)])
    hand_over_waiting(gateway, change.forget_at, change.forgets, waiting)
    return command.id
