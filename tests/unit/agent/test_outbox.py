"""The outbox: ordered, bounded, and still there after the process was killed."""

from __future__ import annotations

import os
import signal
import sqlite3
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


def test_a_file_that_is_no_database_is_put_aside(path: str) -> None:
    Path(path).write_bytes(b"no database, " * 1000)
    outbox = Outbox(path)
    outbox.add([event(1)])
    outbox.close()
    reopened = Outbox(path)
    left = reopened.oldest(100)
    reopened.close()

    assert ((event(1),), True) == (left, reopened.is_on_disk)
    assert Path(f"{path}.damaged").read_bytes().startswith(b"no database")


def test_a_folder_that_cannot_be_written_leaves_an_outbox_in_memory(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "no such folder" / "outbox.db"))
    outbox.add([event(1)])
    left = outbox.oldest(100)
    outbox.close()

    assert (False, (event(1),)) == (outbox.is_on_disk, left)


def test_a_full_disk_loses_nothing_while_the_process_lives(path: str) -> None:
    """The process may not write beyond 200 kB: to SQLite that is a disk that takes no more."""
    program = (
        "import resource, sys; from tests.unit.agent.test_outbox import EventType, Outbox, event\n"
        "outbox = Outbox(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "for number in range(3000): outbox.add([event(number)])\n"
        "outbox.drop(['e0']); noted = outbox.note_start('life 1', event(3000, EventType.EDGE_STARTED))\n"
        "ids = [item.id for item in outbox.oldest(5000)]\n"
        "print(outbox.is_on_disk, len(outbox), ids == [f'e{number}' for number in range(1, 3001)], noted)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S603 - our own program

    assert "False 3000 True True\n" == done.stdout
    assert 1 == done.stderr.count('"outbox_in_memory"')


def test_events_of_a_later_release_are_left_out_after_a_step_back(outbox: Outbox, path: str) -> None:
    outbox.add([event(1), event(2)])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE events SET type = 'invented_later', body = '{}' WHERE id = 'e1'")
    database.close()
    reopened = Outbox(path)
    left = reopened.oldest(100)
    reopened.close()

    assert (event(2),) == left


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
