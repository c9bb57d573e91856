"""What the double of Microsoft Graph knows: accounts of tenants, in the shapes of Graph's resources. No HTTP.

Shapes: `user` and `teamsUserConfiguration` of Microsoft Graph v1.0 (docs/graph.md).
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

GROUP = "75ae6229-35fe-4b01-ae7f-7c50439d239c"


@dataclass(frozen=True)
class Account:
    """One Entra account. `numbers` are pairs of the number as Teams has it and its category; `policy` empty: none assigned.

    `teams` false: the account has no Teams, so Graph has no configuration of it.
    """

    upn: str
    display_name: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    policy: str = ""
    by_group: bool = False
    enabled: bool = True
    teams: bool = True

    def id(self, tenant_id: str) -> str:
        """The object id."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{tenant_id}/{self.upn.lower()}"))


@dataclass
class GraphTenants:
    """Every tenant's accounts by lower-case name, and the presence that was set last. Threads may share it."""

    accounts: dict[str, dict[str, Account]] = field(default_factory=dict)
    presences: dict[str, dict[str, Any] | None] = field(default_factory=dict)  # by object id; None: cleared
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, tenant_id: str, *accounts: Account) -> None:
        """Adds accounts, or changes them."""
        with self.lock:
            self.accounts.setdefault(tenant_id, {}).update({account.upn.lower(): account for account in accounts})

    def change(self, tenant_id: str, upn: str, **fields: Any) -> None:
        """Changes some fields of an account that is there."""
        with self.lock:
            self.put(tenant_id, replace(self.accounts[tenant_id][upn.lower()], **fields))

    def remove(self, tenant_id: str, upn: str) -> None:
        with self.lock:
            del self.accounts[tenant_id][upn.lower()]

    def by_id(self, tenant_id: str) -> dict[str, Account]:
        """The tenant's accounts by object id, in the order of the ids: Graph promises no order of names."""
        with self.lock:
            known = {account.id(tenant_id): account for account in self.accounts.get(tenant_id, {}).values()}
        return dict(sorted(known.items()))


def user_resource(tenant_id: str, account: Account) -> dict[str, Any]:
    """`user`, with all that may be selected of it."""
    return {
        "id": account.id(tenant_id),
        "userPrincipalName": account.upn,
        "displayName": account.display_name,
        "accountEnabled": account.enabled,
        "mail": account.upn,
        "businessPhones": [],
    }


def configuration_resource(tenant_id: str, account: Account) -> dict[str, Any]:
    """`teamsUserConfiguration`. A policy type without an assignment is left out, as Graph does."""
    assigned = [("TeamsMeetingPolicy", _assignment("CustomPolicy", by_group=False))]
    if account.policy:
        assigned.insert(0, ("TeamsCallingPolicy", _assignment(account.policy, by_group=account.by_group)))
    return {
        "id": account.id(tenant_id),
        "userPrincipalName": account.upn,
        "tenantId": tenant_id,
        "accountType": "user",
        "isEnterpriseVoiceEnabled": bool(account.numbers),
        "featureTypes": ["Teams", "PhoneSystem"],
        "telephoneNumbers": [{"telephoneNumber": number, "assignmentCategory": kind} for number, kind in account.numbers],
        "effectivePolicyAssignments": [{"policyType": kind, "policyAssignment": policy} for kind, policy in assigned],
        "createdDateTime": "2025-01-07T09:08:50.9115993Z",
        "modifiedDateTime": "2025-01-07T09:08:50.9115993Z",
    }


def _assignment(name: str, *, by_group: bool) -> dict[str, Any]:
    policy_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    if by_group:
        return {"displayName": name, "assignmentType": "group", "policyId": policy_id, "groupId": GROUP}
    return {"displayName": name, "assignmentType": "direct", "policyId": policy_id}
