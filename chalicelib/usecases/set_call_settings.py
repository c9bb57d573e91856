"""A user's call settings: set by feature codes on any of the user's phones, or by an administrator.

Every edge learns of a change by asking anew who the user's phones are; calls to the user meet it at once, in their route.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Annotated

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.edge import NO_CALL_SETTINGS, CallSettings
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.calls import LONGEST_RING_SECONDS, SHORTEST_RING_SECONDS, UserCalls, check_target
from chalicelib.domain.directory import decide_sign_in
from chalicelib.domain.errors import BadRequest, NotFound, NotSignedIn
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Installation, signed_in_profile
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.history import mac_event
from chalicelib.usecases.load_user import load_user, load_user_and_policy
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.record_audit import feature_code_entry
from chalicelib.usecases.set_presence import set_presence
from chalicelib.usecases.user_phones import refresh_user

TARGETS = ("forward_to", "forward_on_timeout_to", "also_ring")
Change = Callable[[CallSettings], CallSettings]


@dataclass(frozen=True)
class CallSettingsChange:
    """What may be set for a user; None leaves a field as it is. Empty text takes a number away."""

    do_not_disturb: bool | None = None
    forward_to: str | None = None
    forward_on_timeout_to: str | None = None
    also_ring: str | None = None
    ring_seconds: Annotated[int, Keywords(minimum=SHORTEST_RING_SECONDS, maximum=LONGEST_RING_SECONDS)] | None = None


def show_call_settings(gateway: Gateway, caller: Caller, upn: Upn) -> CallSettings:
    """As they were set, whatever the user's policy makes of them now. Raises NotFound."""
    load_user(gateway, caller.tenant_id, upn)
    calls = gateway.store.load(UserCalls, caller.tenant_id, upn)
    return calls.settings if calls else NO_CALL_SETTINGS


def set_call_settings(gateway: Gateway, caller: Caller, upn: Upn, change: CallSettingsChange) -> CallSettings:
    """By an administrator. Raises NotFound, BadRequest, or the reason why calls may not go to a number."""
    tenant, user, policy = load_user_and_policy(gateway, caller.tenant_id, upn)
    if user is None:
        raise NotFound(f"The directory has no user {upn}.")
    _check_ring_seconds(change.ring_seconds)
    given = {item.name: getattr(change, item.name) for item in fields(change) if getattr(change, item.name) is not None}
    targets = [name for name in TARGETS if given.get(name)]
    if targets:
        signed_in = decide_sign_in(tenant, user, policy)
        profile = signed_in_profile(tenant, signed_in, policy)
        given |= {name: check_target(given[name], signed_in, profile) for name in targets}
    return _save(gateway, caller.tenant_id, upn, lambda settings: replace(settings, **given))


def dial_call_settings(gateway: Gateway, installation: Installation, code: str, change: Change) -> CallSettings:
    """By the user of a phone; `code` such as `*30*` goes on record, numbers do not. Raises NotSignedIn."""
    user, tenant_id = installation.profile.user, installation.tenant_id
    if user is None or tenant_id is None:
        raise NotSignedIn("Sign in on this phone first.")
    line = mac_event(gateway, installation.mac, tenant_id, "call_settings_changed", dialled=code, by=user.upn)
    audited = feature_code_entry(gateway, tenant_id, user.upn, installation.mac, code)
    return _save(gateway, tenant_id, user.upn, change, line, audited)


def dialled_target(installation: Installation, dialled: str) -> str:
    """The number that the calls of the phone's user may be sent to. Raises the reason where they may not."""
    if installation.profile.user is None:
        raise NotSignedIn("Sign in on this phone first.")
    return check_target(dialled, installation.profile.user, installation.profile)


def _save(gateway: Gateway, tenant_id: TenantId, upn: Upn, change: Change, *also: object) -> CallSettings:
    def attempt() -> tuple[CallSettings, CallSettings]:
        calls = gateway.store.load(UserCalls, tenant_id, upn) or UserCalls(tenant_id, upn)
        after = change(calls.settings)
        changed = after != calls.settings
        if changed or also:
            gateway.store.save(*([replace(calls, settings=after)] if changed else []), *also)
        return calls.settings, after

    before, after = until_saved(attempt)
    if after != before:
        refresh_user(gateway, tenant_id, upn)
    if after.do_not_disturb != before.do_not_disturb:
        set_presence(gateway, tenant_id, upn, after.do_not_disturb)
    return after


def _check_ring_seconds(seconds: int | None) -> None:
    if seconds is not None and not SHORTEST_RING_SECONDS <= seconds <= LONGEST_RING_SECONDS:
        detail = f"must be a whole number from {SHORTEST_RING_SECONDS} to {LONGEST_RING_SECONDS}"
        raise BadRequest("Some settings cannot be used.", (Problem("/ring_seconds", detail),))
