"""The problem report of a device, to be handed to whoever helps: one zip of what the gateway knows. It holds no password.

Files are masked as `show_files` masks them. Uploads stay as they came, but for lines that hold a password of the device.
"""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime

from chalicelib.contracts.codec import format_time, to_json
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Device
from chalicelib.domain.errors import NotFound
from chalicelib.domain.identifiers import Mac
from chalicelib.domain.installation import Installation
from chalicelib.domain.upload import MOST_NAMES, Upload
from chalicelib.usecases.device_view import show_device
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.history import list_events
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.show_files import MASK, show_files

MOST_EVENTS = 1_000
EVENTS_AT_A_TIME = 200
LARGEST_REPORT = 4 * 1024 * 1024  # bytes; a function answers at most 6 MB, and base64 adds a third
MASKED_LINE = b"*** (a line with a password of this device was here)"
_MOST_VERSIONS = 50  # of a SIP account, the newest
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00")  # gzip, zip, bzip2, xz
_SAFE_NAME = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class _Secrets:
    """What must not stand in the report."""

    passwords: tuple[bytes, ...] = ()
    token: bytes = b""


@dataclass(frozen=True)
class _Kept:
    """One upload, whole."""

    name: str
    at: datetime
    body: bytes


def report_device(gateway: Gateway, caller: Caller, mac: Mac, *, largest: int = LARGEST_REPORT) -> bytes:
    """A zip of timeline.json, device.json, files/, uploads/ and README.txt. Raises NotFound where the inventory lacks it."""
    view = show_device(gateway, caller, mac)
    device = load_claimed(gateway, caller.tenant_id, mac)[0].device
    own = device if device and device.owned and device.tenant_id == caller.tenant_id else None
    secrets = _secrets(gateway, own)
    notes: list[str] = []
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as report:
        registration = to_json(own.binding) if own else None
        _add(report, "device.json", _json({"device": to_json(view), "registration": registration}), gateway.clock())
        _add(report, "timeline.json", _json(list(_timeline(gateway, caller, mac))), gateway.clock())
        for name, content in _files(gateway, caller, mac, notes):
            _add(report, f"files/{_SAFE_NAME.sub('_', name)}", content, gateway.clock())
        for kept in _uploads(gateway, caller, mac):
            left_out = _left_out(kept, largest - body.tell())
            if left_out:
                notes.append(f"uploads/{kept.name} {left_out} GET /v1/devices/{mac}/uploads/{kept.name} has it.")
                continue
            _add(report, f"uploads/{_SAFE_NAME.sub('_', kept.name)}", _masked(kept.body, secrets), kept.at)
        _add(report, "README.txt", _read_me(mac, gateway.clock(), notes), gateway.clock())
    return body.getvalue()


def _timeline(gateway: Gateway, caller: Caller, mac: Mac) -> Iterator[object]:
    cursor = None
    for _ in range(MOST_EVENTS // EVENTS_AT_A_TIME):
        page = list_events(gateway, caller, mac, EVENTS_AT_A_TIME, cursor)
        for event in page.items:
            yield {"at": format_time(event.at), "type": event.type, "id": event.id, "detail": event.detail}
        cursor = page.next_cursor
        if cursor is None:
            return


def _files(gateway: Gateway, caller: Caller, mac: Mac, notes: list[str]) -> Iterator[tuple[str, bytes]]:
    try:
        files = show_files(gateway, caller, mac)
    except NotFound as reason:
        notes.append(f"files/ is empty: {reason.detail}")
        return
    for file in files:
        yield file.name, file.body.encode()


def _uploads(gateway: Gateway, caller: Caller, mac: Mac) -> list[_Kept]:
    """The newest first. One query."""
    parts: dict[str, list[Upload]] = {}
    for part in gateway.store.find(Upload, mac, limit=4 * MOST_NAMES).items:
        if part.tenant_id == caller.tenant_id:
            parts.setdefault(part.name, []).append(part)
    whole = [
        _Kept(name, own[0].at, b"".join(base64.b64decode(part.data) for part in sorted(own, key=lambda part: part.part)))
        for name, own in parts.items()
    ]
    return sorted(whole, key=lambda kept: (kept.at, kept.name), reverse=True)


def _left_out(kept: _Kept, room: int) -> str:
    """Why an upload is not in the report, empty where it is."""
    if kept.body.startswith(_PACKED):
        return "is left out: it is packed, so nobody can tell whether a password is in it."
    if len(kept.body) > room:
        return "is left out: the report would be too large."
    return ""


def _secrets(gateway: Gateway, device: Device | None) -> _Secrets:
    installation = gateway.store.load(Installation, str(device.installation_id)) if device else None
    if installation is None:
        return _Secrets()
    newest = installation.account.version
    versions = range(max(0, newest - _MOST_VERSIONS), newest + 1)
    passwords = [gateway.keys.sip_password(installation.id, version) for version in versions]
    passwords.append(gateway.keys.admin_password(installation.id))
    for port in installation.ports:
        versions = range(max(0, port.account.version - _MOST_VERSIONS), port.account.version + 1)
        passwords += [gateway.keys.sip_password(port.installation_id, version) for version in versions]
    token = gateway.keys.token(installation.seed).reveal().encode()
    return _Secrets(tuple(password.reveal().encode() for password in passwords), token)


def _masked(body: bytes, secrets: _Secrets) -> bytes:
    """Without the lines that hold a password; the token of the device's URL is masked where it stands."""
    if not secrets.passwords:
        return body
    lines = body.split(b"\n")
    shown = [MASKED_LINE if any(password in line for password in secrets.passwords) else line for line in lines]
    return b"\n".join(shown).replace(secrets.token, MASK.encode())


def _read_me(mac: Mac, now: datetime, notes: list[str]) -> bytes:
    lines = [
        f"Problem report of device {mac}, {format_time(now)}",
        "",
        "device.json    the device as its administrators see it, and its last registration",
        "timeline.json  its history, newest first",
        "files/         the files that the phone gets now; passwords and its token are masked",
        "uploads/       what the phone has sent; lines with one of its passwords are taken out",
    ]
    return ("\n".join([*lines, *(["", *notes] if notes else [])]) + "\n").encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _add(report: zipfile.ZipFile, name: str, content: bytes, at: datetime) -> None:
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    report.writestr(entry, content)
