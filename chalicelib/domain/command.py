"""Commands to a device, and their true states: queued, sent, acknowledged, failed, expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.contracts.edge import CommandType
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import CommandId, Mac, TenantId

COMMAND_LIFETIME = timedelta(hours=24)
KEEP_COMMAND = timedelta(days=7)
ANSWER_WITHIN = timedelta(minutes=1)  # an edge reports within seconds; carrying out twice is prevented there
NOT_REGISTERED = 480  # what an edge reports where the device is not registered with it


class CommandState(StrEnum):
    """Queued waits for the device; sent is with the edge; the other three are final."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Command:
    """One command to one device. `sip_status` is the phone's final answer to the NOTIFY, 0 before there is one."""

    id: CommandId
    mac: Mac
    tenant_id: TenantId | None
    type: CommandType
    requested_by: str
    created_at: datetime
    expires_at: datetime
    state: CommandState = CommandState.QUEUED
    sent_at: datetime | None = None
    sip_status: int = 0
    finished_at: datetime | None = None
    version: int = 0

    @property
    def open(self) -> bool:
        """Whether it is still on its way."""
        return self.state in {CommandState.QUEUED, CommandState.SENT}


def send(command: Command, now: datetime) -> Command:
    """Handed to the edge."""
    return replace(command, state=CommandState.SENT, sent_at=now)


def is_due(command: Command, now: datetime) -> bool:
    """Whether the edge should get it now that its device is registered: it waits, or no answer came to an earlier sending."""
    lost = command.state is CommandState.SENT and command.sent_at is not None and now - command.sent_at > ANSWER_WITHIN
    return as_of(command, now).open and (command.state is CommandState.QUEUED or lost)


def finish(command: Command, sip_status: int, now: datetime) -> Command:
    """After the edge's report. A device that was not registered after all gets it when it returns."""
    if not command.open:
        return command
    if sip_status == NOT_REGISTERED:
        return as_of(replace(command, state=CommandState.QUEUED), now)
    acknowledged = 200 <= sip_status < 300  # noqa: PLR2004 - RFC 3261: 2xx is success
    state = CommandState.ACKNOWLEDGED if acknowledged else CommandState.FAILED
    return replace(command, state=state, sip_status=sip_status, finished_at=now)


def as_of(command: Command, now: datetime) -> Command:
    """As it is seen now: one that is still open after its 24 hours has expired."""
    if command.open and now >= command.expires_at:
        return replace(command, state=CommandState.EXPIRED, finished_at=command.expires_at)
    return command
