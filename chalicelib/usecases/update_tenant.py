"""The tenant's settings, shown and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from chalicelib.contracts.codec import Problem
from chalicelib.domain.directory import GLOBAL_POLICY, CallingPolicy
from chalicelib.domain.overrides import override_problems
from chalicelib.domain.tenant import Tenant, TenantSettings, check_settings
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.load_user import load_tenant
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.sync_policy import request_sync
from chalicelib.vendors.catalogue import vendors


def show_tenant(gateway: Gateway, caller: Caller) -> Tenant:
    """The caller's tenant; the defaults where nothing was set yet."""
    return load_tenant(gateway, caller.tenant_id)


def update_tenant(gateway: Gateway, caller: Caller, settings: TenantSettings) -> Tenant:
    """Changes what is given, and starts a policy sync that brings it to the tenant's phones.

    `overrides` replace those that the tenant had, of every vendor. Raises BadRequest that names every wrong setting.
    """
    check_settings(settings, *_override_problems(settings.overrides or {}))
    given = {item.name: getattr(settings, item.name) for item in fields(settings) if getattr(settings, item.name) is not None}

    def attempt() -> tuple[Tenant, Tenant]:
        before = load_tenant(gateway, caller.tenant_id)
        after = replace(before, **given)
        if after != before or not before.version:
            gateway.store.save(after, *_first_policy(gateway, before))
        return before, after

    before, after = until_saved(attempt)
    if before.version and after != before:
        request_sync(gateway, caller)
    return load_tenant(gateway, caller.tenant_id)


def _override_problems(overrides: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    problems: list[Problem] = []
    for name, values in overrides.items():
        pointer = f"/overrides/{name[:40]}"
        known = vendors().get(name)
        if known is None:
            problems.append(Problem(pointer, f"is not a vendor here; the vendors are {', '.join(vendors())}"))
        else:
            problems += override_problems(values, known.overrides, pointer)
    return problems


def _first_policy(gateway: Gateway, before: Tenant) -> list[CallingPolicy]:
    """Every tenant has a Global policy, and at first it lets nobody use a SIP device."""
    if before.version:
        return []
    existing = gateway.store.load(CallingPolicy, before.tenant_id, GLOBAL_POLICY)
    return [] if existing else [CallingPolicy(before.tenant_id, GLOBAL_POLICY)]
