"""A telephone number belongs to one user of one tenant in a region: two phones never share an address of record by chance."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.calls import Number
from chalicelib.domain.directory import User
from chalicelib.domain.errors import NumberTaken
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Account, Installation
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.user_phones import load_installations


def claim_number(gateway: Gateway, tenant_id: TenantId, upn: Upn, number: str) -> Number:
    """The number as this user's, to be saved with what needs it: whoever claims it at the same moment meets a conflict.

    One read; where another has it, two more and a query tell whether they still do. Raises NumberTaken.
    """
    held = gateway.store.load(Number, number)
    if held is None:
        return Number(number, tenant_id, upn, claimed_at=gateway.clock())
    if (held.tenant_id, held.upn) == (tenant_id, upn):
        return held
    if _is_used(gateway, held):
        if held.tenant_id == tenant_id:
            raise NumberTaken("Another user of your organisation has this number, or a phone that is signed in with it.")
        raise NumberTaken("Another organisation of this region has this number. Ask the operator of the region.")
    return replace(held, tenant_id=tenant_id, upn=upn, claimed_at=gateway.clock())


def released_numbers(gateway: Gateway, before: User, after: User) -> tuple[Number, ...]:
    """What the user no longer holds after the change, to be removed with it. A phone that is signed in with it keeps it."""
    held = gateway.store.load(Number, before.number) if before.number and before.number != after.number else None
    if held is None or (held.tenant_id, held.upn) != (before.tenant_id, before.upn) or _is_signed_in(gateway, held):
        return ()
    return (held,)


def may_register(gateway: Gateway, installation: Installation, account: Account) -> bool:
    """False for a phone's former account whose number is somebody else's by now. One read, none for the newest account."""
    if account.version == installation.account.version or account.upn is None:
        return True
    held = gateway.store.load(Number, account.aor)
    return held is None or (held.tenant_id, held.upn) == (account.tenant_id, account.upn)


def _is_used(gateway: Gateway, held: Number) -> bool:
    user = gateway.directory.load_users(held.tenant_id, [held.upn]).get(held.upn)
    return (user is not None and user.number == held.number) or _is_signed_in(gateway, held)


def _is_signed_in(gateway: Gateway, held: Number) -> bool:
    phones = load_installations(gateway, held.tenant_id, held.upn)
    return any(phone.account.aor == held.number for phone in phones)
