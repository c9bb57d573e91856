"""Records to begin a test with, and texts that hypothesis makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from chalicelib.domain.binding import Binding
from chalicelib.domain.command import Command
from chalicelib.domain.device import Device
from chalicelib.domain.directory import CallingPolicy, SignedInUser, User
from chalicelib.domain.identifiers import CommandId, InstallationId, Language, Mac, TenantId, Upn
from chalicelib.domain.installation import Account, Installation
from chalicelib.domain.tenant import Tenant

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAC = Mac("805ec0123456")
TENANT_ID = TenantId("d0000000-0000-4000-8000-000000000001")
INSTALLATION_ID = InstallationId("sampleinstallation234567ab")
ANNA = SignedInUser(Upn("anna@example.com"), "Anna Berg", "+4989123401")
BEN = SignedInUser(Upn("ben@example.com"), "Ben Alt", "+4989123402")

ANY_TEXT = st.text(max_size=60)
MAC_DIGITS = st.text("0123456789abcdef", min_size=12, max_size=12)
SOME_DIGITS = st.text("0123456789", max_size=22)


def after(**duration: float) -> datetime:
    return NOW + timedelta(**duration)


def a_device(**changes: Any) -> Device:
    return Device(**{"mac": MAC, "vendor": "yealink", "model": "T46S", "firmware": "66.86.5.1"} | changes)


def an_installation(**changes: Any) -> Installation:
    values: dict[str, Any] = {
        "id": INSTALLATION_ID,
        "mac": MAC,
        "seed": "seed",
        "vendor": "yealink",
        "model": "T46S",
        "firmware": "66.86.5.1",
        "language": Language.EN,
        "address": "203.0.113.7",
        "created_at": NOW,
        "account": Account(1, INSTALLATION_ID),
        "expires_at": after(hours=24),
    }
    return Installation(**values | changes)


def a_tenant(**changes: Any) -> Tenant:
    return Tenant(**{"tenant_id": TENANT_ID, "enabled": True} | changes)


def a_user(**changes: Any) -> User:
    values = {"tenant_id": TENANT_ID, "upn": ANNA.upn, "display_name": ANNA.display_name, "number": ANNA.number}
    return User(**values | changes)


def a_policy(**changes: Any) -> CallingPolicy:
    return CallingPolicy(**{"tenant_id": TENANT_ID, "name": "Desk phones", "sip_devices_for_calls": True} | changes)


def a_command(**changes: Any) -> Command:
    values: dict[str, Any] = {
        "id": CommandId("c1"),
        "mac": MAC,
        "tenant_id": TENANT_ID,
        "type": "restart",
        "requested_by": "admin@example.com",
        "created_at": NOW,
        "expires_at": after(hours=24),
    }
    return Command(**values | changes)


def a_binding(seen_at: datetime = NOW) -> Binding:
    return Binding(
        edge_id="edge-1",
        username=f"{INSTALLATION_ID}.1",
        aor=INSTALLATION_ID,
        contact="sip:x@198.51.100.9:5061",
        source="198.51.100.9:5061",
        since=NOW,
        seen_at=seen_at,
    )
