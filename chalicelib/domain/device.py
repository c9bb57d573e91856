"""A physical phone, by MAC, and its state machine. Whether it is online: connection.py."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.binding import Binding
from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.errors import IllegalMove
from chalicelib.domain.identifiers import CommandId, InstallationId, Language, Mac, TenantId

OFFBOARD_SIGNED_IN_AFTER = timedelta(days=30)  # without contact
OFFBOARD_SIGNED_OUT_AFTER = timedelta(days=14)


class DeviceState(StrEnum):
    """As the administrator sees it."""

    ADDED = "added"  # waiting on activation: no contact yet
    ONBOARDED = "onboarded"
    ENROLLED = "enrolled"  # waiting for sign-in
    SIGNED_IN = "signed_in"
    OFFBOARDED = "offboarded"
    BLOCKED = "blocked"


class Move(StrEnum):
    """What changes a device's state."""

    ONBOARD = "onboard"
    ENROLL = "enroll"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    OFFBOARD = "offboard"


class Connection(StrEnum):
    """Whether the device is registered."""

    ONLINE = "online"
    OFFLINE = "offline"
    NEVER = "never"


_S = DeviceState
TRANSITIONS: dict[tuple[DeviceState, Move], DeviceState] = {
    (_S.ADDED, Move.ONBOARD): _S.ONBOARDED,
    (_S.ONBOARDED, Move.ONBOARD): _S.ONBOARDED,
    (_S.OFFBOARDED, Move.ONBOARD): _S.ONBOARDED,
    (_S.ADDED, Move.ENROLL): _S.ENROLLED,
    (_S.ONBOARDED, Move.ENROLL): _S.ENROLLED,
    (_S.OFFBOARDED, Move.ENROLL): _S.ENROLLED,
    (_S.ENROLLED, Move.ENROLL): _S.ENROLLED,  # a phone after a factory reset proves presence anew
    (_S.SIGNED_IN, Move.ENROLL): _S.ENROLLED,  # as above
    (_S.ADDED, Move.SIGN_IN): _S.SIGNED_IN,
    (_S.ONBOARDED, Move.SIGN_IN): _S.SIGNED_IN,  # a personal phone: no enrollment
    (_S.OFFBOARDED, Move.SIGN_IN): _S.SIGNED_IN,
    (_S.ENROLLED, Move.SIGN_IN): _S.SIGNED_IN,
    (_S.SIGNED_IN, Move.SIGN_IN): _S.SIGNED_IN,  # another user, or the same one after a factory reset
    (_S.SIGNED_IN, Move.SIGN_OUT): _S.ENROLLED,
    (_S.ONBOARDED, Move.OFFBOARD): _S.OFFBOARDED,
    (_S.ENROLLED, Move.OFFBOARD): _S.OFFBOARDED,
    (_S.SIGNED_IN, Move.OFFBOARD): _S.OFFBOARDED,
}


@dataclass(frozen=True)
class Device:
    """One phone. `installation_id` is the active installation, or the newest registered candidate while onboarded."""

    mac: Mac
    vendor: str
    model: str
    firmware: str
    state: DeviceState = DeviceState.ADDED
    installation_id: InstallationId | None = None
    tenant_id: TenantId | None = None
    user: SignedInUser | None = None
    language: Language = Language.EN
    binding: Binding | None = None
    edge_id: str = ""  # where it was registered last, and where its credentials may still be cached
    last_seen_at: datetime | None = None  # as last written; domain/connection.py knows better
    onboarded_at: datetime | None = None
    enrolled_at: datetime | None = None
    signed_in_at: datetime | None = None
    config_version: int = 0
    applied_version: int = 0
    last_sync_at: datetime | None = None
    pending_commands: tuple[CommandId, ...] = ()
    blocked: bool = False
    incompatible_reason: str = ""
    overrides: dict[str, str] = field(default_factory=dict)  # domain/overrides.py; they outlive a factory reset
    overrides_by: TenantId | None = None  # whose they are: the next owner neither sees nor gets them
    version: int = 0

    @property
    def owned(self) -> bool:
        """Whether presence was proven, so that an active installation stands behind it."""
        return self.state in {DeviceState.ENROLLED, DeviceState.SIGNED_IN}

    @property
    def own_overrides(self) -> dict[str, str]:
        """What its present owner has set for it alone."""
        return self.overrides if self.overrides_by == self.tenant_id else {}


def move(device: Device, step: Move, now: datetime) -> Device:
    """The device after `step`, with its time set. Raises IllegalMove, and the device stays as it was."""
    state = TRANSITIONS.get((device.state, step))
    if state is None:
        raise IllegalMove(f"A device that is {device.state} cannot {step.replace('_', ' ')}.")
    if step is Move.SIGN_OUT:
        state = DeviceState.ENROLLED if device.enrolled_at else DeviceState.ONBOARDED
        return replace(device, state=state, user=None, signed_in_at=None)
    times = {Move.ONBOARD: "onboarded_at", Move.ENROLL: "enrolled_at", Move.SIGN_IN: "signed_in_at"}
    moved = replace(device, state=state)
    if step is Move.ENROLL:  # whoever was signed in is not any more
        return replace(moved, user=None, enrolled_at=now, signed_in_at=None)
    if step is Move.OFFBOARD:  # presence is proven anew afterwards
        return replace(moved, user=None, binding=None, enrolled_at=None, signed_in_at=None)
    return replace(moved, **{times[step]: now})  # type: ignore[arg-type]  # the keys are fields of Device


def unseen_days(device: Device, seen_at: datetime | None, now: datetime) -> int:
    """For how many days it was not seen, where these are enough to offboard it; else nought. `seen_at`: last, as far as known.

    Blocked ones stay as they are, and what was never seen has nothing to lose.
    """
    if seen_at is None or device.blocked or (device.state, Move.OFFBOARD) not in TRANSITIONS:
        return 0
    signed_in = device.state is DeviceState.SIGNED_IN
    unseen = now - seen_at
    return unseen.days if unseen >= (OFFBOARD_SIGNED_IN_AFTER if signed_in else OFFBOARD_SIGNED_OUT_AFTER) else 0
