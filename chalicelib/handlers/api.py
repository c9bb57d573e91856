"""How every `/v1` handler runs: who calls, may they, call, render; errors become problem documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from enum import StrEnum
from typing import cast

from chalice.app import Blueprint, Chalice, Request, Response

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import (
    BadRequest,
    GatewayError,
    MethodNotAllowed,
    NotAuthenticated,
    RoleMissing,
    UnsupportedMediaType,
)
from chalicelib.handlers.answers import problem_answer
from chalicelib.handlers.changes import ApiCall, Route, View, serve_route
from chalicelib.handlers.contract import JSON, UNSAID, Contract
from chalicelib.handlers.requests import HttpCall, read_call
from chalicelib.observability import log
from chalicelib.wiring import gateway

ANY_TENANT = "*"
API_GATEWAY_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # it lets no others through


class Role(StrEnum):
    """Entra app roles of the API."""

    ADMIN = "Gateway.Admin"
    TECHNICIAN = "Gateway.Technician"
    READER = "Gateway.Reader"


ADMINS = frozenset({Role.ADMIN})
TECHNICIANS = frozenset({Role.ADMIN, Role.TECHNICIAN})
READERS = frozenset(Role)
AUDITORS = frozenset({Role.ADMIN, Role.READER})


@dataclass(frozen=True)
class DeclaredRoute:
    """One method of one path of `/v1`. Without roles it needs no token. `name` and `summary` are the view's."""

    method: str
    path: str
    roles: frozenset[Role]
    contract: Contract
    name: str
    summary: str


ROUTES: list[DeclaredRoute] = []


def api_route(
    blueprint: Blueprint, method: str, path: str, roles: frozenset[Role], contract: Contract | None = None
) -> Callable[[View], View]:
    """Registers `view(call, **path_parameters)` for callers that hold one of `roles`."""
    declared = contract or Contract()

    def register(view: View) -> View:
        def handler(**parameters: str) -> Response:
            def action(http: HttpCall) -> Response:
                call = _authorised(http, roles)
                _check_request(http, declared)
                return serve_route(Route(method, path, parameters), call, view)

            return run_api(blueprint, action)

        _register(blueprint, DeclaredRoute(method, path, roles, declared, view.__name__, view.__doc__ or ""), handler)
        return view

    return register


def public_route(blueprint: Blueprint, path: str, contract: Contract) -> Callable[[View], View]:
    """Registers `view()` for everybody, with GET."""

    def register(view: View) -> View:
        def handler() -> Response:
            def action(http: HttpCall) -> Response:
                _check_request(http, contract)
                return view()

            return run_api(blueprint, action)

        _register(blueprint, DeclaredRoute("GET", path, frozenset(), contract, view.__name__, view.__doc__ or ""), handler)
        return view

    return register


def refuse_other_methods(app: Chalice) -> None:
    """A path of `/v1` answers 405 and `Allow` to the methods that it lacks. Call it when all routes are registered."""
    for path in sorted({route.path for route in ROUTES}):
        allowed = [method for method in API_GATEWAY_METHODS if method in app.routes[path]]
        others = [method for method in API_GATEWAY_METHODS if method not in allowed]
        app.route(path, methods=others, content_types=["*/*"], name="refuse_method")(_refusal(app, ", ".join(allowed)))


def run_api(blueprint: Blueprint | Chalice, action: Callable[[HttpCall], Response]) -> Response:
    """Runs one action and turns what it raises into a problem document."""
    http = read_call(cast("Request", blueprint.current_request))  # inside a request there is one
    try:
        return action(http)
    except GatewayError as error:
        return problem_answer(error, http.request_id)
    except Exception:  # noqa: BLE001 - the outermost loop: a caller gets a problem document whatever happened
        log().exception("unexpected_error", extra={"request_id": http.request_id})
        return problem_answer(GatewayError("This is the gateway's fault. Tell its operator the request_id."), http.request_id)


def _register(blueprint: Blueprint, route: DeclaredRoute, handler: Callable[..., Response]) -> None:
    ROUTES.append(route)
    handler.__name__, handler.__doc__ = route.name, route.summary
    blueprint.route(route.path, methods=[route.method], content_types=["*/*"], name=route.name)(handler)


def _refusal(app: Chalice, allowed: str) -> Callable[..., Response]:
    def refuse_method(**_: str) -> Response:
        def action(http: HttpCall) -> Response:
            error = MethodNotAllowed(f"There is no {http.method} here. There are: {allowed}.")
            answer = problem_answer(error, http.request_id)
            answer.headers["Allow"] = allowed
            return answer

        return run_api(app, action)

    return refuse_method


def _check_request(http: HttpCall, contract: Contract) -> None:
    """Raises BadRequest for a query parameter that the route does not have, UnsupportedMediaType for a body it cannot read."""
    known = sorted({item.name for kind in contract.queries for item in fields(kind)})
    unknown = sorted(set(http.query) - set(known))
    if unknown:
        raise BadRequest(f"There is no query parameter {unknown[0]!r} here. There are: {', '.join(known) or 'none'}.")
    sent = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    taken = {body.media_type for body in contract.bodies}
    if taken and http.body and sent not in UNSAID | taken and not (JSON in taken and sent.endswith("+json")):
        raise UnsupportedMediaType(f"A body of {sent} is not read here. Send {' or '.join(sorted(taken))}.")


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
    return ApiCall(own, replace(caller, address=http.address), http)
