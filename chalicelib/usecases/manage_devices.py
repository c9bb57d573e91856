"""The inventory: add, list, show, change and remove devices, and issue their one-time passwords."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from chalicelib.contracts.codec import Problem
from chalicelib.domain.device import Connection, Device, DeviceState, connection_of
from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.edge import Edge
from chalicelib.domain.enrollment import OTP_DIGITS, Claim, issue_otp
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import CommandId, Language, Mac, find_mac, parse_mac
from chalicelib.domain.installation import Installation, username_of
from chalicelib.domain.secret import Secret
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import Dossier, load_claimed, load_dossier
from chalicelib.usecases.history import event_of, mac_event
from chalicelib.usecases.ports import Caller, Gateway, Page
from chalicelib.usecases.request_command import forget_command, hand_over

LONGEST_LOCATION = 128
MOST_ROWS = 10_000


@dataclass(frozen=True)
class DeviceView:
    """A device as its tenant's administrators see it. Times are UTC; `user` and the address only where the tenant owns it."""

    mac: Mac
    vendor: str | None
    model: str | None
    firmware: str | None
    state: DeviceState
    connection: Connection
    location: str
    language: Language
    user: SignedInUser | None
    online_since: datetime | None
    last_seen_at: datetime | None
    onboarded_at: datetime | None
    enrolled_at: datetime | None
    signed_in_at: datetime | None
    ip: str | None
    config_version: int
    applied_version: int
    last_sync_at: datetime | None
    pending_commands: tuple[CommandId, ...]
    incompatible_reason: str | None


@dataclass(frozen=True)
class DeviceFilter:
    """Every given word must match; `q` is looked for in MAC, location, user and number."""

    state: str | None = None
    connection: str | None = None
    vendor: str | None = None
    model: str | None = None
    user: str | None = None
    location: str | None = None
    q: str | None = None


@dataclass(frozen=True)
class DeviceChange:
    """What may be changed of a device; None leaves a field as it is."""

    location: str | None = None
    language: Language | None = None
    blocked: bool | None = None


@dataclass(frozen=True)
class IssuedOtp:
    """Shown once."""

    mac: Mac
    otp: Secret
    expires_at: datetime


@dataclass(frozen=True)
class ImportRow:
    """What became of one line: `result` is added, known or refused, and then `detail` says why."""

    line: int
    mac: str
    location: str
    result: str
    detail: str = ""


def add_device(gateway: Gateway, caller: Caller, mac: Mac, location: str) -> tuple[DeviceView, bool]:
    """The device in the tenant's inventory, and whether it is new there. Adding again changes nothing but an empty location."""
    _check_location(location)

    def attempt() -> bool:
        dossier = load_dossier(gateway, mac)
        claim = dossier.claim_of(caller.tenant_id)
        if claim is not None:
            if location and not claim.location:
                gateway.store.save(replace(claim, location=location))
            return False
        added = Claim(caller.tenant_id, mac, location, gateway.clock())
        gateway.store.save(added, mac_event(gateway, mac, caller.tenant_id, "added", by=caller.actor, location=location))
        return True

    new = until_saved(attempt)
    return show_device(gateway, caller, mac), new


def import_devices(gateway: Gateway, caller: Caller, text: str) -> tuple[ImportRow, ...]:
    """Rows of `MAC id,Location` (Teams admin center's template). All are read before any is added: nothing is half done."""
    rows = list(_read_rows(text))
    results = []
    for row in rows:
        if row.result == "refused":
            results.append(row)
            continue
        _, new = add_device(gateway, caller, Mac(row.mac), row.location)
        results.append(replace(row, result="added" if new else "known"))
    return tuple(results)


def list_devices(gateway: Gateway, caller: Caller, wanted: DeviceFilter, limit: int, cursor: str | None) -> Page:
    """The tenant's devices by MAC. Reads on until the page is full or the inventory ends."""
    found: list[DeviceView] = []
    while True:
        page = gateway.store.find(Claim, caller.tenant_id, limit=limit - len(found), cursor=cursor)
        devices = gateway.store.load_many(Device, [(claim.mac,) for claim in page.items])
        edges = _edges(gateway, devices)
        views = [_view(gateway, claim, device, edges) for claim, device in zip(page.items, devices, strict=True)]
        found.extend(view for view in views if _matches(view, wanted))
        cursor = page.next_cursor
        if cursor is None or len(found) >= limit:
            return Page(tuple(found), cursor)


def show_device(gateway: Gateway, caller: Caller, mac: Mac) -> DeviceView:
    """Raises NotFound."""
    dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
    return _view(gateway, claim, dossier.device, _edges(gateway, [dossier.device]))


def change_device(gateway: Gateway, caller: Caller, mac: Mac, change: DeviceChange) -> DeviceView:
    """Relocates, sets the language of, blocks or unblocks a device. Raises NotFound or BadRequest."""
    if change.location is not None:
        _check_location(change.location)

    def attempt() -> tuple[Dossier, Installation | None]:
        dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
        changes: list[object] = []
        if change.location is not None and change.location != claim.location:
            changes.append(replace(claim, location=change.location))
        device = dossier.device if dossier.device and dossier.device.tenant_id == caller.tenant_id else None
        installation = gateway.store.load(Installation, str(device.installation_id)) if device else None
        if device and installation:
            changes.extend(_change_owned(gateway, device, installation, change))
        elif change.language is not None or change.blocked is not None:
            raise BadRequest(f"Device {mac} is not enrolled; only its location can be changed.")
        if changes:
            gateway.store.save(*changes)
        return dossier, installation

    dossier, installation = until_saved(attempt)
    if change.blocked and dossier.device and installation:
        _forget(gateway, dossier.device, [installation])
    return show_device(gateway, caller, mac)


def issue_otps(gateway: Gateway, caller: Caller, macs: Sequence[Mac]) -> tuple[IssuedOtp, ...]:
    """A new one-time password for each device; those before are void. The values are shown once.

    Raises NotFound where the inventory lacks one of them; then none is issued.
    """
    wanted = list(dict.fromkeys(macs))
    for mac in wanted[1:]:
        load_claimed(gateway, caller.tenant_id, mac)
    return tuple(until_saved(partial(_issue_otp, gateway, caller, mac)) for mac in wanted)


def remove_device(gateway: Gateway, caller: Caller, mac: Mac) -> None:
    """Takes the device out of the inventory, and ends it with all its secrets, at once, where this tenant owns it."""

    def attempt() -> tuple[Device | None, list[Installation]]:
        dossier, claim = load_claimed(gateway, caller.tenant_id, mac)
        device = dossier.device
        foreign = device is not None and device.tenant_id not in {None, caller.tenant_id}
        shared = len(dossier.claims) > 1 and (device is None or device.tenant_id is None)
        if foreign or shared:
            gateway.store.save(remove=[claim])
            return None, []
        ids = {candidate.installation_id for candidate in dossier.candidates}
        ids |= {device.installation_id} if device and device.installation_id else set()
        loaded = gateway.store.load_many(Installation, [(item,) for item in sorted(ids)])
        installations = [item for item in loaded if item is not None]
        records = [claim, *dossier.candidates, *installations, *([device] if device else [])]
        gateway.store.save(mac_event(gateway, mac, caller.tenant_id, "removed", by=caller.actor), remove=records)
        return device, installations

    device, installations = until_saved(attempt)
    if device is not None:
        _forget(gateway, device, installations)


def _issue_otp(gateway: Gateway, caller: Caller, mac: Mac) -> IssuedOtp:
    _, claim = load_claimed(gateway, caller.tenant_id, mac)
    number = int.from_bytes(gateway.random_text().encode(), "big") % 10**OTP_DIGITS
    otp = f"{number:0{OTP_DIGITS}}"
    issued = issue_otp(claim, gateway.keys.digest("otp", mac, otp), gateway.clock())
    gateway.store.save(issued, mac_event(gateway, mac, caller.tenant_id, "otp_issued", by=caller.actor))
    if issued.otp is None:
        raise AssertionError("issue_otp always sets one")
    return IssuedOtp(mac, Secret(otp), issued.otp.expires_at)


def _change_owned(gateway: Gateway, device: Device, installation: Installation, change: DeviceChange) -> Iterator[object]:
    language = change.language or installation.language
    blocked = installation.blocked if change.blocked is None else change.blocked
    if language != installation.language or blocked != installation.blocked:
        version = installation.config_version + (language != installation.language)
        yield replace(installation, language=language, blocked=blocked, config_version=version)
        yield replace(
            device, language=language, blocked=blocked, config_version=version, binding=None if blocked else device.binding
        )
        yield event_of(gateway, device, "changed", language=language.value, blocked=str(blocked).lower())


def _forget(gateway: Gateway, device: Device, installations: Sequence[Installation]) -> None:
    for installation in installations:
        accounts = [installation.account, *([installation.previous] if installation.previous else [])]
        forgets = [forget_command(gateway, username_of(installation, account), account.aor) for account in accounts]
        binding = device.binding or installation.binding
        hand_over(gateway, binding.edge_id if binding else "", forgets)


def _edges(gateway: Gateway, devices: Sequence[Device | None]) -> dict[str, datetime]:
    names = sorted({device.binding.edge_id for device in devices if device and device.binding})
    loaded = gateway.store.load_many(Edge, [(name,) for name in names]) if names else []
    return {edge.edge_id: edge.started_at for edge in loaded if edge}


def _view(gateway: Gateway, claim: Claim, known: Device | None, edges: dict[str, datetime]) -> DeviceView:
    device = known if known and known.tenant_id in {None, claim.tenant_id} else None
    binding = device.binding if device else None
    started_at = edges.get(binding.edge_id) if binding else None
    state = DeviceState.BLOCKED if device and device.blocked else device.state if device else DeviceState.ADDED
    connection = connection_of(device, started_at, gateway.clock())
    owned = device is not None and device.tenant_id == claim.tenant_id
    return DeviceView(
        mac=claim.mac,
        vendor=device.vendor if device else None,
        model=device.model if device else None,
        firmware=device.firmware if device else None,
        state=state,
        connection=connection,
        location=claim.location,
        language=device.language if device else Language.EN,
        user=device.user if device else None,
        online_since=binding.since if binding and connection is Connection.ONLINE else None,
        last_seen_at=device.last_seen_at if device else None,
        onboarded_at=device.onboarded_at if device else None,
        enrolled_at=device.enrolled_at if device else None,
        signed_in_at=device.signed_in_at if device else None,
        ip=binding.source.rpartition(":")[0].strip("[]") if binding and owned else None,
        config_version=device.config_version if device else 0,
        applied_version=device.applied_version if device else 0,
        last_sync_at=device.last_sync_at if device else None,
        pending_commands=device.pending_commands if device else (),
        incompatible_reason=(device.incompatible_reason or None) if device else None,
    )


def _matches(view: DeviceView, wanted: DeviceFilter) -> bool:
    user = view.user.upn if view.user else ""
    exact = (
        (wanted.state, view.state),
        (wanted.connection, view.connection),
        (wanted.vendor, view.vendor or ""),
        (wanted.model, view.model or ""),
        (wanted.user, user),
        (wanted.location, view.location),
    )
    if any(word is not None and word.lower() != value.lower() for word, value in exact):
        return False
    text = " ".join(
        (view.mac, view.location, user, view.user.display_name if view.user else "", view.user.number if view.user else "")
    )
    query = wanted.q or ""
    return query.lower() in text.lower() or (find_mac(query) or "-") in view.mac


def _check_location(location: str) -> None:
    if len(location) > LONGEST_LOCATION or not location.isprintable():
        detail = f"must be at most {LONGEST_LOCATION} printable characters on one line"
        raise BadRequest("The location cannot be used.", (Problem("/location", detail),))


def _read_rows(text: str) -> Iterator[ImportRow]:
    """Every line as a row. Raises BadRequest where the text is no such table at all."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [cell.strip().lower() for cell in next(_cells(reader), [])]
    if header != ["mac id", "location"]:
        detail = "the first line must be: MAC id,Location"
        raise BadRequest("The table cannot be read.", (Problem("", detail),))
    seen: set[str] = set()
    for line, cells in enumerate(_cells(reader), start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if line > MOST_ROWS + 1:
            raise BadRequest(f"A table may have at most {MOST_ROWS} rows; cut it into several.")
        yield _read_row(line, cells, seen)


def _cells(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as wrong:
        raise BadRequest("The table cannot be read.", (Problem("", f"must be CSV: {wrong}"),)) from None


def _read_row(line: int, cells: list[str], seen: set[str]) -> ImportRow:
    mac_text, location = cells[0].strip(), cells[1].strip() if len(cells) > 1 else ""
    try:
        mac = parse_mac(mac_text)
        _check_location(location)
    except BadRequest as refusal:
        return ImportRow(line, mac_text[:40], location[:LONGEST_LOCATION], "refused", refusal.detail)
    if mac in seen:
        return ImportRow(line, mac, location, "refused", "This MAC address stands in the table twice.")
    seen.add(mac)
    return ImportRow(line, mac, location, "pending")
