"""Users in Microsoft Graph's documents, read into ours. No I/O.

Shapes: `user`, and `microsoft.graph.teamsAdministration.teamsUserConfiguration` with `effectivePolicyAssignment`,
`policyAssignment` and `assignedTelephoneNumber`, all v1.0 (docs/graph.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.adapters.graph.failures import unreadable
from chalicelib.domain.directory import GLOBAL_POLICY, User
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import TenantId, Upn, parse_number, parse_upn

ACCOUNT_FIELDS = "id,userPrincipalName,displayName,accountEnabled"
CONFIGURATION_FIELDS = "id,userPrincipalName,telephoneNumbers,effectivePolicyAssignments"
NAMES_IN_A_FILTER = 15  # Graph's known issues: the `in` operator takes 15 values
_CALLING_POLICY = "TeamsCallingPolicy"
_PRIMARY = "primary"
_EXTENSION = re.compile(r"[0-9]{1,20}")


def account_filters(field: str, values: Sequence[str]) -> list[str]:
    """OData filters that together name all values, 15 in each: `userPrincipalName in ('a@x','b@x')`."""
    parts = [values[start : start + NAMES_IN_A_FILTER] for start in range(0, len(values), NAMES_IN_A_FILTER)]
    return [f"{field} in ({','.join(_quoted(value) for value in part)})" for part in parts]


def read_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects of a collection. Raises DirectoryAway where it is none."""
    rows = document.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise unreadable()
    return rows


def find_upn(row: Mapping[str, Any]) -> Upn | None:
    """The row's user principal name, or None where a SIP device could not use it."""
    try:
        return parse_upn(str(row.get("userPrincipalName", "")))
    except BadRequest:
        return None


def user_of(tenant_id: TenantId, upn: Upn, account: Mapping[str, Any], configuration: Mapping[str, Any] | None) -> User:
    """One user. Without a configuration the account has no Teams, hence neither number nor policy."""
    found = _unwrapped(configuration or {})
    number, extension = _number_of(found)
    return User(
        tenant_id=tenant_id,
        upn=upn,
        display_name=str(account.get("displayName") or ""),
        number=number,
        policy=_policy_of(found),
        extension=extension,
        enabled=account.get("accountEnabled") is not False,
    )


def parse_line(text: str) -> tuple[str, str]:
    """Number and extension of `+498912340`, `tel:+49-89-12340;ext=17` (RFC 3966); empty where it is no E.164 number."""
    number, *parameters = text.strip().removeprefix("tel:").removeprefix("TEL:").split(";")
    values = dict(part.lower().partition("=")[::2] for part in parameters)
    try:
        return parse_number(number), "".join(_EXTENSION.findall(values.get("ext", ""))[:1])
    except BadRequest:
        return "", ""


def _unwrapped(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """Graph puts a single configuration into `value`, in its documents and in practice; a list of one would do too."""
    inner = configuration.get("value", configuration)
    if isinstance(inner, list):
        inner = inner[0] if inner else {}
    if not isinstance(inner, Mapping):
        raise unreadable()
    return inner


def _number_of(configuration: Mapping[str, Any]) -> tuple[str, str]:
    """The primary number: private and alternate lines are not the one that the user is known by."""
    for item in _objects(configuration, "telephoneNumbers"):
        if item.get("assignmentCategory") == _PRIMARY:
            return parse_line(str(item.get("telephoneNumber") or ""))
    return "", ""


def _policy_of(configuration: Mapping[str, Any]) -> str:
    """The effective calling policy's name, assigned directly or through a group; empty for Global, which Graph leaves out."""
    for item in _objects(configuration, "effectivePolicyAssignments"):
        if item.get("policyType") == _CALLING_POLICY and isinstance(item.get("policyAssignment"), Mapping):
            name = str(item["policyAssignment"].get("displayName") or "").removeprefix("Tag:")
            return "" if name.casefold() == GLOBAL_POLICY.casefold() else name
    return ""


def _objects(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A property that holds objects; absent and null are none."""
    items = document.get(name)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise unreadable()
    return items


def _quoted(text: str) -> str:
    """OData 4.01 URL conventions, 5.1.1.14.1: a quote inside a string is doubled."""
    return "'" + text.replace("'", "''") + "'"
