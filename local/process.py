"""One watched child process: started, read, started again when it dies, stopped. It knows nothing of what the child does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time

from local.children import ChildPlan
from local.output import Console, LogFile, printable

STOP_SECONDS = 5.0  # from SIGTERM to SIGKILL
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
READY_AGAIN_SECONDS = 30.0
STEADY_SECONDS = 20.0  # a child that ran this long starts again without a grudge
_POLL_SECONDS = 0.05
_CHUNK_BYTES = 65_536
_LONGEST_LINE = 1_000_000

# Ends the children's process groups when the supervisor is gone, even by SIGKILL: then its end of the pipe closes. Its lines:
# `add GROUP`, `drop GROUP`. Kamailio's workers outlive their killed main process, so a parent-death signal alone is not enough.
_GUARDIAN = """
groups=
while read -r verb group; do
  case $verb in
    add) groups="$groups $group" ;;
    drop) kept=; for each in $groups; do [ "$each" = "$group" ] || kept="$kept $each"; done; groups=$kept ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
tries=0
while [ $tries -lt 30 ]; do
  alive=; for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && alive=yes; done
  [ -n "$alive" ] || exit 0
  sleep 0.1; tries=$((tries + 1))
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class Guardian:
    """A shell in a session of its own that outlives the supervisor just long enough to end its children."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a constant script
            ["/bin/sh", "-c", _GUARDIAN], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def add(self, group: int) -> None:
        self._tell(f"add {group}\n")

    def drop(self, group: int) -> None:
        self._tell(f"drop {group}\n")

    def close(self) -> None:
        """All children are gone: it finds nothing to end."""
        assert self._process.stdin is not None  # noqa: S101 - PIPE above
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - PIPE above
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


class WatchedProcess:
    """A child that lives until `stop`. Its process group is its own, and nothing of it outlives it."""

    def __init__(self, plan: ChildPlan, console: Console, log: LogFile, guardian: Guardian) -> None:
        self.plan = plan
        self.starts = 0
        self._console = console
        self._log = log
        self._guardian = guardian
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Starts the child, and again whenever it ends, until `stop`."""
        delay = FIRST_DELAY_SECONDS
        announcement: asyncio.Task[None] | None = None
        while not self._stopping.is_set():
            started = time.monotonic()
            status = await self._run_once()
            if self._stopping.is_set():
                break
            if time.monotonic() - started > STEADY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._console.say(f"{self.plan.name} ended ({describe_status(status)}); starting it again in {delay:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)
            announcement = asyncio.create_task(self._announce_return(announcement))
        if announcement is not None:
            announcement.cancel()
        self._log.close()

    async def _announce_return(self, former: asyncio.Task[None] | None) -> None:
        if former is not None:
            former.cancel()
        if await self.wait_until_ready(READY_AGAIN_SECONDS):
            self._console.say(f"{self.plan.name} is back")

    async def _run_once(self) -> int:
        # setpriv's parent-death signal is the second line behind the guardian
        command = ("setpriv", "--pdeathsig", "TERM", "--", *self.plan.command)
        with subprocess.Popen(  # noqa: ASYNC220, S603 - our own plan; a fork takes about a millisecond
            command,
            env=dict(self.plan.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            self._guardian.add(process.pid)
            self._process = process
            self.starts += 1
            reading = asyncio.create_task(self._read(process))
            await _ended(process.pid)
            _kill_group(process.pid)  # what a killed parent leaves behind holds its ports
            self._guardian.drop(process.pid)
            status = process.wait()
            self._process = None
            await reading
            return status

    async def _read(self, process: subprocess.Popen[bytes]) -> None:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
        rest = b""
        while chunk := await reader.read(_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in filter(None, lines):
                self._take(line)
        if rest:
            self._take(rest)

    def _take(self, line: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk loses lines, never the child
            self._log.write(line)
        self._console.say(printable(line), self.plan.name)

    async def wait_until_ready(self, seconds: float) -> bool:
        """False where the child does not become ready in time, or the gateway is stopped meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._stopping.is_set():
            if await asyncio.to_thread(self.plan.is_ready):
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for what is left after STOP_SECONDS."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while self._process is process:
            if time.monotonic() > deadline:
                self._console.say(f"{self.plan.name} does not end; killing it")
                _kill_group(process.pid)
                return
            await asyncio.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """At once."""
        self._stopping.set()
        if self._process is not None:
            _kill_group(self._process.pid)


async def _ended(pid: int) -> None:
    """Waits for the process itself: asyncio's own wait() waits for every heir of its output pipe too."""
    descriptor = os.pidfd_open(pid)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def describe_status(status: int) -> str:
    """`status 1`, or the signal that ended it."""
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
