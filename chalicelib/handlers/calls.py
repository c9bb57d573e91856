"""`/v1/users/{upn}/call-settings` and `/v1/users/{upn}/message-waiting`."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib.contracts.edge import CallSettings
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.calls import Messages
from chalicelib.domain.errors import (
    EmergencyNumber,
    ForwardingNotAllowed,
    NumberNotUsable,
    OwnNumber,
    TenantDisabled,
    UserDisabled,
    UserWithoutNumber,
    UserWithoutPolicy,
)
from chalicelib.domain.identifiers import parse_upn
from chalicelib.handlers.answers import json_answer
from chalicelib.handlers.api import ADMINS, READERS, api_route
from chalicelib.handlers.changes import ApiCall
from chalicelib.handlers.contract import Answer, Body, Contract
from chalicelib.handlers.requests import parse_body
from chalicelib.usecases.message_waiting import set_messages, show_messages
from chalicelib.usecases.set_call_settings import CallSettingsChange, set_call_settings, show_call_settings

blueprint = Blueprint(__name__)


@dataclass(frozen=True)
class CallSettingsView:
    """What a user set for their calls; null where nothing is set. `busy_on_busy` is the calling policy's."""

    do_not_disturb: bool
    forward_to: str | None
    forward_on_timeout_to: str | None
    also_ring: str | None
    ring_seconds: int


SETTINGS = (Answer(CallSettingsView),)
CHANGE_SETTINGS = Contract(
    SETTINGS,
    (Body(CallSettingsChange, required=False),),
    problems=(
        *(ForwardingNotAllowed, NumberNotUsable, OwnNumber, EmergencyNumber),
        *(TenantDisabled, UserDisabled, UserWithoutNumber, UserWithoutPolicy),  # where the user may not call at all
    ),
)
SET_MESSAGES = Contract((Answer(Messages),), (Body(Messages, required=False),))


@api_route(blueprint, "GET", "/v1/users/{upn}/call-settings", READERS, Contract(SETTINGS))
def get_call_settings(call: ApiCall, upn: str) -> Response:
    """What a user set for their calls."""
    return json_answer(_settings(show_call_settings(call.gateway, call.caller, parse_upn(upn))))


@api_route(
    blueprint,
    "PUT",
    "/v1/users/{upn}/call-settings",
    ADMINS,
    CHANGE_SETTINGS,
)
def put_call_settings(call: ApiCall, upn: str) -> Response:
    """Changes what is given."""
    change = parse_body(CallSettingsChange, call.http)
    return json_answer(_settings(set_call_settings(call.gateway, call.caller, parse_upn(upn), change)))


@api_route(blueprint, "GET", "/v1/users/{upn}/message-waiting", READERS, Contract((Answer(Messages),)))
def get_message_waiting(call: ApiCall, upn: str) -> Response:
    """How many messages wait for a user."""
    return json_answer(show_messages(call.gateway, call.caller, parse_upn(upn)))


@api_route(
    blueprint,
    "PUT",
    "/v1/users/{upn}/message-waiting",
    ADMINS,
    SET_MESSAGES,
)
def put_message_waiting(call: ApiCall, upn: str) -> Response:
    """Told by the voicemail system; the lamps of the user's phones follow."""
    return json_answer(set_messages(call.gateway, call.caller, parse_upn(upn), parse_body(Messages, call.http)))


def _settings(settings: CallSettings) -> CallSettingsView:
    """Without busy_on_busy, which is the calling policy's."""
    return CallSettingsView(
        settings.do_not_disturb,
        settings.forward_to or None,
        settings.forward_on_timeout_to or None,
        settings.also_ring or None,
        settings.ring_seconds,
    )
