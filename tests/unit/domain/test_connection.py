"""Whether a device is online, and when it was there last: domain/connection.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.connection import connection_of, last_seen_at
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.edge import MOST_WATCHES, Edge, Watch, watched
from tests.unit.domain.samples import NOW, a_binding, a_device, after

DEVICE = a_device(last_seen_at=NOW, binding=a_binding())  # its registration was written down at NOW
MINUTES = st.floats(-60, 60)


def an_edge(*watches: tuple[float, float], started: float | None = None) -> Edge:
    """The device's edge, which watched and started at so many minutes after NOW."""
    return Edge(
        a_binding().edge_id,
        started_at=None if started is None else after(minutes=started),
        watches=tuple(Watch(after(minutes=since), after(minutes=until)) for since, until in watches),
    )


def test_a_device_that_was_never_seen_never_connected() -> None:
    assert connection_of(a_device(), an_edge((-5, 5)), NOW) is Connection.NEVER


def test_no_device_never_connected() -> None:
    assert connection_of(None, None, NOW) is Connection.NEVER


def test_a_device_without_a_registration_is_offline() -> None:
    assert connection_of(a_device(last_seen_at=NOW), an_edge((-5, 5)), NOW) is Connection.OFFLINE


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, "online"), (20, "online"), (21, "online"), (21.01, "offline"), (600, "offline")]
)
def test_a_device_of_an_edge_that_does_not_watch_is_offline_after_21_silent_minutes(minutes: float, expected: str) -> None:
    assert expected == connection_of(DEVICE, None, after(minutes=minutes))
    assert expected == connection_of(DEVICE, an_edge(), after(minutes=minutes))


def test_a_device_is_online_for_as_long_as_its_edge_watches_it() -> None:
    edge = an_edge((-5, 300))

    assert connection_of(DEVICE, edge, after(minutes=300)) is Connection.ONLINE


@pytest.mark.parametrize(("minutes", "expected"), [(310, "online"), (310.01, "offline")])
def test_a_device_is_offline_ten_minutes_after_its_edge_fell_silent(minutes: float, expected: str) -> None:
    assert expected == connection_of(DEVICE, an_edge((-5, 300)), after(minutes=minutes))


def test_an_edge_says_nothing_of_what_was_reported_before_it_watched() -> None:
    assert connection_of(DEVICE, an_edge((1, 30)), after(minutes=30)) is Connection.OFFLINE


@pytest.mark.parametrize(("minutes", "expected"), [(110, "online"), (110.01, "offline")])
def test_after_a_new_watch_a_device_has_ten_minutes_to_be_reported_again(minutes: float, expected: str) -> None:
    assert expected == connection_of(DEVICE, an_edge((-5, 100), (100, 300)), after(minutes=minutes))


@pytest.mark.parametrize(("minutes", "expected"), [(-5, "online"), (0, "online"), (0.01, "offline")])
def test_a_registration_ends_with_the_start_of_its_edge(minutes: float, expected: str) -> None:
    assert expected == connection_of(DEVICE, an_edge((-5, 1), started=minutes), after(minutes=1))


@given(MINUTES, st.lists(st.tuples(MINUTES, MINUTES), max_size=3), st.floats(0, 60))
def test_a_device_that_went_offline_stays_so_without_a_report(
    started: float, watches: list[tuple[float, float]], silent: float
) -> None:
    edge, then = an_edge(*watches, started=started), after(minutes=silent)
    first = connection_of(DEVICE, edge, then)
    later = connection_of(DEVICE, edge, then + timedelta(minutes=1))

    assert (first, later) != (Connection.OFFLINE, Connection.ONLINE)


@given(st.floats(-60, 0), st.floats(0, 300), st.floats(0, 30))
def test_no_device_is_online_for_longer_than_the_rule_without_a_watch_would_let_it(
    since: float, killed: float, silent: float
) -> None:
    """The phone left just when the edge did, up to a registration of five minutes before its last word."""
    edge = an_edge((since, killed))
    left = max(0.0, killed - 5)
    reported = replace(DEVICE, binding=a_binding(seen_at=after(minutes=left)))  # as if every report were written down
    now = after(minutes=killed + silent)

    if connection_of(DEVICE, edge, now) is Connection.ONLINE:
        assert connection_of(reported, None, now) is Connection.ONLINE


# --- last seen ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "edge", "minutes"),
    [
        (DEVICE, None, 0),
        (DEVICE, an_edge((-5, 300)), 300),
        (DEVICE, an_edge((-5, 100), (100, 300)), 100),
        (DEVICE, an_edge((1, 300)), 0),
        (DEVICE, an_edge((-5, -1)), 0),
        (DEVICE, an_edge((-5, 100), (101, 300), started=101), 100),
        (replace(DEVICE, binding=None, last_seen_at=after(minutes=7)), an_edge((-5, 300)), 7),
    ],
    ids=["no edge", "watched", "watched before", "not watched yet", "noted late", "edge started anew", "ended"],
)
def test_a_device_was_seen_last_when_its_edge_had_it(device: Device, edge: Edge | None, minutes: float) -> None:
    assert after(minutes=minutes) == last_seen_at(device, edge)


def test_a_device_that_never_connected_was_never_seen() -> None:
    assert last_seen_at(a_device(), an_edge((-5, 300))) is None


# --- what an edge says of its watch ------------------------------------------------------------------------------------


def ends(edge: Edge) -> list[tuple[float, float]]:
    return [((watch.since - NOW) / timedelta(minutes=1), (watch.until - NOW) / timedelta(minutes=1)) for watch in edge.watches]


@pytest.mark.parametrize(
    ("before", "since", "until", "expected"),
    [
        ([], 0, 0, [(0, 0)]),
        ([(0, 5)], 0, 6, [(0, 6)]),
        ([(0, 5)], 0, 5.9, [(0, 5)]),
        ([(0, 5)], 0, 3, [(0, 5)]),
        ([(0, 5)], 6, 6.1, [(0, 5), (6, 6.1)]),
        ([(0, 5), (6, 7)], 0, 9, [(0, 5), (6, 7)]),
    ],
    ids=["first", "goes on", "within a minute", "late", "new", "of a life before"],
)
def test_the_newest_watch_goes_on(
    before: list[tuple[float, float]], since: float, until: float, expected: list[tuple[float, float]]
) -> None:
    edge = watched(an_edge(*before), after(minutes=since), after(minutes=until))

    assert expected == [(pytest.approx(start), pytest.approx(end)) for start, end in ends(edge)]


def test_the_last_watches_are_remembered() -> None:
    edge = an_edge()
    for number in range(20):
        edge = watched(edge, after(minutes=number), after(minutes=number))

    assert [20.0 - count for count in range(MOST_WATCHES, 0, -1)] == [since for since, _ in ends(edge)]
