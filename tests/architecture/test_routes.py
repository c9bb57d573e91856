"""Routes that API Gateway (REST) can deploy. `chalice.test` and the local front are more tolerant than it is."""

from __future__ import annotations

import re
from collections import defaultdict

from app import app

SEGMENT = re.compile(r"[A-Za-z0-9._-]+|\{[A-Za-z0-9]+\}")


def test_a_path_level_has_one_variable_name() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html: siblings share one name."""
    names: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for route in app.routes:
        segments = route.split("/")[1:]
        for index, segment in enumerate(segments):
            if segment.startswith("{"):
                names[tuple(segments[:index])].add(segment)

    assert {} == {prefix: found for prefix, found in names.items() if len(found) > 1}


def test_a_segment_is_a_word_or_a_variable_as_a_whole() -> None:
    segments = {segment for route in app.routes if route != "/" for segment in route.split("/")[1:]}

    assert set() == {segment for segment in segments if not SEGMENT.fullmatch(segment)}


def test_a_route_names_each_variable_once() -> None:
    variables = {route: re.findall(r"\{(\w+)\}", route) for route in app.routes}

    assert {} == {route: names for route, names in variables.items() if len(names) != len(set(names))}


def test_no_route_ends_with_a_slash() -> None:
    assert [] == [route for route in app.routes if route != "/" and route.endswith("/")]


def test_every_route_takes_any_content_type() -> None:
    """A wrong Content-Type would be Chalice's own 415, that is no problem document."""
    entries = [(route, entry) for route, methods in app.routes.items() for entry in methods.values()]

    assert [] == [route for route, entry in entries if entry.content_types != ["*/*"]]


def test_no_route_is_open_to_other_origins() -> None:
    assert [] == [route for route, methods in app.routes.items() for entry in methods.values() if entry.cors]


def test_functions_other_than_the_api_are_the_schedules_and_the_work() -> None:
    assert ["run_part", "sync_policy", "sweep_devices", "remove_expired", "resume_jobs"] == [
        handler.handler_name for handler in app.pure_lambda_functions
    ] + [source.name for source in app.event_sources]
