"""Only the report of a binding that is as it was tells nothing new; what fell silent has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.contracts.edge import EdgeEvent, EventType
from sip_edge.agent.known_bindings import KnownBindings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMIT = timedelta(minutes=20)
REGISTERED = EdgeEvent(id="e1", type=EventType.REGISTERED, at=NOON, username="i.1", aor="a", contact="c", source="s")


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def known() -> KnownBindings:
    known = KnownBindings("edge-1")
    known.begin(NOON)
    known.note(REGISTERED)
    return known


def test_a_first_report_is_news() -> None:
    assert not KnownBindings("edge-1").note(REGISTERED).refreshed


def test_the_same_binding_again_is_no_news(known: KnownBindings) -> None:
    again = replace(REGISTERED, id="e2", expires_seconds=60)

    assert replace(again, refreshed=True) == known.note(again)


@pytest.mark.parametrize("changed", [{"contact": "d"}, {"source": "t"}, {"aor": "b"}, {"username": "i.2"}], ids=str)
def test_a_changed_binding_is_news(known: KnownBindings, changed: dict[str, str]) -> None:
    assert not known.note(replace(REGISTERED, id="e2", **changed)).refreshed


@pytest.mark.parametrize("kind", [kind for kind in EventType if kind is not EventType.REGISTERED])
def test_whatever_else_happens_is_news(known: KnownBindings, kind: EventType) -> None:
    assert not known.note(replace(REGISTERED, id="e2", type=kind)).refreshed


def test_a_binding_that_returns_is_news(known: KnownBindings) -> None:
    known.note(replace(REGISTERED, id="e2", type=EventType.UNREGISTERED))

    assert not known.note(replace(REGISTERED, id="e3")).refreshed


def test_in_a_new_watch_every_binding_is_news(known: KnownBindings) -> None:
    known.begin(after(1))

    assert after(1) == known.watched_since
    assert not known.note(REGISTERED).refreshed


def test_without_a_link_nobody_watches(known: KnownBindings) -> None:
    known.end()

    assert known.watched_since is None
    assert not known.note(REGISTERED).refreshed


def test_an_event_that_is_given_up_begins_a_new_watch(known: KnownBindings) -> None:
    known.lose_event(after(1))

    assert after(1) == known.watched_since
    assert not known.note(REGISTERED).refreshed


def test_an_event_that_is_given_up_without_a_link_begins_none(known: KnownBindings) -> None:
    known.end()
    known.lose_event(after(1))

    assert known.watched_since is None


# --- silence -----------------------------------------------------------------------------------------------------------


def test_a_binding_that_no_report_follows_falls_silent(known: KnownBindings) -> None:
    assert ([], [REGISTERED]) == (known.silent(after(20), LIMIT), known.silent(after(20.1), LIMIT))


def test_a_binding_that_is_reported_in_time_is_not_silent(known: KnownBindings) -> None:
    known.note(replace(REGISTERED, id="e2", username="i.2", at=after(1)))
    known.note(replace(REGISTERED, id="e3", at=after(15)))

    assert ["i.2"] == [event.username for event in known.silent(after(30), LIMIT)]


def test_a_binding_that_ended_is_not_silent(known: KnownBindings) -> None:
    known.note(replace(REGISTERED, id="e2", type=EventType.UNREGISTERED, at=after(1)))

    assert [] == known.silent(after(60), LIMIT)


def test_the_end_of_a_silent_binding_is_reported_once(known: KnownBindings) -> None:
    for event in known.silent(after(21), LIMIT):
        known.note(replace(event, type=EventType.UNREGISTERED))

    assert [] == known.silent(after(60), LIMIT)
