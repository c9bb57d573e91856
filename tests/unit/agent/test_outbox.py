"""The outbox: ordered, bounded, and still there after the process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.edge import EdgeEvent, EventType
from sip_edge.agent.outbox import Outbox

REPOSITORY = Path(__file__).resolve().parents[3]


def event(number: int, kind: EventType = EventType.REGISTERED, username: str = "") -> EdgeEvent:
    moment = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
    return EdgeEvent(id=f"e{number}", type=kind, at=moment, username=username or f"u{number}", user_agent='Größe "x"')


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "outbox.db")


@pytest.fixture
def outbox(path: str) -> Iterator[Outbox]:
    opened = Outbox(path, limit=20)
    yield opened
    opened.close()


def test_events_come_out_as_they_went_in(outbox: Outbox) -> None:
    events = tuple(event(number) for number in range(5))
    outbox.add(events)

    assert events[:3] == outbox.oldest(3)
    assert events == outbox.oldest(100)


def test_only_accepted_events_go(outbox: Outbox) -> None:
    outbox.add([event(1), event(2), event(3)])
    dropped = outbox.drop(["e2", "unknown"])

    assert (1, 2, (event(1), event(3))) == (dropped, len(outbox), outbox.oldest(100))


def test_a_full_outbox_gives_up_refreshes_first_and_counts_them(outbox: Outbox) -> None:
    outbox.add([event(number, EventType.UNREGISTERED) for number in range(10)])
    outbox.add([event(number) for number in range(10, 21)])

    kept = outbox.oldest(100)
    assert (18, 18, 3) == (len(outbox), len(kept), outbox.shed_count)
    assert [f"e{number}" for number in [*range(10), *range(13, 21)]] == [item.id for item in kept]


def test_a_new_life_of_kamailio_is_noted_once(outbox: Outbox, path: str) -> None:
    started = event(1, EventType.EDGE_STARTED)
    outbox.add([event(0)])
    noted = [outbox.note_start("life 1", started), outbox.note_start("life 1", event(2, EventType.EDGE_STARTED))]
    reopened = Outbox(path)
    noted_again = reopened.note_start("life 1", event(3, EventType.EDGE_STARTED))
    reopened.close()

    assert ([True, False], False, (event(0), started)) == (noted, noted_again, outbox.oldest(100))


def test_a_killed_process_leaves_everything_that_it_had_added(path: str) -> None:
    program = (
        "import sys, time; from tests.unit.agent.test_outbox import Outbox, event\n"
        "outbox = Outbox(sys.argv[1]); outbox.add([event(1), event(2)]); print('added', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, path], cwd=REPOSITORY, stdout=subprocess.PIPE)  # noqa: S603 - our own program
    with process:
        assert process.stdout is not None
        assert b"added\n" == process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    outbox = Outbox(path)
    left = outbox.oldest(100)
    outbox.close()

    assert (event(1), event(2)) == left


@given(st.lists(st.one_of(st.integers(min_value=1, max_value=4), st.none()), max_size=30))
def test_the_outbox_is_a_queue(steps: list[int | None]) -> None:
    """Numbers add so many events, None delivers up to three."""
    outbox, expected, number = Outbox(":memory:"), [], 0
    for step in steps:
        if step is None:
            outbox.drop([item.id for item in outbox.oldest(3)])
            expected = expected[3:]
        else:
            new = [event(number + offset) for offset in range(step)]
            number += step
            outbox.add(new)
            expected += new
        assert (tuple(expected), len(expected)) == (outbox.oldest(1000), len(outbox))
    outbox.close()
