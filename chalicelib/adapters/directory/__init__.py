"""The local directory: users are the gateway's own records, set through the API, and nobody else sees their presence."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.directory import User
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.observability import log
from chalicelib.usecases.ports import Page, Store


class LocalDirectory:
    """The Directory port on the store."""

    writable = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def load_users(self, tenant_id: TenantId, upns: Sequence[Upn], *, fresh: bool = True) -> dict[Upn, User]:
        """One read each."""
        wanted = sorted(set(upns))
        users = self._store.load_many(User, [(tenant_id, upn) for upn in wanted], fresh=fresh) if wanted else []
        return {user.upn: user for user in users if user is not None}

    def list_users(self, tenant_id: TenantId, limit: int, cursor: str | None = None) -> Page:
        """One query a page."""
        return self._store.find(User, tenant_id, limit=limit, cursor=cursor)


class LocalPresence:
    """The Presence port where there is nobody to show it to: what was asked for stands in the log."""

    def show_do_not_disturb(self, tenant_id: TenantId, upn: Upn, *, on: bool) -> None:
        log().info("do_not_disturb_set", extra={"tenant_id": tenant_id, "user": upn, "on": on})
