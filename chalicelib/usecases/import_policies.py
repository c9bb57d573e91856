"""Calling policies as PowerShell exports them: `Get-CsTeamsCallingPolicy | ConvertTo-Json`.

All of the table is read before any of it is saved. What Teams does not know (`common_area`) stays as it is here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.directory import GLOBAL_POLICY, BusyOnBusy, CallingPolicy, CallRedirect, Voicemail
from chalicelib.domain.errors import BadRequest
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.set_policy import check_policy_name

MOST_POLICIES = 1_000
POLICIES_AT_A_TIME = 100  # what one save may hold
_TAG = "Tag:"  # Identity of every policy but Global
_BROKEN_LETTER = "\ufffd".encode()  # what a gateway on the way writes for bytes that are no UTF-8

# Values in lower case; https://learn.microsoft.com/powershell/module/teams/set-csteamscallingpolicy
_WORDS: dict[str, tuple[str, dict[str, object]]] = {
    "AllowCallRedirect": (
        "call_redirect",
        {
            "enabled": CallRedirect.ENABLED,
            "disabled": CallRedirect.DISABLED,
            "useroverride": CallRedirect.USER_OVERRIDE,
        },
    ),
    "AllowVoicemail": (
        "voicemail",
        {
            "alwaysenabled": Voicemail.ALWAYS_ENABLED,
            "alwaysdisabled": Voicemail.ALWAYS_DISABLED,
            "useroverride": Voicemail.USER_OVERRIDE,
        },
    ),
    "BusyOnBusyEnabledType": (
        "busy_on_busy",
        {
            "enabled": BusyOnBusy.ENABLED,
            "disabled": BusyOnBusy.DISABLED,
            "unanswered": BusyOnBusy.UNANSWERED,
            "useroverride": BusyOnBusy.USER_OVERRIDE,
        },
    ),
}
_SPELLINGS = {
    "AllowCallRedirect": "Enabled, Disabled or UserOverride",
    "AllowVoicemail": "AlwaysEnabled, AlwaysDisabled or UserOverride",
    "BusyOnBusyEnabledType": "Enabled, Disabled, Unanswered or UserOverride",
}


@dataclass(frozen=True)
class PolicyRow:
    """What became of one policy: `result` is added, changed or unchanged."""

    row: int
    name: str
    result: str


@dataclass(frozen=True)
class _ReadPolicy:
    name: str
    given: dict[str, object]


def import_policies(gateway: Gateway, caller: Caller, body: bytes) -> tuple[PolicyRow, ...]:
    """A result for each policy; phones follow at the next sync. Raises BadRequest with every wrong field: nothing is saved."""
    wanted = _read_policies(_read_json(body))
    rows: list[PolicyRow] = []
    for start in range(0, len(wanted), POLICIES_AT_A_TIME):
        part = wanted[start : start + POLICIES_AT_A_TIME]
        rows += _save_part(gateway, caller, part, start + 1)
    return tuple(rows)


def _save_part(gateway: Gateway, caller: Caller, part: list[_ReadPolicy], first_row: int) -> list[PolicyRow]:
    def attempt() -> list[PolicyRow]:
        known = gateway.store.load_many(CallingPolicy, [(caller.tenant_id, item.name) for item in part])
        rows, changed = [], []
        for row, (item, before) in enumerate(zip(part, known, strict=True), start=first_row):
            after = replace(before or CallingPolicy(caller.tenant_id, item.name), **item.given)  # type: ignore[arg-type]  # its fields
            if after != before:
                changed.append(after)
            rows.append(PolicyRow(row, item.name, "added" if before is None else "unchanged" if after == before else "changed"))
        if changed:
            gateway.store.save(*changed)
        return rows

    return until_saved(attempt)


# --- reading -----------------------------------------------------------------------------------------------------------


def _read_json(body: bytes) -> list[Any]:
    try:
        data = json.loads(_decode(body))
    except (ValueError, RecursionError):
        detail = "must be the output of: Get-CsTeamsCallingPolicy | ConvertTo-Json, in UTF-8 or UTF-16"
        raise BadRequest(
            "The policies cannot be read. Send a UTF-16 file as application/octet-stream, or save it as UTF-8.",
            (Problem("", detail),),
        ) from None
    if isinstance(data, Mapping) and isinstance(data.get("value"), list) and "Identity" not in data:
        data = data["value"]  # PowerShell 5.1 wraps a list that came through a variable: {"value": […], "Count": 2}
    found = data if isinstance(data, list) else [data]
    if not 1 <= len(found) <= MOST_POLICIES:
        raise BadRequest(f"Send 1 to {MOST_POLICIES} policies.", (Problem("", f"must hold 1 to {MOST_POLICIES} policies"),))
    return found


def _decode(body: bytes) -> str:
    """UTF-8 or UTF-16, with or without its mark. Raises ValueError."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16")
    mark = 2 * _BROKEN_LETTER
    if body.startswith(mark) and b"\x00" in body:  # UTF-16 that went as text through something that reads UTF-8
        body = body.removeprefix(mark)
        if _BROKEN_LETTER in body:
            message = "letters were lost on the way"
            raise ValueError(message)
    if b"\x00" in body[:2]:
        return body.decode("utf-16-be" if body[:1] == b"\x00" else "utf-16-le")
    return body.decode("utf-8-sig")


def _read_policies(items: list[Any]) -> list[_ReadPolicy]:
    problems: list[Problem] = []
    policies = [_read_policy(item, f"/{index}", problems) for index, item in enumerate(items)]
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        if policy.name and policy.name in seen:
            problems.append(Problem(f"/{index}/Identity", "stands here twice"))
        seen.add(policy.name)
    if problems:
        raise BadRequest("Some policies cannot be used; none was imported.", tuple(problems))
    return policies


def _read_policy(item: Any, pointer: str, problems: list[Problem]) -> _ReadPolicy:
    if not isinstance(item, Mapping):
        problems.append(Problem(pointer, "must be a policy with its Identity"))
        return _ReadPolicy("", {})
    try:
        name = _read_name(item.get("Identity"))
    except BadRequest as wrong:
        detail = wrong.problems[0].detail if wrong.problems else "must be Global, or begin with Tag:"
        problems.append(Problem(f"{pointer}/Identity", detail))
        name = ""
    return _ReadPolicy(name, dict(_read_fields(item, pointer, problems)))


def _read_name(identity: object) -> str:
    if identity == GLOBAL_POLICY:
        return GLOBAL_POLICY
    if not isinstance(identity, str) or not identity.startswith(_TAG):
        raise BadRequest
    name = identity.removeprefix(_TAG)
    check_policy_name(name)
    return name


def _read_fields(item: Mapping[str, Any], pointer: str, problems: list[Problem]) -> Iterator[tuple[str, object]]:
    """What the export says of a policy; a field that it lacks, or has as null, stays as it is here."""
    allowed = item.get("AllowSIPDevicesCalling")
    if isinstance(allowed, bool):
        yield "sip_devices_for_calls", allowed
    elif allowed is not None:
        problems.append(Problem(f"{pointer}/AllowSIPDevicesCalling", "must be true or false"))
    for name, (field, words) in _WORDS.items():
        word = item.get(name)
        value = words.get(word.lower()) if isinstance(word, str) else None
        if value is not None:
            yield field, value
        elif word is not None:
            problems.append(Problem(f"{pointer}/{name}", f"must be {_SPELLINGS[name]}"))
