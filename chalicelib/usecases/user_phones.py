"""The phones that a user is signed in on, and what their edges are told of the user."""

from __future__ import annotations

from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Installation
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.request_command import account_commands, tell_every_edge

PAGE_SIZE = 100


def load_installations(gateway: Gateway, tenant_id: TenantId, upn: Upn) -> list[Installation]:
    """Those that the user is signed in on. One query for each hundred."""
    found: list[Installation] = []
    cursor = None
    while True:
        page = gateway.store.find(Installation, tenant_id, prefix=f"{upn}#", limit=PAGE_SIZE, cursor=cursor)
        found.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


def refresh_user(gateway: Gateway, tenant_id: TenantId, upn: Upn) -> None:
    """Has every edge ask anew for the user's digest users, wherever the phones are or were."""
    phones = load_installations(gateway, tenant_id, upn)
    tell_every_edge(gateway, [command for phone in phones for command in account_commands(gateway, phone, phone)])
