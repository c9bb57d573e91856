"""What only the SQLite store promises: one file under several processes, `kill -9`, restart."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.errors import StoreAway
from chalicelib.domain.installation import Candidate
from chalicelib.domain.tenant import Tenant
from chalicelib.domain.web import SignInFlow

ROOT = Path(__file__).parents[2]
PRELUDE = """
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.tenant import Tenant, SyncState
path, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = SqliteStore(path)
print("open", flush=True)
sys.stdin.readline()
"""
WRITE_PAIRS = """
for number in range(rounds):
    store.save(User(name, f"user{number:06}@example.com", display_name="x" * 2000), CallingPolicy(name, f"policy{number:06}"))
    print(number, flush=True)
"""
COUNT_TOGETHER = """
ends_at = datetime.now(UTC) + timedelta(hours=1)
for _ in range(rounds):
    store.count_up("tries", ends_at)
    while True:
        tenant = store.load(Tenant, "t1")
        try:
            store.save(replace(tenant, sync=replace(tenant.sync, checked=tenant.sync.checked + 1)))
            break
        except SaveConflict:
            pass
"""
OPEN_TOGETHER = """
import time
for _ in range(rounds):
    tick = int(time.time() * 50) + 1
    time.sleep(max(0, tick / 50 - time.time()))
    SqliteStore(f"{path}.{tick}")
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "data" / "gateway.db")


@pytest.fixture
def start(path: str) -> Iterator[Start]:
    """Starts a Python process that opens the store, says so and waits for a line before it does its work."""
    running: list[subprocess.Popen[str]] = []

    def start_process(work: str, name: str = "t1", rounds: int = 100_000) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-W", "error", "-c", PRELUDE + work, path, name, str(rounds)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start_process
    for process in running:
        process.kill()
        process.communicate()


def let_go(*processes: subprocess.Popen[str]) -> None:
    """Lets processes that have all opened the store begin their work."""
    assert ["open\n"] * len(processes) == [process.stdout.readline() for process in processes]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def test_a_restart_keeps_everything(path: str, clock: Any) -> None:
    SqliteStore(path, clock).save(Tenant("t1"), User("t1", "anna@example.com"))
    SqliteStore(path, clock).count_up("tries", clock.now + timedelta(hours=1))

    again = SqliteStore(path, clock)

    assert replace(Tenant("t1"), version=1) == again.load(Tenant, "t1")
    assert ["anna@example.com"] == [user.upn for user in again.find(User, "t1").items]
    assert 2 == again.count_up("tries", clock.now + timedelta(hours=1))


def test_a_restart_clears_away_what_is_over(path: str, clock: Any) -> None:
    SqliteStore(path, clock).save(SignInFlow("digest", "browser", clock.now + timedelta(minutes=1)))
    clock.forward(60)

    SqliteStore(path, clock)

    with sqlite3.connect(path) as connection:
        assert [(0,)] == connection.execute("SELECT count(*) FROM items").fetchall()
    connection.close()


def test_kill_9_in_the_middle_of_writing_loses_nothing_acknowledged_and_halves_nothing(path: str, start: Start) -> None:
    acknowledged = []
    for life in range(3):
        process = start(WRITE_PAIRS, name=f"life{life}")
        let_go(process)
        for _ in range(40 + life):
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        assert -signal.SIGKILL == process.wait()
        acknowledged.append(max([last, *map(int, process.stdout.read().split())]))

    store = SqliteStore(path)

    for life, last in enumerate(acknowledged):
        users = [user.upn for user in store.find(User, f"life{life}", limit=100_000).items]
        policies = [policy.name for policy in store.find(CallingPolicy, f"life{life}", limit=100_000).items]
        assert [f"user{number:06}@example.com" for number in range(last + 1)] == users[: last + 1]
        assert [upn[len("user") : len("user000000")] for upn in users] == [name[len("policy") :] for name in policies]
        assert len(users) <= last + 2  # the one that was being acknowledged


def test_changes_of_two_processes_add_up(path: str, start: Start) -> None:
    SqliteStore(path).save(Tenant("t1"))
    processes = [start(COUNT_TOGETHER, rounds=60) for _ in range(2)]
    let_go(*processes)
    assert [0, 0] == [process.wait(timeout=60) for process in processes]

    store = SqliteStore(path)

    assert 120 == store.load(Tenant, "t1").sync.checked
    assert 121 == store.count_up("tries", datetime.now(UTC) + timedelta(hours=1))


def test_a_process_writes_on_while_another_one_is_killed(path: str, start: Start) -> None:
    steady, doomed = start(WRITE_PAIRS, name="steady", rounds=60), start(WRITE_PAIRS, name="doomed")
    let_go(steady, doomed)
    for _ in range(20):
        doomed.stdout.readline()
    doomed.send_signal(signal.SIGKILL)
    assert 0 == steady.wait(timeout=60)

    assert 60 == len(SqliteStore(path).find(User, "steady").items)


def test_processes_may_open_a_new_file_at_the_same_moment(start: Start) -> None:
    processes = [start(OPEN_TOGETHER, rounds=60) for _ in range(4)]
    let_go(*processes)

    assert [0] * 4 == [process.wait(timeout=60) for process in processes]


def test_a_file_that_another_process_holds_for_too_long_is_away(path: str) -> None:
    store = SqliteStore(path, busy_seconds=0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreAway):
        store.save(Tenant("t1"))
    assert store.load(Tenant, "t1") is None

    holder.close()
    store.save(Tenant("t1"))
    assert 1 == store.load(Tenant, "t1").version


def test_what_is_over_is_removed_a_piece_at_a_time(tmp_path: Path, clock: Any) -> None:
    store = SqliteStore(str(tmp_path / "gateway.db"), clock)
    store.save(*(Candidate("m", str(number), "i", clock.now + timedelta(minutes=1)) for number in range(5)))
    store.save(Candidate("m", "kept", "i", clock.now + timedelta(hours=1)), Tenant("t1"))
    clock.forward(60)

    assert [3, 2, 0] == [store.remove_expired(3) for _ in range(3)]
    assert (["kept"], True) == (
        [item.address for item in store.gather((Candidate,), "m")],
        store.load(Tenant, "t1") is not None,
    )
