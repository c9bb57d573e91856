"""Telling a device to fetch its files again, or to restart; and what edges keep of its credentials.

A command is kept with its true state. It goes to the edge at once where the device is registered, and waits where it is not.
What concerns credentials goes to every edge: a phone may have been at any of them, and each keeps them for a day.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.contracts.edge import EVERY_EDGE, CommandType, EdgeCommand
from chalicelib.domain.calls import Messages
from chalicelib.domain.command import COMMAND_LIFETIME, Command, CommandState, as_of, send
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.edge import Edge, WaitingCommand, is_gone
from chalicelib.domain.errors import NotFound, SaveConflict
from chalicelib.domain.identifiers import CommandId, Mac, TenantId
from chalicelib.domain.installation import Installation, accounts_of, split_username, username_of
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import connection, load_owned
from chalicelib.usecases.history import mac_event
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.vendors import catalogue

FORGET_WITHIN = timedelta(hours=24)
MOST_PENDING = 20
MOST_COLLECTED = 50


def request_command(gateway: Gateway, caller: Caller, mac: Mac, kind: CommandType) -> Command:
    """Restarts or resyncs a device of the caller's tenant; of a port, the base that it is registered with.

    Raises NotFound, or NotSeenYet where it never made contact.
    """

    def attempt() -> tuple[Device, Command]:
        now = gateway.clock()
        _, device = load_owned(gateway, caller.tenant_id, mac)
        online = connection(gateway, device, now) is Connection.ONLINE
        ordered, command = order(gateway, device, kind, caller.actor, online=online)
        command = replace(command, tenant_id=caller.tenant_id)  # the caller's, also where nobody owns the device yet
        event = mac_event(gateway, mac, caller.tenant_id, "command_requested", command=kind.value, by=caller.actor)
        gateway.store.save(ordered, command, event)
        return ordered, command

    device, command = until_saved(attempt)
    if command.state is CommandState.SENT:
        hand_over(gateway, device.binding.edge_id if device.binding else "", [edge_command(gateway, device, command)])
    return command


def order(gateway: Gateway, device: Device, kind: CommandType, actor: str, *, online: bool = True) -> tuple[Device, Command]:
    """A new command and the device that waits for it. Nothing is saved or sent yet."""
    now = gateway.clock()
    command = Command(
        id=CommandId(gateway.random_text()),
        mac=device.mac,
        tenant_id=device.tenant_id,
        type=kind,
        requested_by=actor,
        created_at=now,
        expires_at=now + COMMAND_LIFETIME,
    )
    if online and device.binding:
        command = send(command, now)
    pending = (*device.pending_commands, command.id)[-MOST_PENDING:]
    return replace(device, pending_commands=pending), command


def edge_command(gateway: Gateway, device: Device, command: Command) -> EdgeCommand:
    """The command as the edge carries it out over the device's present binding."""
    if device.binding is None:
        raise NotFound(f"Device {device.mac} is not registered.")
    vendor = catalogue.vendor(device.vendor)
    return EdgeCommand(
        id=command.id,
        type=command.type,
        username=device.binding.username,
        aor=device.binding.aor,
        notify_event=vendor.notify[command.type.value],
        expires_at=command.expires_at,
        password=_challenge_password(gateway, device.binding.username) if vendor.challenges_notify else "",
    )


def forget_command(gateway: Gateway, username: str, aor: str) -> EdgeCommand:
    """Drops what the edges keep for one digest user name."""
    return EdgeCommand(
        id=gateway.random_text(),
        type=CommandType.FORGET,
        username=username,
        aor=aor,
        expires_at=gateway.clock() + FORGET_WITHIN,
    )


def forget_installations(gateway: Gateway, installations: Sequence[Installation]) -> None:
    """Ends every account of these installations at the edges."""
    tell_every_edge(gateway, [command for item in installations for command in account_commands(gateway, item, None)])


def account_commands(gateway: Gateway, before: Installation, after: Installation | None) -> list[EdgeCommand]:
    """What edges are told of the accounts that they may keep: to forget those that ended, to ask anew about the rest.

    `after` None ends them all. A binding outlives the asking, so that its phone can still be told to fetch its files.
    """
    kept = {account.version for account in accounts_of(after)} if after else set()
    return [
        replace(
            forget_command(gateway, username_of(before, account), account.aor),
            type=CommandType.REFRESH if account.version in kept else CommandType.FORGET,
        )
        for account in accounts_of(before)
    ]


def hand_over(gateway: Gateway, edge_id: str, commands: Sequence[EdgeCommand]) -> None:
    """Gives commands to an edge, in order; where it cannot be reached they wait for its next batch of events."""
    if edge_id and commands and not gateway.commands.send(edge_id, commands):
        _wait(gateway, edge_id, commands)


def tell_every_edge(gateway: Gateway, commands: Sequence[EdgeCommand], waiting: Sequence[WaitingCommand] = ()) -> None:
    """As hand_over, to all edges; where they cannot be reached, each that is not gone collects them. One query then.

    `waiting` are the same commands as they wait at one edge already; they no longer do once they were handed over.
    """
    if not commands:
        return
    if gateway.commands.send(EVERY_EDGE, commands):
        with contextlib.suppress(SaveConflict):  # the edge has collected them in this moment; it carries out none twice
            gateway.store.save(remove=[replace(item, version=1) for item in waiting])
        return
    told = {item.edge_id for item in waiting}
    for edge in gateway.store.find(Edge).items:
        if edge.edge_id not in told and not is_gone(edge, gateway.clock()):
            _wait(gateway, edge.edge_id, commands)


def wait_at_edge(gateway: Gateway, edge_id: str, commands: Sequence[EdgeCommand]) -> list[WaitingCommand]:
    """The commands as they wait for the edge's next batch of events; none where there is no edge. To be saved."""
    now = gateway.clock()
    return [_waiting(edge_id, index, command, now) for index, command in enumerate(commands)] if edge_id else []


def collect_waiting(gateway: Gateway, edge_id: str) -> list[EdgeCommand]:
    """What waits for this edge, in order, and then no longer waits. One query."""

    def attempt() -> Sequence[WaitingCommand]:
        found: Sequence[WaitingCommand] = gateway.store.find(WaitingCommand, edge_id, limit=MOST_COLLECTED).items
        if found:
            gateway.store.save(remove=found)
        return found

    waiting = until_saved(attempt)
    return [
        replace(item.command, password=_challenge_password(gateway, item.command.username)) if item.challenged else item.command
        for item in waiting
    ]


def show_command(gateway: Gateway, tenant_id: TenantId, command_id: str) -> Command:
    """One command of the tenant, as it is now. Raises NotFound."""
    command = gateway.store.load(Command, command_id)
    if command is None or command.tenant_id != tenant_id:
        raise NotFound("There is no such command; commands are kept for 7 days.")
    return as_of(command, gateway.clock())


def ad_hoc_resync(gateway: Gateway, installation: Installation, username: str, aor: str) -> EdgeCommand:
    """A resync that nobody waits for: it brings a phone that still uses its former account to its new files."""
    return EdgeCommand(
        id=gateway.random_text(),
        type=CommandType.RESYNC,
        username=username,
        aor=aor,
        notify_event=catalogue.vendor(installation.vendor).notify[CommandType.RESYNC.value],
        expires_at=gateway.clock() + COMMAND_LIFETIME,
        password=_challenge_password(gateway, username) if catalogue.vendor(installation.vendor).challenges_notify else "",
    )


def messages_command(gateway: Gateway, installation: Installation, messages: Messages) -> EdgeCommand:
    """Tells a phone how many messages wait, over the registration of its newest account."""
    username = username_of(installation, installation.account)
    return EdgeCommand(
        id=gateway.random_text(),
        type=CommandType.MESSAGES,
        username=username,
        aor=installation.account.aor,
        notify_event="message-summary",
        expires_at=gateway.clock() + COMMAND_LIFETIME,
        password=_challenge_password(gateway, username) if catalogue.vendor(installation.vendor).challenges_notify else "",
        new_messages=messages.new,
        old_messages=messages.old,
    )


def _challenge_password(gateway: Gateway, username: str) -> str:
    named = split_username(username)
    return gateway.keys.sip_password(*named).reveal() if named else ""


def _wait(gateway: Gateway, edge_id: str, commands: Sequence[EdgeCommand]) -> None:
    now = gateway.clock()
    for start in range(0, len(commands), MOST_COLLECTED):
        part = commands[start : start + MOST_COLLECTED]
        gateway.store.save(*(_waiting(edge_id, start + index, command, now) for index, command in enumerate(part)))


def _waiting(edge_id: str, index: int, command: EdgeCommand, now: datetime) -> WaitingCommand:
    return WaitingCommand(
        edge_id=edge_id,
        id=f"{now.isoformat(timespec='microseconds')}#{index:03}#{command.id}",
        command=replace(command, password=""),
        expires_at=command.expires_at or now + FORGET_WITHIN,
        challenged=bool(command.password),
    )
