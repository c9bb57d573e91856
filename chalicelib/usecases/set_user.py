"""Users, where the directory is the gateway's own."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.directory import User
from chalicelib.domain.errors import BadRequest, DirectoryReadOnly
from chalicelib.domain.identifiers import NumberText, Upn, parse_number
from chalicelib.usecases.claim_number import claim_number, released_numbers
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.load_user import load_user
from chalicelib.usecases.ports import Caller, Gateway, Page
from chalicelib.usecases.set_policy import PolicyNameOrNone, check_policy_name
from chalicelib.usecases.user_view import UserView, view_of_user, views_of_users

LONGEST_DISPLAY_NAME = 256  # as in Entra ID


@dataclass(frozen=True)
class UserSettings:
    """What may be set of a user; None leaves a field as it is. Empty text takes the number or the policy away."""

    display_name: Annotated[str, Keywords(max_length=LONGEST_DISPLAY_NAME, example="Anna Berg")] | None = None
    number: NumberText | None = None
    policy: PolicyNameOrNone | None = None


def list_users(gateway: Gateway, caller: Caller, limit: int, cursor: str | None) -> Page:
    """The tenant's users, as administrators see them."""
    page = gateway.directory.list_users(caller.tenant_id, limit, cursor)
    return Page(tuple(views_of_users(gateway, caller.tenant_id, page.items)), page.next_cursor)


def show_user(gateway: Gateway, caller: Caller, upn: Upn) -> UserView:
    """Raises NotFound."""
    return view_of_user(gateway, load_user(gateway, caller.tenant_id, upn))


def set_user(gateway: Gateway, caller: Caller, upn: Upn, settings: UserSettings) -> UserView:
    """Creates or changes a user of the local directory; phones follow at a sync.

    Raises BadRequest, NumberTaken, DirectoryReadOnly.
    """
    if not gateway.directory.writable:
        raise DirectoryReadOnly(
            "Users come from Microsoft Graph. Change the number and the policy in Teams, the name in Entra ID; "
            "the gateway follows within one hour, or with POST /v1/sync."
        )
    if len(settings.display_name or "") > LONGEST_DISPLAY_NAME:
        detail = f"must have at most {LONGEST_DISPLAY_NAME} characters"
        raise BadRequest("The display name cannot be used.", (Problem("/display_name", detail),))
    if settings.policy:
        check_policy_name(settings.policy)
    if settings.number:
        settings = replace(settings, number=parse_number(settings.number))
    given = {item.name: getattr(settings, item.name) for item in fields(settings) if getattr(settings, item.name) is not None}

    def attempt() -> User:
        before = gateway.store.load(User, caller.tenant_id, upn) or User(caller.tenant_id, upn)
        after = replace(before, **given)
        if after != before or not before.version:
            numbers = [claim_number(gateway, after.tenant_id, upn, after.number)] if after.number else []
            gateway.store.save(after, *numbers, remove=released_numbers(gateway, before, after))
        return after

    return view_of_user(gateway, until_saved(attempt))
