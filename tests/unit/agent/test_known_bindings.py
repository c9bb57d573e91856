"""Only the report of a binding that is as it was may wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.contracts.edge import EdgeEvent, EventType
from sip_edge.agent.known_bindings import KnownBindings

REGISTERED = EdgeEvent(
    id="e1", type=EventType.REGISTERED, at=datetime(2026, 11, 22, tzinfo=UTC), username="i.1", aor="a", contact="c", source="s"
)


@pytest.fixture
def known() -> KnownBindings:
    known = KnownBindings()
    known.note(REGISTERED)
    return known


def test_a_first_report_is_news() -> None:
    assert KnownBindings().note(REGISTERED)


def test_the_same_binding_again_is_no_news(known: KnownBindings) -> None:
    assert not known.note(replace(REGISTERED, id="e2", expires_seconds=60))


@pytest.mark.parametrize("changed", [{"contact": "d"}, {"source": "t"}, {"aor": "b"}, {"username": "i.2"}], ids=str)
def test_a_changed_binding_is_news(known: KnownBindings, changed: dict[str, str]) -> None:
    assert known.note(replace(REGISTERED, id="e2", **changed))


@pytest.mark.parametrize("kind", [kind for kind in EventType if kind is not EventType.REGISTERED])
def test_whatever_else_happens_is_news(known: KnownBindings, kind: EventType) -> None:
    assert known.note(replace(REGISTERED, id="e2", type=kind))


def test_a_binding_that_returns_is_news(known: KnownBindings) -> None:
    known.note(replace(REGISTERED, id="e2", type=EventType.UNREGISTERED))

    assert known.note(replace(REGISTERED, id="e3"))


def test_after_a_new_start_every_binding_is_news(known: KnownBindings) -> None:
    known.clear()

    assert known.note(REGISTERED)
