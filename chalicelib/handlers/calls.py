"""`/v1/users/{upn}/call-settings` and `/v1/users/{upn}/message-waiting`."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.contracts.edge import CallSettings
from chalicelib.domain.calls import Messages
from chalicelib.domain.identifiers import parse_upn
from chalicelib.handlers.answers import json_answer
from chalicelib.handlers.api import ADMINS, READERS, api_route
from chalicelib.handlers.changes import ApiCall
from chalicelib.handlers.requests import parse_body
from chalicelib.usecases.message_waiting import set_messages, show_messages
from chalicelib.usecases.set_call_settings import CallSettingsChange, set_call_settings, show_call_settings

blueprint = Blueprint(__name__)


@api_route(blueprint, "GET", "/v1/users/{upn}/call-settings", READERS)
def get_call_settings(call: ApiCall, upn: str) -> Response:
    """What a user set for their calls."""
    return json_answer(_settings(show_call_settings(call.gateway, call.caller, parse_upn(upn))))


@api_route(blueprint, "PUT", "/v1/users/{upn}/call-settings", ADMINS)
def put_call_settings(call: ApiCall, upn: str) -> Response:
    """Changes what is given."""
    change = parse_body(CallSettingsChange, call.http)
    return json_answer(_settings(set_call_settings(call.gateway, call.caller, parse_upn(upn), change)))


@api_route(blueprint, "GET", "/v1/users/{upn}/message-waiting", READERS)
def get_message_waiting(call: ApiCall, upn: str) -> Response:
    """How many messages wait for a user."""
    return json_answer(show_messages(call.gateway, call.caller, parse_upn(upn)))


@api_route(blueprint, "PUT", "/v1/users/{upn}/message-waiting", ADMINS)
def put_message_waiting(call: ApiCall, upn: str) -> Response:
    """Told by the voicemail system; the lamps of the user's phones follow."""
    return json_answer(set_messages(call.gateway, call.caller, parse_upn(upn), parse_body(Messages, call.http)))


def _settings(settings: CallSettings) -> dict[str, Any]:
    """Without busy_on_busy, which is the calling policy's."""
    return {
        "do_not_disturb": settings.do_not_disturb,
        "forward_to": settings.forward_to or None,
        "forward_on_timeout_to": settings.forward_on_timeout_to or None,
        "also_ring": settings.also_ring or None,
        "ring_seconds": settings.ring_seconds,
    }
