"""What every `/v1` call that changes something has around it: an Idempotency-Key before, a line of the audit after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Response

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import find_hardware_id
from chalicelib.handlers.answers import NO_STORE, Headers
from chalicelib.handlers.requests import HttpCall
from chalicelib.usecases.answer_once import GivenAnswer, KeyedRequest, begin_once, finish_once, give_up_once
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.usecases.record_audit import ApiChange, record_audit

KEY_HEADER = "idempotency-key"
REPLAYED_HEADER = "Idempotency-Replayed"
_KEPT_HEADERS = ("Content-Type", "Location")


@dataclass(frozen=True)
class ApiCall:
    """What a `/v1` handler works with."""

    gateway: Gateway
    caller: Caller
    http: HttpCall


@dataclass(frozen=True)
class Route:
    """A route as one call met it: `path` is the template, `parameters` what stands for its variables."""

    method: str
    path: str
    parameters: Mapping[str, str]

    @property
    def place(self) -> str:
        """The path itself, each name in its one spelling."""
        return self.path.format(**{name: _one_spelling(name, text) for name, text in self.parameters.items()})

    @property
    def target(self) -> str:
        """What the path names; empty where it names nothing."""
        return " ".join(_one_spelling(name, text) for name, text in self.parameters.items())


View = Callable[..., Response]


class ShownOnce(Response):
    """An answer with a secret that is shown once: it is never kept."""


def shown_once(answer: Response) -> Response:
    """The same answer, never kept."""
    return ShownOnce(answer.body, headers=answer.headers, status_code=answer.status_code)


def serve_route(route: Route, call: ApiCall, view: View) -> Response:
    """Calls the view; a change is audited, and a POST with a key is carried out once."""
    if route.method == "GET":
        return view(call, **route.parameters)
    key = call.http.headers.get(KEY_HEADER)
    if route.method != "POST" or key is None:
        return _audited(route, call, view)
    request = KeyedRequest(key, route.place, call.http.body)
    kept, done = begin_once(call.gateway, call.caller, request)
    if done:
        headers: Headers = {**NO_STORE, **kept.headers, REPLAYED_HEADER: "true"}
        return Response(kept.body, status_code=kept.status, headers=headers)
    try:
        answer = _audited(route, call, view)
    except BaseException:
        give_up_once(call.gateway, kept)
        raise
    finish_once(call.gateway, kept, _given(answer))
    return answer


def _audited(route: Route, call: ApiCall, view: View) -> Response:
    """A view that refuses raises, so what comes back was done."""
    answer = view(call, **route.parameters)
    made = str(answer.headers.get("Location", "")).rpartition("/")[2]
    change = ApiChange(route.method, route.path, route.target or made, call.http.address, answer.status_code)
    record_audit(call.gateway, call.caller, change)
    return answer


def _given(answer: Response) -> GivenAnswer:
    headers: dict[str, Any] = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    return GivenAnswer(answer.status_code, str(answer.body), headers, secret=isinstance(answer, ShownOnce))


def _one_spelling(name: str, text: str) -> str:
    return (find_hardware_id(text) or text) if name == "mac" else text.lower() if name == "upn" else text
