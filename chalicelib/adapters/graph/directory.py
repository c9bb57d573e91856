"""The Directory port on Microsoft Graph.

Two questions for each user: who they are (Entra: name, enabled; 15 users in one) and what Teams has of them (number, effective
calling policy). Up to 20 questions travel in one HTTP request: a page of 100 users takes 6 requests, which Graph counts as 107.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from chalicelib.adapters.graph.client import GraphClient
from chalicelib.adapters.graph.failures import NotUnderstood, unreadable
from chalicelib.adapters.graph.users import (
    ACCOUNT_FIELDS,
    CONFIGURATION_FIELDS,
    account_filters,
    find_upn,
    read_rows,
    user_of,
)
from chalicelib.contracts.codec import Problem
from chalicelib.domain.directory import User
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.usecases.ports import Page

CONFIGURATIONS = "admin/teams/userConfigurations"
_FOREIGN_CURSOR = "The cursor cannot be read, or is too old. Begin the list again."


class GraphDirectory:
    """See the module."""

    writable = False

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    def load_users(self, tenant_id: TenantId, upns: Sequence[Upn], *, fresh: bool = True) -> dict[Upn, User]:
        """Deleted users and strangers are left out; users without Teams come without a number."""
        del fresh  # Graph knows one kind of reading
        wanted = sorted(set(upns))
        accounts = {upn: row for row in self._accounts(tenant_id, "userPrincipalName", wanted) if (upn := find_upn(row))}
        paths = [f"{CONFIGURATIONS}/{quote(row['id'], safe='')}?$select={CONFIGURATION_FIELDS}" for row in accounts.values()]
        configurations = self._client.get_many(tenant_id, paths)
        pairs = zip(accounts.items(), configurations, strict=True)
        return {upn: user_of(tenant_id, upn, account, found) for (upn, account), found in pairs if upn in wanted}

    def list_users(self, tenant_id: TenantId, limit: int, cursor: str | None = None) -> Page:
        """Users of Teams in Graph's order: one request for the page, and one question for the names of 15 of them.

        A page may hold fewer than `limit` users, and none at all, although there are more.
        """
        path, passed = _read_cursor(cursor) if cursor else (f"{CONFIGURATIONS}?$select={CONFIGURATION_FIELDS}&$top={limit}", 0)
        document = self._page(tenant_id, path, foreign=cursor is not None)
        rows = read_rows(document)
        part = rows[passed : passed + limit]
        accounts = {row["id"]: row for row in self._accounts(tenant_id, "id", [row["id"] for row in part])}
        users = tuple(
            user_of(tenant_id, upn, accounts[row["id"]], row)
            for row in part
            if row["id"] in accounts and (upn := find_upn(row))
        )
        if passed + limit < len(rows):  # Graph may give more than was asked for
            return Page(users, _write_cursor(path, passed + limit))
        following = document.get("@odata.nextLink")
        return Page(users, _write_cursor(self._relative(following), 0) if following else None)

    def _accounts(self, tenant_id: TenantId, field: str, values: Sequence[str]) -> list[dict[str, Any]]:
        paths = [f"users?$filter={quote(text, safe='')}&$select={ACCOUNT_FIELDS}" for text in account_filters(field, values)]
        return [row for found in self._client.get_many(tenant_id, paths) for row in read_rows(found or {})]

    def _page(self, tenant_id: TenantId, path: str, *, foreign: bool) -> dict[str, Any]:
        try:
            return self._client.get(tenant_id, path)
        except NotUnderstood as error:
            if foreign:  # Graph does not know the skip token any more, or never did
                raise BadRequest(_FOREIGN_CURSOR, (Problem("/cursor", "must be a next_cursor as it was given"),)) from error
            raise

    def _relative(self, link: object) -> str:
        """The path of a next link of this list, query as it is. Paths have no case; our token goes to Graph alone."""
        given, expected = urlsplit(str(link)), urlsplit(self._client.base_url + CONFIGURATIONS)
        same_place = (given.scheme, given.hostname) == (expected.scheme, expected.hostname)
        if not same_place or given.path.lower() != expected.path.lower() or not given.query:
            raise unreadable()
        return f"{CONFIGURATIONS}?{given.query}"


def _write_cursor(path: str, passed: int) -> str:
    text = f"{passed} {path.removeprefix(CONFIGURATIONS)}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str) -> tuple[str, int]:
    """The path of the page and how many of its users were given. Leads nowhere but to the list. Raises BadRequest."""
    try:
        number, _, query = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(" ")
    except ValueError:
        number, query = "", ""
    if not (number.isdecimal() and len(number) <= 4 and query.startswith("?") and query.isprintable() and "#" not in query):  # noqa: PLR2004 - a page has 999 at most
        raise BadRequest(_FOREIGN_CURSOR, (Problem("/cursor", "must be a next_cursor as it was given"),))
    return f"{CONFIGURATIONS}{query}", int(number)
