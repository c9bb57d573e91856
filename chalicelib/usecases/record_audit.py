"""Lines of the audit: written for every change that succeeded and every sign-in, read by the tenant's administrators."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.audit import LONGEST_TARGET, AuditEntry, AuditType
from chalicelib.domain.device import Device
from chalicelib.domain.errors import GatewayError
from chalicelib.domain.identifiers import Mac, TenantId, Upn
from chalicelib.observability import log
from chalicelib.usecases.ports import Caller, Gateway, Page

PAIRING_PATH = "/pair/confirm"
SIGN_INS_PATH = "/v1/sign-ins"
REFUSED = 403


@dataclass(frozen=True)
class ApiChange:
    """A call of the API that changed something. No body, no query: they may hold secrets."""

    method: str
    path: str
    target: str
    address: str
    status: int


def record_audit(gateway: Gateway, caller: Caller, change: ApiChange) -> None:
    """One write. The change is made already: where the line cannot be kept, the log has it, and the caller's answer stands."""
    entry = replace(
        _entry(gateway, caller.tenant_id, caller.actor, change.target[:LONGEST_TARGET], change.address),
        method=change.method,
        path=change.path,
        status=change.status,
    )
    try:
        gateway.store.save(entry)
    except GatewayError as error:
        fields = {"tenant_id": entry.tenant_id, "actor": entry.actor, "path": entry.path, "target": entry.target}
        log().error("audit_line_lost", extra={**fields, "method": entry.method, "reason": error.code})


def pairing_entry(gateway: Gateway, tenant_id: TenantId, upn: Upn, mac: Mac, address: str) -> AuditEntry:
    """The line of a person who paired a phone on the web, to be saved with the pairing itself."""
    entry = _entry(gateway, tenant_id, upn, mac, address)
    return replace(entry, type=AuditType.PAIRING, method="POST", path=PAIRING_PATH)


def refused_entry(entry: AuditEntry, path: str, code: str) -> AuditEntry:
    """The line of a person who was not signed in, from the one of a pairing; `code` is the error's."""
    return replace(entry, path=path, status=REFUSED, outcome=code)


def feature_code_entry(gateway: Gateway, tenant_id: TenantId, upn: Upn, mac: Mac, code: str) -> AuditEntry:
    """The line of a person who dialled a feature code such as `*33*`, to be saved with what it changed."""
    entry = _entry(gateway, tenant_id, upn, mac)
    return replace(entry, type=AuditType.FEATURE_CODE, method="DIAL", path=code)


def phone_entry(gateway: Gateway, tenant_id: TenantId, device: Device, what: str, actor: str) -> AuditEntry:
    """The line of what was done at the phone itself: `enroll` or `sign-out`. `actor` is whoever is known to have done it."""
    address = device.binding.source.rpartition(":")[0].strip("[]") if device.binding else ""
    return replace(_entry(gateway, tenant_id, actor, device.mac, address), type=AuditType.PHONE, path=what)


def row_entry(gateway: Gateway, caller: Caller, mac: Mac) -> AuditEntry:
    """The line of an account that a row of a table signed in, to be saved with the row; the call has its own."""
    entry = _entry(gateway, caller.tenant_id, caller.actor, mac, caller.address)
    return replace(entry, method="POST", path=SIGN_INS_PATH)


def schedule_entry(gateway: Gateway, tenant_id: TenantId, mac: Mac, what: str) -> AuditEntry:
    """The line of what the gateway did by itself."""
    return replace(_entry(gateway, tenant_id, "gateway", mac), type=AuditType.SCHEDULE, path=what)


def _entry(gateway: Gateway, tenant_id: TenantId, actor: str, target: str, address: str = "") -> AuditEntry:
    """A line of the API as of now; its caller says what was done, and where that came from."""
    return AuditEntry(
        tenant_id=tenant_id,
        at=gateway.clock(),
        id=gateway.random_text(),
        type=AuditType.API,
        actor=actor,
        method="",
        path="",
        target=target,
        address=address,
        status=200,
    )


def list_audit(gateway: Gateway, caller: Caller, limit: int, cursor: str | None) -> Page:
    """The tenant's lines, newest first. One query."""
    return gateway.store.find_newest(AuditEntry, caller.tenant_id, limit=limit, cursor=cursor)
