"""A watched child: what it says, how it comes back, how it ends."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from local.children import ChildPlan
from local.output import Console, LogFile, printable
from local.process import Guardian, WatchedProcess, describe_status

# Says its process id and that of a child of its own, which would outlive it
PARENT = (
    "import os, subprocess, time; c = subprocess.Popen(['sleep', '60']); print(os.getpid(), c.pid, flush=True); time.sleep(60)"
)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


class Trial:
    """Runs one child and what the test does with it."""

    def __init__(self, folder: Path, script: str) -> None:
        self.screen = io.StringIO()
        self.log = folder / "child.log"
        self.guardian = Guardian()
        plan = ChildPlan("child", (sys.executable, "-c", script), dict(os.environ), lambda: True, "")
        self.child = WatchedProcess(plan, Console(self.screen, colour=False), LogFile(self.log), self.guardian)

    def run(self, act: Callable[[], Awaitable[None]]) -> None:
        async def whole() -> None:
            task = asyncio.create_task(self.child.run())
            try:
                await asyncio.wait_for(act(), 20)
            finally:
                await self.child.stop()
                await task

        try:
            asyncio.run(whole())
        finally:
            self.guardian.close()

    async def until_said(self, times: int) -> list[str]:
        while True:
            lines = self.log.read_text().splitlines()
            if len(lines) >= times:
                return lines
            await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def gone(pid: int) -> None:
    while lives(pid):  # noqa: ASYNC110 - the kernel sets no event of ours
        await asyncio.sleep(0.02)


def test_a_childs_lines_go_to_screen_and_log(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "import time; print('hello'); print(); print('there', flush=True); time.sleep(60)")

    async def act() -> None:
        assert ["hello", "there"] == await trial.until_said(2)

    trial.run(act)
    assert "child     | hello\nchild     | there\n" == trial.screen.getvalue()


def test_a_killed_child_comes_back_and_leaves_nothing_behind(tmp_path: Path) -> None:
    trial = Trial(tmp_path, PARENT)

    async def act() -> None:
        child, grandchild = map(int, (await trial.until_said(1))[0].split())
        os.kill(child, signal.SIGKILL)
        await gone(grandchild)
        await trial.until_said(2)

    trial.run(act)
    assert 2 == trial.child.starts
    assert "child ended (SIGKILL); starting it again in 0.2 s" in trial.screen.getvalue()


def test_stopping_ends_the_whole_group(tmp_path: Path) -> None:
    trial = Trial(tmp_path, PARENT)
    pids: list[int] = []

    async def act() -> None:
        pids.extend(map(int, (await trial.until_said(1))[0].split()))

    trial.run(act)
    deadline = time.monotonic() + 5
    while any(lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [] == [pid for pid in pids if lives(pid)]


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.process.STOP_SECONDS", 0.2)
    trial = Trial(tmp_path, STUBBORN)

    async def act() -> None:
        await trial.until_said(1)

    trial.run(act)
    assert "child does not end; killing it" in trial.screen.getvalue()


def test_the_guardian_ends_the_group_when_the_supervisor_is_gone() -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as orphan:
        guardian = Guardian()
        guardian.add(orphan.pid)
        guardian.close()  # what SIGKILL does to the pipe
        assert -signal.SIGTERM == orphan.wait(5)


def test_the_guardian_spares_a_group_that_was_dropped() -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as spared:
        guardian = Guardian()
        guardian.add(spared.pid)
        guardian.drop(spared.pid)
        guardian.close()
        assert spared.poll() is None
        spared.kill()


def test_a_log_is_rotated_by_size(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log", max_bytes=10)
    for line in (b"first line", b"second line", b"third"):
        log.write(line)
    log.close()
    assert ("third\n", "second line\n") == ((tmp_path / "x.log").read_text(), (tmp_path / "x.log.1").read_text())


def test_a_childs_line_cannot_steer_the_terminal() -> None:
    assert "?[31mré?d" == printable("\x1b[31mré\x07d".encode())


def test_a_closed_terminal_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    Console(stream, colour=False).say("hello")


@pytest.mark.parametrize(
    ("status", "said"), [(0, "status 0"), (1, "status 1"), (-9, "SIGKILL"), (-15, "SIGTERM"), (-99, "signal 99")]
)
def test_an_end_is_described(status: int, said: str) -> None:
    assert said == describe_status(status)
