"""How many messages wait for a user: told by the voicemail system, shown by the lamp of each of the user's phones.

The count is kept, so that a phone that registers anew is told again (RFC 3842: a phone that starts knows nothing).
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.edge import EdgeCommand
from chalicelib.domain.calls import MOST_MESSAGES, Messages, UserCalls
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Upn
from chalicelib.domain.installation import Installation, username_of
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import connection
from chalicelib.usecases.load_user import load_user
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.request_command import hand_over, messages_command
from chalicelib.usecases.user_phones import load_installations


def show_messages(gateway: Gateway, caller: Caller, upn: Upn) -> Messages:
    """As last told; none where nobody has. Raises NotFound."""
    load_user(gateway, caller.tenant_id, upn)
    calls = gateway.store.load(UserCalls, caller.tenant_id, upn)
    return (calls.messages if calls else None) or Messages()


def set_messages(gateway: Gateway, caller: Caller, upn: Upn, messages: Messages) -> Messages:
    """Keeps the count and tells every registered phone of the user; zero puts the lamp out. Raises NotFound or BadRequest."""
    _check(messages)
    load_user(gateway, caller.tenant_id, upn)

    def attempt() -> None:
        calls = gateway.store.load(UserCalls, caller.tenant_id, upn) or UserCalls(caller.tenant_id, upn)
        if calls.messages != messages:
            gateway.store.save(replace(calls, messages=messages))

    until_saved(attempt)
    for installation in load_installations(gateway, caller.tenant_id, upn):
        _tell(gateway, installation, messages)
    return messages


def messages_at_registration(gateway: Gateway, installation: Installation, username: str) -> list[EdgeCommand]:
    """What a phone is told when it registers anew: nothing without a user, or where nobody ever told. At most one read."""
    user, account = installation.profile.user, installation.account
    if user is None or installation.tenant_id is None or username != username_of(installation, account):
        return []
    calls = gateway.store.load(UserCalls, installation.tenant_id, user.upn)
    return [messages_command(gateway, installation, calls.messages)] if calls and calls.messages else []


def _tell(gateway: Gateway, installation: Installation, messages: Messages) -> None:
    device = gateway.store.load(Device, installation.mac)
    binding = device.binding if device and device.installation_id == installation.id else None
    if binding is None or binding.username != username_of(installation, installation.account):
        return
    if connection(gateway, device, gateway.clock()) is Connection.ONLINE:
        hand_over(gateway, binding.edge_id, [messages_command(gateway, installation, messages)])


def _check(messages: Messages) -> None:
    problems = [
        Problem(f"/{name}", f"must be a whole number from 0 to {MOST_MESSAGES}")
        for name, count in (("new", messages.new), ("old", messages.old))
        if not 0 <= count <= MOST_MESSAGES
    ]
    if problems:
        raise BadRequest("The messages cannot be counted.", tuple(problems))
