"""How events are delivered, and what is given up when there is no room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.edge import EventType
from sip_edge.agent.core.delivery import (
    Delivery,
    Stored,
    choose_shed,
    note_accepted,
    note_away,
    note_refused,
    pause_seconds,
)

R, U = EventType.REGISTERED, EventType.UNREGISTERED
EVENTS = st.lists(st.tuples(st.sampled_from(EventType), st.sampled_from("abc"))).map(
    lambda drawn: [Stored(number, kind, name) for number, (kind, name) in enumerate(drawn)]
)


@given(st.integers(min_value=0, max_value=10_000), st.floats(min_value=0, max_value=1))
def test_a_pause_is_between_half_a_second_and_thirty(failures: int, jitter: float) -> None:
    assert 0.5 <= pause_seconds(failures, jitter=jitter) <= 30


def test_pauses_double() -> None:
    assert [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] == [pause_seconds(failures, jitter=1) for failures in range(8)]


def test_a_refused_batch_is_halved_until_it_is_one_event() -> None:
    delivery = Delivery()
    limits = []
    for _ in range(8):
        delivery = note_refused(delivery, delivery.batch_limit)
        limits.append(delivery.batch_limit)

    assert [50, 25, 12, 6, 3, 1, 1, 1] == limits


def test_success_ends_the_failures_and_lets_batches_grow() -> None:
    assert Delivery(0, 6) == note_accepted(note_away(Delivery(3, 3)))
    assert Delivery(0, 100) == note_accepted(Delivery(0, 100))


def test_superseded_refreshes_go_first_then_refreshes_then_the_oldest() -> None:
    waiting = [Stored(1, U, "a"), Stored(2, R, "a"), Stored(3, R, "b"), Stored(4, R, "a"), Stored(5, U, "c")]

    assert (2, 3, 4, 1, 5) == choose_shed(waiting, 5)


@given(EVENTS, st.integers(min_value=0, max_value=20))
def test_shedding_gives_up_exactly_as_many_as_asked(waiting: list[Stored], count: int) -> None:
    shed = choose_shed(waiting, count)

    assert min(count, len(waiting)) == len(set(shed)) == len(shed)


@given(EVENTS, st.integers(min_value=0, max_value=20))
def test_nothing_else_goes_while_a_refresh_is_left(waiting: list[Stored], count: int) -> None:
    shed = set(choose_shed(waiting, count))
    left = [event for event in waiting if event.sequence not in shed]

    assert not any(event.type is R for event in left) or all(event.type is R for event in waiting if event.sequence in shed)
