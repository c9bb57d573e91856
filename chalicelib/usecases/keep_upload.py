"""A phone sends a file: kept with its device, for the administrator."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Device
from chalicelib.domain.errors import NotFound, PayloadTooLarge, SlowDown
from chalicelib.domain.identifiers import Mac, TenantId
from chalicelib.domain.installation import Stage
from chalicelib.domain.upload import LARGEST_UPLOAD, MOST_NAMES, PART_SIZE, UNPROVEN_AN_HOUR, Upload, kept_under
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.serve_phone_file import load_installation
from chalicelib.vendors.catalogue import vendor

LONGEST_TYPE = 80
PARTS_AT_A_TIME = 10


@dataclass(frozen=True)
class UploadRequest:
    """`PUT /d/TOKEN/[lang_xx/]FILE`."""

    token: str
    file_name: str
    content_type: str
    body: bytes
    address: str = ""


@dataclass(frozen=True)
class KeptUpload:
    """One upload in the administrator's list; `size` is in bytes."""

    name: str
    at: datetime
    size: int
    content_type: str


def keep_upload(gateway: Gateway, request: UploadRequest) -> bool:
    """Whether it was kept. Not for a bad token, a name that its vendor's phones do not send, or a stranger to an owned one.

    Raises PayloadTooLarge over 512 KiB, and SlowDown where one address sends too many that nobody owns; nothing is kept then.
    """
    installation = load_installation(gateway, request.token)
    if installation is None or not vendor(installation.vendor).takes_upload(request.file_name, installation.mac):
        return False
    if len(request.body) > LARGEST_UPLOAD:
        raise PayloadTooLarge(f"An upload may have at most {LARGEST_UPLOAD} bytes.")
    owner = installation.tenant_id if installation.stage is Stage.ACTIVE else None
    if owner is None and not _takes_unproven(gateway, installation.mac, request.address):
        return False
    new = _cut(request, installation.mac, owner, gateway.clock())
    until_saved(lambda: _replace(gateway, new))
    return True


def _takes_unproven(gateway: Gateway, mac: Mac, address: str) -> bool:
    """Not beside an owned device: whoever knows a MAC is at best a stranger then."""
    device = gateway.store.load(Device, mac)
    if device is not None and device.owned:
        return False
    now = gateway.clock()
    hour = f"{now:%Y%m%d%H}"
    if gateway.store.count_up(f"upload#{address}#{hour}", now + timedelta(hours=1)) > UNPROVEN_AN_HOUR:
        raise SlowDown("Too many uploads came from this address. Try again later.")
    return True


def _cut(request: UploadRequest, mac: Mac, owner: TenantId | None, now: datetime) -> list[Upload]:
    """The upload in parts that a record holds."""
    chunks = [request.body[start : start + PART_SIZE] for start in range(0, len(request.body), PART_SIZE)] or [b""]
    return [
        Upload(
            mac=mac,
            name=request.file_name.lower(),
            part=index,
            parts=len(chunks),
            size=len(request.body),
            tenant_id=owner,
            at=now,
            content_type=request.content_type[:LONGEST_TYPE],
            data=base64.b64encode(chunk).decode(),
        )
        for index, chunk in enumerate(chunks)
    ]


def list_uploads(gateway: Gateway, caller: Caller, mac: Mac) -> tuple[KeptUpload, ...]:
    """What the tenant's device has sent, by name. Raises NotFound."""
    load_claimed(gateway, caller.tenant_id, mac)
    return tuple(
        KeptUpload(item.name, item.at, item.size, item.content_type)
        for item in _kept(gateway, mac)
        if item.part == 0 and item.tenant_id == caller.tenant_id
    )


def load_upload(gateway: Gateway, caller: Caller, mac: Mac, name: str) -> bytes:
    """The bytes of one upload. Raises NotFound."""
    load_claimed(gateway, caller.tenant_id, mac)
    parts = [item for item in _kept(gateway, mac) if item.name == name.lower() and item.tenant_id == caller.tenant_id]
    if not parts:
        raise NotFound(f"Device {mac} has sent no file {name}.")
    return b"".join(base64.b64decode(item.data) for item in sorted(parts, key=lambda item: item.part))


def remove_uploads(gateway: Gateway, mac: Mac) -> None:
    """Removes all that a device has sent, a few parts at a time: a transaction holds 4 MB (DynamoDB's limit)."""
    parts = [*_kept(gateway, mac), *_kept(gateway, kept_under(mac, None))]
    for start in range(0, len(parts), PARTS_AT_A_TIME):
        gateway.store.save(remove=parts[start : start + PARTS_AT_A_TIME])


def _replace(gateway: Gateway, new: list[Upload]) -> None:
    kept = _kept(gateway, new[0].kept_under)
    by_key = {(item.name, item.part): item for item in kept}
    name = new[0].name
    saved = [_over(item, by_key.pop((name, item.part), None)) for item in new]
    stale = [item for key, item in by_key.items() if key[0] == name]
    names = sorted({item.name: item.at for item in kept if item.name != name}.items(), key=lambda pair: pair[1])
    surplus = {old for old, _ in names[: max(0, len(names) - MOST_NAMES + 1)]}
    gateway.store.save(*saved, remove=[*stale, *(item for item in kept if item.name in surplus)])


def _over(item: Upload, former: Upload | None) -> Upload:
    return item if former is None else replace(item, version=former.version)


def _kept(gateway: Gateway, place: str) -> tuple[Upload, ...]:
    """Every part of every upload in one place. One query."""
    return gateway.store.find(Upload, place, limit=4 * MOST_NAMES).items
