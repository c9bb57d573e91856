"""The app's own table of routes, schedules and queues, as the infrastructure reads it: nothing is listed a second time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from chalice.app import Chalice, ScheduledEventConfig, SQSEventConfig

from app import app


@dataclass(frozen=True)
class Route:
    """One method of one path. `group` is the function that serves it."""

    path: str
    method: str
    group: str


@dataclass(frozen=True)
class ByClock:
    """A function that a schedule starts; `expression` is EventBridge's."""

    name: str
    handler: str
    expression: str


@dataclass(frozen=True)
class ByQueue:
    """A function that the region's work queue starts."""

    name: str
    handler: str
    batch_size: int


def group_of(path: str) -> str:
    """The function that serves a path: each has rights of its own, and none waits for another's callers."""
    first = path.split("/")[1]
    if first == "edge":
        return "edge"
    if first == "v1":
        return "admin"
    return "people" if first in {"", "pair", "auth"} else "phones"


def handler_of(group: str) -> str:
    """What Lambda starts for it, with the routes of that group alone (chalicelib/entries)."""
    return f"chalicelib.entries.{group}.app"


@cache
def routes() -> tuple[Route, ...]:
    """Every route of the app."""
    return tuple(
        Route(path, method, group_of(path)) for path, methods in sorted(app.routes.items()) for method in sorted(methods)
    )


def schedules() -> list[ByClock]:
    """Every `@schedule`."""
    return [
        ByClock(source.name, source.handler_string, _expression(source.schedule_expression))
        for source in _sources(app)
        if isinstance(source, ScheduledEventConfig)
    ]


def queue_readers() -> list[ByQueue]:
    """Every `@on_sqs_message`: each reads the work queue, whatever name it gives it here."""
    return [
        ByQueue(source.name, source.handler_string, source.batch_size)
        for source in _sources(app)
        if isinstance(source, SQSEventConfig)
    ]


def unknown_functions() -> list[str]:
    """What the app registers and the infrastructure does not know how to start."""
    known = (ScheduledEventConfig, SQSEventConfig)
    others = [source.name for source in _sources(app) if not isinstance(source, known)]
    return others + [function.name for function in app.pure_lambda_functions] + list(app.websocket_handlers)


def _sources(chalice: Chalice) -> Iterator[Any]:
    yield from chalice.event_sources


def _expression(expression: Any) -> str:
    return expression if isinstance(expression, str) else str(expression.to_string())
