"""`/edge/v1`: what the edges report and ask. One of the region's two edge credentials opens it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import TypeVar

from chalice.app import Blueprint, Response

from chalicelib.contracts import edge as contract
from chalicelib.contracts.codec import InvalidInput, from_json
from chalicelib.domain.errors import BadRequest, NotAuthenticated
from chalicelib.handlers.answers import json_answer
from chalicelib.handlers.api import run_api
from chalicelib.handlers.requests import HttpCall, parse_json
from chalicelib.usecases.dial_feature_code import dial_feature_code
from chalicelib.usecases.issue_credentials import issue_credentials
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.record_edge_events import record_edge_events
from chalicelib.usecases.route_call import route_call
from chalicelib.wiring import gateway

blueprint = Blueprint(__name__)
T = TypeVar("T")


@blueprint.route(contract.EVENTS_PATH, methods=["POST"], content_types=["*/*"])
def post_events() -> Response:
    """A batch of events; the receipt, with the commands that wait for this edge."""

    def act(own: Gateway, http: HttpCall) -> Response:
        batch = _read(contract.EventBatch, http)
        if len(batch.events) > contract.MAX_EVENTS_PER_BATCH:
            raise BadRequest(f"A batch holds at most {contract.MAX_EVENTS_PER_BATCH} events.")
        return json_answer(record_edge_events(own, batch))

    return _run(act)


@blueprint.route(contract.CREDENTIALS_PATH, methods=["POST"], content_types=["*/*"])
def post_credentials() -> Response:
    """HA1, address of record and rights of one digest user, or 404."""
    return _run(lambda own, http: json_answer(issue_credentials(own, _read(contract.CredentialsRequest, http).username)))


@blueprint.route(contract.FEATURE_CODES_PATH, methods=["POST"], content_types=["*/*"])
def post_feature_code() -> Response:
    """The verdict on a dialled feature code."""
    return _run(lambda own, http: json_answer(dial_feature_code(own, _read(contract.FeatureCodeRequest, http))))


@blueprint.route(contract.ROUTE_PATH, methods=["POST"], content_types=["*/*"])
def post_route() -> Response:
    """Where a call goes."""
    return _run(lambda own, http: json_answer(route_call(own, _read(contract.RouteRequest, http))))


def _run(act: Callable[[Gateway, HttpCall], Response]) -> Response:
    def authorised(http: HttpCall) -> Response:
        own = gateway()
        given = http.bearer.encode()
        matches = [hmac.compare_digest(given, valid.reveal().encode()) for valid in own.edge_credentials]
        if not any(matches):
            raise NotAuthenticated("This is not an edge credential of this region.")
        return act(own, http)

    return run_api(blueprint, authorised)


def _read(kind: type[T], http: HttpCall) -> T:
    """Edges may be a release ahead: unknown fields are skipped."""
    try:
        return from_json(kind, parse_json(http))
    except InvalidInput as wrong:
        raise BadRequest("Some fields cannot be used.", wrong.problems) from None
