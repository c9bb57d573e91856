"""Calling policies: what the tenant's users may do with a SIP device."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.directory import GLOBAL_POLICY, BusyOnBusy, CallingPolicy, CallRedirect, Voicemail
from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.ports import Caller, Gateway, Page

LONGEST_NAME = 128
# No path can name these: `import` is the path of the import itself, and clients resolve dots (RFC 3986 section 5.2.4).
RESERVED_NAMES = ("import", ".", "..")
PolicyName = Annotated[
    str,
    Keywords(
        "Printable, not blank; case matters.",
        format="policy-name",
        max_length=LONGEST_NAME,
        excluded=RESERVED_NAMES,
        example="Sales",
    ),
]
RemovablePolicyName = Annotated[PolicyName, Keywords("Any but Global.", excluded=(*RESERVED_NAMES, GLOBAL_POLICY))]
PolicyNameOrNone = Annotated[
    str,
    Keywords(
        "A policy's name, whether there is such a policy or not yet; empty for Global.",
        format="policy-name",
        max_length=LONGEST_NAME,
        excluded=RESERVED_NAMES,
    ),
]


@dataclass(frozen=True)
class PolicySettings:
    """What may be set of a policy; None leaves a field as it is, or at its default."""

    sip_devices_for_calls: bool | None = None
    call_redirect: CallRedirect | None = None
    voicemail: Voicemail | None = None
    common_area: bool | None = None
    busy_on_busy: BusyOnBusy | None = None


def list_policies(gateway: Gateway, caller: Caller, limit: int, cursor: str | None) -> Page:
    """The tenant's policies by name."""
    return gateway.store.find(CallingPolicy, caller.tenant_id, limit=limit, cursor=cursor)


def show_policy(gateway: Gateway, caller: Caller, name: str) -> CallingPolicy:
    """Raises NotFound."""
    policy = gateway.store.load(CallingPolicy, caller.tenant_id, name)
    if policy is None:
        raise NotFound(f"There is no calling policy {name!r}. Import it, or create it with PUT.")
    return policy


def set_policy(gateway: Gateway, caller: Caller, name: str, settings: PolicySettings) -> CallingPolicy:
    """Creates or changes a policy. Phones follow at the next sync."""
    check_policy_name(name)
    given = {item.name: getattr(settings, item.name) for item in fields(settings) if getattr(settings, item.name) is not None}

    def attempt() -> CallingPolicy:
        before = gateway.store.load(CallingPolicy, caller.tenant_id, name) or CallingPolicy(caller.tenant_id, name)
        after = replace(before, **given)
        if after != before or not before.version:
            gateway.store.save(after)
        return after

    return until_saved(attempt)


def remove_policy(gateway: Gateway, caller: Caller, name: str) -> None:
    """Removes a policy; users that have it assigned may use no SIP device until it is back. Raises NotFound."""
    if name == GLOBAL_POLICY:
        raise BadRequest("The Global policy cannot be removed: it applies where no other is assigned.")
    until_saved(lambda: gateway.store.save(remove=[show_policy(gateway, caller, name)]))


def check_policy_name(name: str) -> None:
    """Raises BadRequest."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        detail = f"must be 1 to {LONGEST_NAME} printable characters"
        raise BadRequest("This is no name for a policy.", (Problem("/name", detail),))
    if name in RESERVED_NAMES:
        detail = f"must not be one of {', '.join(RESERVED_NAMES)}"
        raise BadRequest(f"A policy cannot be named {name!r}: no path of this API could name it.", (Problem("/name", detail),))
