"""The app's schedules (`@app.schedule`) run inside the HTTP front, as EventBridge runs them in the cloud.

A schedule first runs shortly after the start (a gateway that is restarted every day still syncs), then at its rate, and never
beside itself. `cron(…)` expressions are not understood here: none of ours needs one.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalice.app import Chalice, ScheduledEventConfig, ScheduleExpression

from local.gateway_events import LambdaContext

LATEST_FIRST_RUN_SECONDS = 30.0
FIRST_RUN_SHARE = 1 / 100  # of its interval: what runs every five minutes first runs after three seconds
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")  # such as rate(1 hour), rate(5 minutes)


class BadSchedule(ValueError):
    """A schedule expression that is not `rate(…)`."""


@dataclass(frozen=True)
class Schedule:
    """One function and how often it runs."""

    name: str
    interval_seconds: float
    function: Callable[[dict[str, Any], LambdaContext], Any]


def parse_rate(expression: str | ScheduleExpression) -> int:
    """The seconds of `rate(1 hour)`. Raises BadSchedule."""
    text = expression if isinstance(expression, str) else expression.to_string()
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise BadSchedule(f"{text!r} must be rate(N minutes), rate(N hours) or rate(N days)")
    return int(match[1]) * _SECONDS[match[2]]


def find_schedules(app: Chalice, interval_seconds: float | None = None) -> Iterator[Schedule]:
    """Every schedule of the app, at its own rate or at the one given."""
    for source in app.event_sources:
        if isinstance(source, ScheduledEventConfig):
            seconds = interval_seconds or parse_rate(source.schedule_expression)
            yield Schedule(source.name, seconds, app.handler_map[source.name])


def schedule_event(name: str) -> dict[str, Any]:
    """The event of an EventBridge rule."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "local",
        "resources": [f"arn:aws:events:local:000000000000:rule/{name}"],
        "detail": {},
    }


async def run_schedule(schedule: Schedule, pool: Executor, log_event: Callable[..., None]) -> None:
    """Runs one schedule for ever. A failing run is logged and the next one comes at its time."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(min(schedule.interval_seconds * FIRST_RUN_SHARE, LATEST_FIRST_RUN_SECONDS))
    while True:
        started = time.monotonic()
        event = schedule_event(schedule.name)
        context = LambdaContext(schedule.name, event["id"])
        try:
            await loop.run_in_executor(pool, schedule.function, event, context)
        except Exception as error:  # noqa: BLE001 - the outermost loop of a schedule: one bad run must not end it
            log_event("schedule_failed", level="ERROR", schedule=schedule.name, error=repr(error))
        else:
            log_event("schedule_ran", schedule=schedule.name, ms=round((time.monotonic() - started) * 1000))
        await asyncio.sleep(max(0.0, schedule.interval_seconds - (time.monotonic() - started)))
