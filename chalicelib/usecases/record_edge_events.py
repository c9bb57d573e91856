"""What an edge reports: registrations, lost bindings, finished commands. Idempotent: the same event twice changes nothing more.

A registration refresh, every 15 minutes, costs two reads together with all others of its batch, at half the price, and has the
user's rights checked. Nothing is written while the edge watches the binding (domain/connection.py), but once in six hours.
Whatever is more than a refresh is decided upon what is read anew for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.contracts.edge import BatchReceipt, CommandType, EdgeCommand, EdgeEvent, EventBatch, EventType
from chalicelib.domain.binding import Binding
from chalicelib.domain.command import Command, as_of, finish, is_due, send
from chalicelib.domain.connection import BINDING_NOTED_EVERY, connection_of, has_restarted
from chalicelib.domain.device import Connection, Device, DeviceState, Move, move
from chalicelib.domain.edge import NOTED_EVERY, Edge, watched
from chalicelib.domain.installation import Installation, Stage, account_of, keep_alive, split_username, username_of
from chalicelib.usecases.become_active import device_of
from chalicelib.usecases.check_users import check_users
from chalicelib.usecases.claim_number import may_register
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import connection
from chalicelib.usecases.enroll_device import enroll_by_network
from chalicelib.usecases.history import event_of, mac_event
from chalicelib.usecases.message_waiting import messages_at_registration
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.read_ahead import Phone, ReadAhead
from chalicelib.usecases.request_command import ad_hoc_resync, collect_waiting, edge_command, forget_command, tell_every_edge
from chalicelib.usecases.sync_policy import needs_check
from chalicelib.vendors import catalogue

Due = dict[str, Installation]  # whose users are to be checked, by id
NO_COMMANDS: tuple[EdgeCommand, ...] = ()


def record_edge_events(gateway: Gateway, batch: EventBatch) -> BatchReceipt:
    """Applies the events in order; the receipt carries their ids and every command that waits for this edge.

    What this edge is told to forget may lie at others as well, and is told to them too: no edge does a command twice.
    """
    edge = until_saved(lambda: _note_edge(gateway, batch.edge_id))
    waited = collect_waiting(gateway, batch.edge_id)
    ahead = ReadAhead(gateway, edge, batch)
    due: Due = {}
    commands = [command for event in batch.events for command in _apply(gateway, ahead, event, due)]
    _note_watch(gateway, edge, batch)
    check_users(gateway, due.values())
    tell_every_edge(gateway, [command for command in commands if command.type is CommandType.FORGET])
    return BatchReceipt(tuple(event.id for event in batch.events), (*waited, *commands))


def _note_edge(gateway: Gateway, edge_id: str) -> Edge:
    """That this edge lives, once an hour. One read."""
    edge = gateway.store.load(Edge, edge_id) or Edge(edge_id)
    if edge.seen_at is None or gateway.clock() - edge.seen_at >= NOTED_EVERY:
        gateway.store.save(replace(edge, seen_at=gateway.clock()))
    return edge


def _note_watch(gateway: Gateway, known: Edge, batch: EventBatch) -> None:
    """That the edge watches its bindings, once a minute, and only after what it said of them. `known`: as read before that."""
    since, until = batch.watched_since, batch.watched_until
    if since is None or until is None:
        return
    until = min(until, gateway.clock())  # an edge whose clock is ahead
    if watched(known, since, until) == known:
        return

    def attempt() -> None:
        edge = gateway.store.load(Edge, batch.edge_id) or known
        noted = watched(edge, since, until)
        if noted != edge:
            gateway.store.save(noted)

    until_saved(attempt)


def _apply(gateway: Gateway, ahead: ReadAhead, event: EdgeEvent, due: Due) -> Sequence[EdgeCommand]:
    handlers: dict[EventType, Callable[[], Sequence[EdgeCommand]]] = {
        EventType.REGISTERED: lambda: _registered(gateway, ahead, event, due),
        EventType.UNREGISTERED: lambda: _unregistered(gateway, ahead, event),
        EventType.COMMAND_FINISHED: lambda: _command_finished(gateway, event),
        EventType.EDGE_STARTED: lambda: _edge_started(gateway, ahead, event),
    }
    return until_saved(handlers[event.type])


# --- registered --------------------------------------------------------------------------------------------------------


def _registered(gateway: Gateway, ahead: ReadAhead, event: EdgeEvent, due: Due) -> Sequence[EdgeCommand]:
    phone = ahead.take(event.username)
    if phone is not None and _only_refreshes(phone, ahead, event, gateway.clock()):
        return _refresh(gateway, phone, ahead, event, due)
    edge_id = ahead.edge.edge_id
    named = split_username(event.username)
    installation = gateway.store.load(Installation, named[0]) if named else None
    account = account_of(installation, named[1]) if installation and named else None
    known = installation is not None and account is not None and not installation.blocked
    if installation is None or account is None or not known or not may_register(gateway, installation, account):
        return [forget_command(gateway, event.username, event.aor)]
    device = gateway.store.load(Device, installation.mac)
    if device is not None and device.owned and device.installation_id != installation.id:
        return _candidate_beside_owner(gateway, edge_id, event, installation)
    if _is_old_news(device, event):
        return _settle_alone(gateway, event, installation)
    commands, check = _registered_device(gateway, edge_id, event, installation, device)
    if check:
        due[installation.id] = installation
    return commands


def _only_refreshes(phone: Phone, ahead: ReadAhead, event: EdgeEvent, now: datetime) -> bool:
    """Whether this event means no more than that a phone is still registered, as the functions know it already.

    The two records were read one after the other. They belong together where they agree on what changes in both at once.
    """
    installation, device = phone
    edge = ahead.edge
    binding, shared = device.binding, (installation.id, installation.config_version, installation.blocked)
    if binding is None or binding.edge_id != edge.edge_id or not _same_connection(binding, event) or device.pending_commands:
        return False
    agree = device.owned and shared == (device.installation_id, device.config_version, device.blocked)
    newest = installation.previous is None and event.username == username_of(installation, installation.account)
    alive = not installation.blocked and keep_alive(installation, event.at) == installation
    online = _is_watched(binding, ahead, event) or connection_of(device, edge, now) is Connection.ONLINE
    return agree and newest and alive and online and not _is_old_news(device, event)


def _is_watched(binding: Binding, ahead: ReadAhead, event: EdgeEvent) -> bool:
    """Whether the edge has had this very binding ever since it was written down, by its own word."""
    since = ahead.watched_since
    return event.refreshed and since is not None and since <= binding.seen_at and not has_restarted(ahead.edge, binding)


def _refresh(gateway: Gateway, phone: Phone, ahead: ReadAhead, event: EdgeEvent, due: Due) -> Sequence[EdgeCommand]:
    """Has the user checked. Writes that the phone lives where the edge's word alone does not say so, or it is long ago."""
    installation, before = phone
    device = _bound(before, _binding(before.edge_id, event, before.binding), event)
    check = needs_check(device, gateway.clock())
    if check:
        due[installation.id] = installation
    if not _is_known(before, device, ahead, event):  # refused where the device has changed since it was read
        gateway.store.save(replace(device, last_sync_at=gateway.clock()) if check else device)
    return NO_COMMANDS


def _is_known(before: Device, after: Device, ahead: ReadAhead, event: EdgeEvent) -> bool:
    """Whether nothing but times would be written, and those are known otherwise."""
    binding = before.binding
    if binding is None or not _is_watched(binding, ahead, event) or event.at - binding.seen_at >= BINDING_NOTED_EVERY:
        return False
    return before == replace(
        after,
        binding=replace(after.binding, seen_at=binding.seen_at) if after.binding else None,
        last_seen_at=before.last_seen_at,
    )


def _registered_device(
    gateway: Gateway, edge_id: str, event: EdgeEvent, installation: Installation, known: Device | None
) -> tuple[Sequence[EdgeCommand], bool]:
    """The commands, and whether the user's rights are to be checked."""
    before = known or device_of(installation)
    was_online = connection(gateway, before, gateway.clock()) is Connection.ONLINE
    device = _bound(before, _binding(edge_id, event, before.binding if was_online else None), event)
    settled, forgets = _settle_account(gateway, event, installation)
    if not device.owned:
        settled = replace(settled, binding=device.binding)  # another candidate may take the device's place meanwhile
        device = replace(
            device,
            installation_id=installation.id,
            model=installation.model,
            language=installation.language,
            incompatible_reason="",
        )
        if device.state is not DeviceState.ONBOARDED:
            device = move(device, Move.ONBOARD, event.at)
    changes: list[object] = []
    if settled != installation:
        changes.append(settled)
    if not was_online or device.state != before.state:
        changes.append(replace(event_of(gateway, device, "registered", address=event.source), at=event.at, id=event.id))
    device, due = _due_commands(gateway, device)
    check = needs_check(device, gateway.clock())
    if check:
        device = replace(device, last_sync_at=gateway.clock())
    gateway.store.save(device, *changes, *(send(command, gateway.clock()) for command in due))
    commands = [edge_command(gateway, device, command) for command in due]
    if not was_online or not _same_connection(before.binding, event):
        commands += messages_at_registration(gateway, settled, event.username)
    if not due and event.username != username_of(settled, settled.account):
        commands.append(ad_hoc_resync(gateway, settled, event.username, event.aor))
    if settled.tenant_hint and settled.stage is Stage.CANDIDATE:
        enroll_by_network(gateway, installation.id)
    return [*forgets, *commands], check


def _is_old_news(device: Device | None, event: EdgeEvent) -> bool:
    """Whether this event, or a later one, was already applied: batches may be posted again, also after the binding's end."""
    newest = device.binding.seen_at if device and device.binding else device.last_seen_at if device else None
    return newest is not None and newest >= event.at


def _binding(edge_id: str, event: EdgeEvent, former: Binding | None) -> Binding:
    return Binding(
        edge_id=edge_id,
        username=event.username,
        aor=event.aor,
        contact=event.contact,
        source=event.source,
        since=former.since if former else event.at,
        seen_at=event.at,
    )


def _same_connection(binding: Binding | None, event: EdgeEvent) -> bool:
    """Whether a registration refreshes this binding; a phone that started again comes over another connection."""
    return binding is not None and (binding.username, binding.source) == (event.username, event.source)


def _bound(device: Device, binding: Binding, event: EdgeEvent) -> Device:
    identity = catalogue.identify(event.user_agent, "")
    firmware = identity.firmware if identity and identity.vendor == device.vendor and identity.firmware else device.firmware
    return replace(device, binding=binding, edge_id=binding.edge_id, last_seen_at=event.at, firmware=firmware)


def _settle_account(gateway: Gateway, event: EdgeEvent, installation: Installation) -> tuple[Installation, list[EdgeCommand]]:
    """The installation after one of its accounts registered: it lives on, and the newest account ends the one before."""
    settled = keep_alive(installation, event.at)
    forgets = []
    if installation.previous and event.username == username_of(installation, installation.account):
        forgets.append(forget_command(gateway, username_of(installation, installation.previous), installation.previous.aor))
        settled = replace(settled, previous=None)
    return settled, forgets


def _settle_alone(gateway: Gateway, event: EdgeEvent, installation: Installation) -> Sequence[EdgeCommand]:
    """The device shows something newer, perhaps of another candidate; still this installation has registered."""
    settled, forgets = _settle_account(gateway, event, installation)
    if settled != installation:
        gateway.store.save(settled)
    return forgets


def _due_commands(gateway: Gateway, device: Device) -> tuple[Device, list[Command]]:
    """What waited for this phone to return, and the device without those that expired meanwhile."""
    loaded = gateway.store.load_many(Command, [(command_id,) for command_id in device.pending_commands])
    now = gateway.clock()
    pending = [command for command in loaded if command and as_of(command, now).open]
    due = [command for command in pending if is_due(command, now)]
    return replace(device, pending_commands=tuple(command.id for command in pending)), due


def _candidate_beside_owner(
    gateway: Gateway, edge_id: str, event: EdgeEvent, installation: Installation
) -> Sequence[EdgeCommand]:
    """A candidate for a device that another installation owns: a phone after a factory reset, or a stranger."""
    if installation.binding is not None and installation.binding.seen_at >= event.at:
        return NO_COMMANDS
    settled, forgets = _settle_account(gateway, event, installation)
    settled = replace(settled, binding=_binding(edge_id, event, installation.binding))
    changes: list[object] = [settled]
    if installation.registered_at is None:
        seen = mac_event(gateway, installation.mac, None, "candidate_registered", address=event.source)
        changes.append(replace(seen, at=event.at, id=event.id))
    gateway.store.save(*changes)
    return forgets


# --- unregistered, finished, started -----------------------------------------------------------------------------------


def _unregistered(gateway: Gateway, ahead: ReadAhead, event: EdgeEvent) -> Sequence[EdgeCommand]:
    ahead.take(event.username)  # what was read of it is no longer so
    named = split_username(event.username)
    installation = gateway.store.load(Installation, named[0]) if named else None
    device = gateway.store.load(Device, installation.mac) if installation else None
    if device is None or device.binding is None or not _same_binding(device.binding, ahead.edge.edge_id, event):
        return NO_COMMANDS
    offline = replace(device, binding=None, last_seen_at=event.at)
    line = replace(event_of(gateway, offline, "unregistered", reason=event.reason), at=event.at, id=event.id)
    gateway.store.save(offline, line)
    return NO_COMMANDS


def _same_binding(binding: Binding, edge_id: str, event: EdgeEvent) -> bool:
    """A phone that came back over a new connection, or at another edge, is not taken offline by the end of its old one."""
    same_source = not event.source or binding.source == event.source
    same_phone = (binding.edge_id, binding.username) == (edge_id, event.username)
    return same_phone and same_source and binding.seen_at <= event.at


def _command_finished(gateway: Gateway, event: EdgeEvent) -> Sequence[EdgeCommand]:
    command = gateway.store.load(Command, event.command_id)
    if command is None or not command.open:
        return NO_COMMANDS
    finished = finish(command, event.sip_status, event.at)
    device = gateway.store.load(Device, command.mac)
    if device is None:
        gateway.store.save(finished)
        return NO_COMMANDS
    pending = tuple(item for item in device.pending_commands if finished.open or item != command.id)
    kind = "command_waits" if finished.open else f"command_{finished.state}"
    line = event_of(gateway, device, kind, command=command.type.value, sip_status=str(event.sip_status))
    # Only a final answer comes once: the same 480, posted again, may find the command sent anew, so that line has its own id.
    line = replace(line, at=event.at) if finished.open else replace(line, at=event.at, id=event.id)
    gateway.store.save(finished, replace(device, pending_commands=pending), line)
    return NO_COMMANDS


def _edge_started(gateway: Gateway, ahead: ReadAhead, event: EdgeEvent) -> Sequence[EdgeCommand]:
    ahead.forget()
    edge_id = ahead.edge.edge_id
    edge = gateway.store.load(Edge, edge_id) or Edge(edge_id)
    if edge.started_at is None or edge.started_at < event.at:
        gateway.store.save(replace(edge, started_at=event.at, contact=event.contact))
    return NO_COMMANDS
