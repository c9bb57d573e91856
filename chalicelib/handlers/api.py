"""How every `/v1` handler runs: who calls, may they, call, render; errors become problem documents."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.domain.errors import BadRequest, GatewayError, NotAuthenticated, RoleMissing
from chalicelib.handlers.answers import problem_answer
from chalicelib.handlers.changes import ApiCall, Route, View, serve_route
from chalicelib.handlers.requests import HttpCall, read_call
from chalicelib.observability import log
from chalicelib.wiring import gateway

ANY_TENANT = "*"


class Role(StrEnum):
    """Entra app roles of the API."""

    ADMIN = "Gateway.Admin"
    TECHNICIAN = "Gateway.Technician"
    READER = "Gateway.Reader"


ADMINS = frozenset({Role.ADMIN})
TECHNICIANS = frozenset({Role.ADMIN, Role.TECHNICIAN})
READERS = frozenset(Role)
AUDITORS = frozenset({Role.ADMIN, Role.READER})


def api_route(blueprint: Blueprint, method: str, path: str, roles: frozenset[Role]) -> Callable[[View], View]:
    """Registers `view(call, **path_parameters)` for callers that hold one of `roles`."""

    def register(view: View) -> View:
        def handler(**parameters: str) -> Response:
            route = Route(method, path, parameters)
            return run_api(blueprint, lambda http: serve_route(route, _authorised(http, roles), view))

        handler.__name__ = view.__name__
        handler.__doc__ = view.__doc__
        blueprint.route(path, methods=[method], content_types=["*/*"], name=view.__name__)(handler)
        view.api_roles = roles  # type: ignore[attr-defined]  # read by the tests that walk the routes
        return view

    return register


def run_api(blueprint: Blueprint, action: Callable[[HttpCall], Response]) -> Response:
    """Runs one action and turns what it raises into a problem document."""
    http = read_call(blueprint.current_request)
    try:
        return action(http)
    except GatewayError as error:
        return problem_answer(error, http.request_id)
    except Exception:  # noqa: BLE001 - the outermost loop: a caller gets a problem document whatever happened
        log().exception("unexpected_error", extra={"request_id": http.request_id})
        return problem_answer(GatewayError("This is the gateway's fault. Tell its operator the request_id."), http.request_id)


def refuse_unknown(http: HttpCall, *known: str) -> None:
    """Raises BadRequest for a query parameter that the endpoint does not have."""
    unknown = sorted(set(http.query) - set(known))
    if unknown:
        raise BadRequest(f"There is no query parameter {unknown[0]!r} here. There are: {', '.join(known) or 'none'}.")


def _authorised(http: HttpCall, roles: frozenset[Role]) -> ApiCall:
    own = gateway()
    if not http.bearer:
        raise NotAuthenticated("Send Authorization: Bearer TOKEN; `./sipgw token` or `./sipgw login` gets one.")
    caller = own.token_check.check(http.bearer)
    allowed = [item.strip().lower() for item in own.settings.allowed_tenants.split(",")]
    if ANY_TENANT not in allowed and caller.tenant_id not in allowed:
        raise NotAuthenticated(
            "This region does not serve your organisation. Its operator lists tenants in SIPGW_ALLOWED_TENANTS."
        )
    if not caller.roles & roles:
        needed = " or ".join(sorted(roles))
        raise RoleMissing(f"This needs the app role {needed}. Ask an Entra administrator to assign it to you.")
    return ApiCall(own, caller, http)


def as_items(values: Any) -> dict[str, Any]:
    """A whole list in the form of a page."""
    return {"items": values, "next_cursor": None}
