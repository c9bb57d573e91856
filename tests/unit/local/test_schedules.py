"""Schedules read from a Chalice app."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice import Blueprint, Chalice, Rate

from local.gateway_events import LambdaContext
from local.schedules import BadSchedule, Schedule, find_schedules, parse_rate, run_schedule, schedule_event


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(15 minutes)", 900), ("rate(1 hour)", 3600), (Rate(2, unit=Rate.DAYS), 172_800)],
)
def test_a_rate_is_read(expression: str | Rate, seconds: int) -> None:
    assert seconds == parse_rate(expression)


@pytest.mark.parametrize("expression", ["cron(0 * * * ? *)", "rate(0 minutes)", "rate(1 week)", ""])
def test_anything_else_is_refused(expression: str) -> None:
    with pytest.raises(BadSchedule):
        parse_rate(expression)


def app_with_schedule(heard: list[dict[str, Any]]) -> Chalice:
    blueprint = Blueprint(__name__)

    @blueprint.schedule(Rate(1, unit=Rate.HOURS))
    def sync(event: Any) -> None:
        heard.append(event.to_dict())

    app = Chalice(app_name="scheduled")
    app.register_blueprint(blueprint, name_prefix="jobs_")
    return app


def test_a_blueprints_schedule_is_found_and_can_be_run() -> None:
    heard: list[dict[str, Any]] = []
    (schedule,) = find_schedules(app_with_schedule(heard))
    assert ("jobs_sync", 3600) == (schedule.name, schedule.interval_seconds)
    schedule.function(schedule_event(schedule.name), LambdaContext(schedule.name, "r-1"))
    assert ["aws.events"] == [event["source"] for event in heard]


def test_the_interval_can_be_overridden() -> None:
    (schedule,) = find_schedules(app_with_schedule([]), 0.5)
    assert 0.5 == schedule.interval_seconds


def test_a_failing_run_does_not_end_the_schedule() -> None:
    runs: list[str] = []
    logged: list[str] = []

    def fail_once(event: dict[str, Any], _: LambdaContext) -> None:
        runs.append(event["id"])
        if len(runs) == 1:
            raise RuntimeError

    async def run_a_while() -> None:
        with ThreadPoolExecutor(1) as pool:
            schedule = Schedule("sync", 0.01, fail_once)
            task = asyncio.create_task(run_schedule(schedule, pool, lambda name, **_: logged.append(name)))
            while len(logged) < 3:  # noqa: ASYNC110 - a log sets no event
                await asyncio.sleep(0.01)
            task.cancel()

    asyncio.run(run_a_while())
    assert ["schedule_failed", "schedule_ran"] == logged[:2]
