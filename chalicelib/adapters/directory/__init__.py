"""The local directory: users are the gateway's own records, set through the API."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.directory import User
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.usecases.ports import Page, Store


class LocalDirectory:
    """The Directory port on the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load_users(self, tenant_id: TenantId, upns: Sequence[Upn]) -> dict[Upn, User]:
        """One read each."""
        wanted = sorted(set(upns))
        users = self._store.load_many(User, [(tenant_id, upn) for upn in wanted]) if wanted else []
        return {user.upn: user for user in users if user is not None}

    def list_users(self, tenant_id: TenantId, limit: int, cursor: str | None = None) -> Page:
        """One query a page."""
        return self._store.find(User, tenant_id, limit=limit, cursor=cursor)
