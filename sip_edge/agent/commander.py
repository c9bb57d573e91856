"""Carries commands out: holds one core.commands.Line per AOR and does what it decides."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from chalicelib.contracts.edge import CommandType, EdgeCommand
from sip_edge.agent.core.commands import (
    ANSWER_SECONDS,
    NO_ANSWER,
    Action,
    Finish,
    Line,
    SendForget,
    SendNotify,
    SendRefresh,
    accept_command,
    message_summary,
    note_result,
    note_silence,
    start_next,
)
from sip_edge.agent.core.messages import Forget, Message, Notify, NotifyResult
from sip_edge.agent.log import log_event
from sip_edge.agent.metrics import Metrics

_REMEMBERED_COMMANDS = 10_000


class Commander:
    """`send` goes to Kamailio; `on_finished` gets a command and its final SIP status, `on_refresh` one to ask anew about."""

    def __init__(
        self,
        *,
        send: Callable[[Message], None],
        on_finished: Callable[[EdgeCommand, int], None],
        on_refresh: Callable[[EdgeCommand], None],
        metrics: Metrics,
    ) -> None:
        self._send = send
        self._on_refresh = on_refresh
        self._metrics = metrics
        self._sent_at: dict[str, float] = {}  # of the jobs whose answer is awaited, on the monotonic clock
        self._on_finished = on_finished
        self._linked = False
        self._lines: dict[str, Line] = {}
        self._aor_of_job: dict[str, str] = {}
        self._seen: dict[str, None] = {}  # ids in the order they came: SQS and receipts both deliver twice

    def accept(self, command: EdgeCommand) -> None:
        """Takes a command; one that has come before is not carried out again."""
        if command.id in self._seen:
            return
        self._seen[command.id] = None
        if len(self._seen) > _REMEMBERED_COMMANDS:
            del self._seen[next(iter(self._seen))]
        log_event("command_accepted", id=command.id, type=command.type.value, username=command.username)
        self._lines[command.aor] = accept_command(self._lines.get(command.aor, Line()), command)
        self._start(command.aor)

    def link_up(self) -> None:
        """Kamailio is there: what waited starts."""
        self._linked = True
        for aor in tuple(self._lines):
            self._start(aor)

    def link_down(self) -> None:
        """Nothing is started until Kamailio is back. What runs ends by its time limit."""
        self._linked = False

    def note(self, result: NotifyResult) -> None:
        """A phone answered, or Kamailio for it."""
        aor = self._aor_of_job.get(result.job)
        if aor is not None:
            self._observe(result.job, result.status)
            line, actions = note_result(self._lines[aor], result, cnonce=secrets.token_hex(8))
            self._change(aor, line, actions)

    def _start(self, aor: str) -> None:
        if not self._linked:
            return
        line, actions = start_next(self._lines[aor], now=datetime.now(UTC), job=secrets.token_hex(8))
        self._change(aor, line, actions, start=False)

    def _late(self, aor: str, job: str, challenge_answered: bool) -> None:  # noqa: FBT001 - call_later passes by position
        if aor in self._lines:
            line, actions = note_silence(self._lines[aor], job, challenge_answered=challenge_answered)
            if actions:
                self._observe(job, NO_ANSWER)
            self._change(aor, line, actions)

    def _observe(self, job: str, status: int) -> None:
        sent_at = self._sent_at.pop(job, None)
        if sent_at is not None:
            self._metrics.notify_seconds.observe(str(status), time.monotonic() - sent_at)

    def _change(self, aor: str, line: Line, actions: Sequence[Action], *, start: bool = True) -> None:
        before = self._lines[aor]
        if before.running is not None and line.running is None:
            self._aor_of_job.pop(before.running.job, None)
        self._lines[aor] = line
        for action in actions:
            self._do(aor, action)
        if line == Line():
            del self._lines[aor]
        elif start:
            self._start(aor)

    def _do(self, aor: str, action: Action) -> None:
        match action:
            case SendNotify(job, command, authorization, proxy):
                self._aor_of_job[job] = aor
                self._sent_at[job] = time.monotonic()
                messages = message_summary(command) if command.type is CommandType.MESSAGES else ""
                self._send(Notify(job, command.username, command.notify_event, authorization, proxy, messages))
                asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._late, aor, job, bool(authorization))
            case SendForget(command):
                self._send(Forget(command.username))
            case SendRefresh(command):
                self._on_refresh(command)
            case Finish(command, sip_status):
                log_event("command_finished", id=command.id, sip_status=sip_status)
                self._on_finished(command, sip_status)
