"""The questions that the double of Microsoft Graph understands, and its answers. No HTTP.

Paths: `/users`, `/admin/teams/userConfigurations[/{id}]`, `/users/{id}/presence/…`. What a test or the gateway must never send,
Graph's own limits among it, is answered as Graph answers it: 400 with its code.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from local.graph.tenants import GraphTenants, configuration_resource, user_resource

MOST_IN_A_FILTER = 15  # Graph's known issues, "Some limitations apply to query parameters"
DEFAULT_PAGE = 100
MOST_IN_A_PAGE = 999
_IN = re.compile(r"(userPrincipalName|id) in \((.*)\)")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_PRESENCE = re.compile(r"/users/([0-9a-f-]{36})/presence/(setUserPreferredPresence|clearUserPreferredPresence)")
_CONFIGURATIONS = "/admin/teams/userConfigurations"
_PERMISSIONS = {"users": "User.Read.All", "admin": "TeamsUserConfiguration.Read.All", "presence": "Presence.ReadWrite.All"}


class GraphError(Exception):
    """An error answer: its status, and Graph's code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message, "innerError": {"request-id": secrets.token_hex(8)}}}


@dataclass(frozen=True)
class Question:
    """One request, alone or out of a batch. `path` is what stands behind `/v1.0`, with its query; `base` is that before it."""

    method: str
    path: str
    tenant_id: str
    permissions: frozenset[str]
    base: str
    body: Any = None


@dataclass
class Answerer:
    """Answers questions about `tenants`. A skip token is worth something only here."""

    tenants: GraphTenants
    asked: list[str] = field(default_factory=list)  # `GET /users`, in order: what Graph counts against its limits
    smallest_page: int = 1  # Graph need not give as many as it was asked for, nor as few
    largest_page: int = MOST_IN_A_PAGE
    _skips: dict[str, tuple[str, str]] = field(default_factory=dict)  # token: tenant, last id

    def answer(self, question: Question) -> dict[str, Any]:
        """The resource or collection; empty for an action. Raises GraphError."""
        path, query = urlsplit(question.path).path, dict(parse_qsl(urlsplit(question.path).query, keep_blank_values=True))
        self.asked.append(f"{question.method} {path}")
        presence = _PRESENCE.fullmatch(path)
        if question.method == "POST" and presence:
            return self._set_presence(question, presence[1], presence[2])
        if question.method != "GET":
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        if path == "/users":
            return self._list_users(question, query)
        if path == _CONFIGURATIONS:
            return self._list_configurations(question, query)
        if path.startswith(_CONFIGURATIONS + "/"):
            return self._configuration(question, path.removeprefix(_CONFIGURATIONS + "/"), query)
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{path.strip('/').split('/')[0]}'.")

    def _list_users(self, question: Question, query: dict[str, str]) -> dict[str, Any]:
        _require(question, "users")
        _refuse_others(query, "$filter", "$select")
        field_name, wanted = _parse_filter(query.get("$filter", ""))
        rows = [user_resource(question.tenant_id, account) for account in self.tenants.by_id(question.tenant_id).values()]
        found = [row for row in rows if row[field_name].lower() in wanted]
        context = f"{question.base}/$metadata#users"
        return {"@odata.context": context, "value": [_selected(row, query) for row in found]}

    def _list_configurations(self, question: Question, query: dict[str, str]) -> dict[str, Any]:
        _require(question, "admin")
        _refuse_others(query, "$select", "$top", "$skiptoken")
        after = self._position(question.tenant_id, query.get("$skiptoken"))
        accounts = self.tenants.by_id(question.tenant_id)
        rows = [
            configuration_resource(question.tenant_id, account)
            for key, account in accounts.items()
            if account.teams and key > after
        ]
        size = max(min(int(query.get("$top", DEFAULT_PAGE)), self.largest_page), self.smallest_page)
        page: dict[str, Any] = {"@odata.context": f"{question.base}/$metadata#admin/teams/userConfigurations"}
        if len(rows) > size:
            token = secrets.token_urlsafe(24)
            self._skips[token] = (question.tenant_id, rows[size - 1]["id"])
            following = urlencode({**query, "$skiptoken": token}, safe="$,")
            page["@odata.nextLink"] = f"{question.base}{_CONFIGURATIONS}?{following}"
        return {**page, "value": [_selected(row, query) for row in rows[:size]]}

    def _position(self, tenant_id: str, token: str | None) -> str:
        if token is None:
            return ""
        owner, position = self._skips.get(token, ("", ""))
        if owner != tenant_id:
            raise GraphError(400, "BadRequest", "Skip token is invalid.")
        return position

    def _configuration(self, question: Question, user_id: str, query: dict[str, str]) -> dict[str, Any]:
        _require(question, "admin")
        _refuse_others(query, "$select")
        account = self.tenants.by_id(question.tenant_id).get(user_id)
        if account is None or not account.teams:
            raise GraphError(404, "NotFound", "The requested user was not found.")
        return {"value": _selected(configuration_resource(question.tenant_id, account), query)}  # wrapped, as Graph does

    def _set_presence(self, question: Question, user_id: str, action: str) -> dict[str, Any]:
        _require(question, "presence")
        if user_id not in self.tenants.by_id(question.tenant_id):
            raise GraphError(404, "NotFound", "The user was not found.")
        body = question.body if isinstance(question.body, dict) else None
        if action == "setUserPreferredPresence" and (body or {}).get("availability") != (body or {}).get("activity"):
            raise GraphError(400, "InvalidRequest", "The combination of availability and activity is not supported.")
        self.tenants.presences[user_id] = body if action == "setUserPreferredPresence" else None
        return {}


def _require(question: Question, kind: str) -> None:
    if _PERMISSIONS[kind] not in question.permissions:
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _refuse_others(query: dict[str, str], *known: str) -> None:
    for name in query:
        if name not in known:
            raise GraphError(400, "Request_BadRequest", f"The query parameter {name} is not supported here.")


def _parse_filter(text: str) -> tuple[str, frozenset[str]]:
    """`id in ('…','…')`: the property, and the values in lower case."""
    found = _IN.fullmatch(text)
    values = [value.replace("''", "'") for value in _TEXT.findall(found[2])] if found else []
    if found is None or ",".join("'" + value.replace("'", "''") + "'" for value in values) != found[2]:
        raise GraphError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {json.dumps(text)}")
    if len(values) > MOST_IN_A_FILTER:
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            "Too many child clauses specified in search filter expression containing 'OR' operators: "
            f"{len(values)}. Max allowed: {MOST_IN_A_FILTER}.",
        )
    return found[1], frozenset(value.lower() for value in values)


def _selected(row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    names = query.get("$select", "").split(",") if query.get("$select") else list(row)
    return {name: row[name] for name in names if name in row}
