"""Answers as Chalice sends them. Nothing that the gateway answers is kept by a cache."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chalice.app import Response

from chalicelib.contracts.codec import to_json
from chalicelib.domain.errors import GatewayError, NotNow
from chalicelib.handlers.problems import problem_of, status_of
from chalicelib.handlers.shapes import List
from chalicelib.usecases.ports import Page

Headers = dict[str, str | list[str]]

NO_STORE: Headers = {"Cache-Control": "no-store"}
NOT_FOUND_BODY = "not found\n"


def plain_404() -> Response:
    """The one 404 of phones' paths: the same for a bad token, a foreign file, a stranger and a path that does not exist."""
    return Response(NOT_FOUND_BODY, status_code=404, headers={**NO_STORE, "Content-Type": "text/plain; charset=utf-8"})


def json_answer(value: Any, status: int = 200, **headers: str) -> Response:
    """Any value of the contracts as JSON."""
    text = json.dumps(to_json(value), ensure_ascii=False)
    return Response(text, status_code=status, headers={**NO_STORE, "Content-Type": "application/json", **headers})


def page_answer(page: Page, show: Callable[[Any], Any] | None = None) -> Response:
    """A page of records, each as `show` gives it; as they are without."""
    return json_answer(List(tuple(map(show, page.items)) if show else page.items, page.next_cursor))


def problem_answer(error: GatewayError, request_id: str) -> Response:
    """An error as `application/problem+json`."""
    headers: Headers = {**NO_STORE, "Content-Type": "application/problem+json"}
    status = status_of(error)
    if isinstance(error, NotNow):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if status == 401:  # noqa: PLR2004 - RFC 9110 15.5.2: a challenge goes with it
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(problem_of(error, request_id), ensure_ascii=False), status_code=status, headers=headers)
