"""Commands for one AOR: carried out one after the other in the order received, each with its final SIP answer.

A Line is the state of one AOR. The functions here take it and a fact and return the next Line and what to do.
`command_finished` statuses of our own: 408 no answer came (or the command was too old to send), 480 no phone is registered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.contracts.codec import InvalidInput, from_json
from chalicelib.contracts.edge import CommandType, EdgeCommand
from sip_edge.agent.core.digest import Signer, UnansweredChallenge, parse_challenge, render_authorization
from sip_edge.agent.core.messages import NotifyResult

# Kamailio ends a NOTIFY with 408 after 4 seconds (fr_timer); a lost link must not hold the line for ever.
ANSWER_SECONDS = 6
NO_ANSWER = 408
_CHALLENGES = {401, 407}
_MOST_MESSAGES = 9999
_WITHOUT_NOTIFY = frozenset({CommandType.FORGET, CommandType.REFRESH})
_EVENT_HEADER = re.compile(r"[A-Za-z0-9;=._-]{1,64}")


class UnreadableCommand(ValueError):
    """Text that is no EdgeCommand; the message never quotes it, since commands carry passwords."""


@dataclass(frozen=True)
class SendNotify:
    """Send the command's NOTIFY as `job`, with an answer to the phone's challenge where there was one."""

    job: str
    command: EdgeCommand
    authorization: str = ""
    proxy: bool = False


@dataclass(frozen=True)
class SendForget:
    """Have Kamailio forget the command's username."""

    command: EdgeCommand


@dataclass(frozen=True)
class SendRefresh:
    """Ask the functions again who the command's username is."""

    command: EdgeCommand


@dataclass(frozen=True)
class Finish:
    """Report COMMAND_FINISHED with this status."""

    command: EdgeCommand
    sip_status: int


Action = SendNotify | SendForget | SendRefresh | Finish


@dataclass(frozen=True)
class Running:
    """A NOTIFY that waits for its answer."""

    command: EdgeCommand
    job: str
    challenge_answered: bool = False


@dataclass(frozen=True)
class Line:
    """The commands of one AOR: at most one runs, the others wait in order."""

    running: Running | None = None
    waiting: tuple[EdgeCommand, ...] = ()


def parse_command(text: str | bytes) -> EdgeCommand:
    """An EdgeCommand as JSON, or the SNS notification that SQS carries it in. Raises UnreadableCommand."""
    try:
        data: Any = json.loads(text)
        if isinstance(data, dict) and data.get("Type") == "Notification":
            data = json.loads(data["Message"])
        command = from_json(EdgeCommand, data)
    except (InvalidInput, KeyError, TypeError, ValueError, RecursionError) as problem:
        raise UnreadableCommand(f"{type(problem).__name__} in a command of {len(text)} bytes") from None
    if command.type is CommandType.MESSAGES and not command.notify_event:
        command = replace(command, notify_event="message-summary")
    if command.type not in _WITHOUT_NOTIFY and not _EVENT_HEADER.fullmatch(command.notify_event):
        raise UnreadableCommand("notify_event is not the value of an Event header")
    return command


def message_summary(command: EdgeCommand) -> str:
    """`NEW/OLD`, as Kamailio puts it into the body (RFC 3842)."""
    return f"{_count(command.new_messages)}/{_count(command.old_messages)}"


def _count(messages: int) -> int:
    return min(max(0, messages), _MOST_MESSAGES)


def accept_command(line: Line, command: EdgeCommand) -> Line:
    """The command takes its place at the end."""
    return replace(line, waiting=(*line.waiting, command))


def start_next(line: Line, *, now: datetime, job: str) -> tuple[Line, tuple[Action, ...]]:
    """Starts what may start now, up to the first NOTIFY, which becomes `job`. Nothing starts beside a running one.

    A NOTIFY past its `expires_at` finishes unsent; a forget or refresh is carried out however old it is.
    """
    actions: list[Action] = []
    while line.running is None and line.waiting:
        command, waiting = line.waiting[0], line.waiting[1:]
        line = replace(line, waiting=waiting)
        if command.type is CommandType.FORGET:
            actions.append(SendForget(command))
        elif command.type is CommandType.REFRESH:
            actions.append(SendRefresh(command))
        elif command.expires_at is not None and command.expires_at <= now:
            actions.append(Finish(command, NO_ANSWER))
        else:
            line = replace(line, running=Running(command, job))
            actions.append(SendNotify(job, command))
    return line, tuple(actions)


def note_result(line: Line, result: NotifyResult, *, cnonce: str) -> tuple[Line, tuple[Action, ...]]:
    """The phone answered. The first challenge is answered where the command brought the password; the rest is final."""
    running = line.running
    if running is None or running.job != result.job:
        return line, ()
    authorization = _answer_challenge(running, result, cnonce)
    if authorization:
        again = SendNotify(running.job, running.command, authorization, proxy=result.status == 407)  # noqa: PLR2004 - RFC 3261
        return replace(line, running=replace(running, challenge_answered=True)), (again,)
    return replace(line, running=None), (Finish(running.command, result.status),)


def note_silence(line: Line, job: str, *, challenge_answered: bool = False) -> tuple[Line, tuple[Action, ...]]:
    """ANSWER_SECONDS have passed since `job` was sent, perhaps with an answer to the challenge, which has a time of its own.

    Nothing happens where the phone has answered since.
    """
    running = line.running
    if running is None or (running.job, running.challenge_answered) != (job, challenge_answered):
        return line, ()
    return replace(line, running=None), (Finish(running.command, NO_ANSWER),)


def _answer_challenge(running: Running, result: NotifyResult, cnonce: str) -> str:
    password = running.command.password
    if result.status not in _CHALLENGES or running.challenge_answered or not password:
        return ""
    try:
        challenge = parse_challenge(result.challenge)
    except UnansweredChallenge:
        return ""
    signer = Signer(running.command.username, password, cnonce)
    return render_authorization(challenge, signer, method="NOTIFY", uri=result.uri)
