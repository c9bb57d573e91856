"""The commands of one AOR: in order, one at a time, each with one final answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.contracts.codec import to_json
from chalicelib.contracts.edge import CommandType, EdgeCommand
from sip_edge.agent.core.commands import (
    Action,
    Finish,
    Line,
    Running,
    SendForget,
    SendNotify,
    UnreadableCommand,
    accept_command,
    note_result,
    note_silence,
    parse_command,
    start_next,
)
from sip_edge.agent.core.messages import NotifyResult

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RESYNC = EdgeCommand("1", CommandType.RESYNC, "u.3", "user1", notify_event="check-sync")
FORGET = EdgeCommand("2", CommandType.FORGET, "u.3", "user1")
CHALLENGE = 'Digest realm="phone", nonce="n", qop="auth"'


def line_of(*commands: EdgeCommand) -> Line:
    line = Line()
    for command in commands:
        line = accept_command(line, command)
    return line


def test_a_notify_starts_and_what_follows_waits() -> None:
    line, actions = start_next(line_of(RESYNC, FORGET), now=NOW, job="j")

    assert (SendNotify("j", RESYNC),) == actions
    assert Line(Running(RESYNC, "j"), (FORGET,)) == line


def test_nothing_starts_beside_a_running_one() -> None:
    line, _ = start_next(line_of(RESYNC, FORGET), now=NOW, job="j")

    assert (line, ()) == start_next(line, now=NOW, job="k")


def test_the_answer_finishes_the_command_and_the_next_may_start() -> None:
    line, _ = start_next(line_of(RESYNC, FORGET), now=NOW, job="j")
    line, finished = note_result(line, NotifyResult("j", 200), cnonce="c")

    assert (Finish(RESYNC, 200),) == finished
    assert (Line(), (SendForget(FORGET),)) == start_next(line, now=NOW, job="k")


def test_an_answer_to_another_job_changes_nothing() -> None:
    line, _ = start_next(line_of(RESYNC), now=NOW, job="j")

    assert (line, ()) == note_result(line, NotifyResult("old", 200), cnonce="c")
    assert (line, ()) == note_silence(line, "old")


def test_silence_is_a_408() -> None:
    line, _ = start_next(line_of(RESYNC), now=NOW, job="j")

    assert (Line(), (Finish(RESYNC, 408),)) == note_silence(line, "j")


def test_the_answer_to_a_challenge_has_a_time_of_its_own() -> None:
    """A phone that took its time to challenge was given up while it still took the command."""
    command = EdgeCommand("1", CommandType.RESYNC, "u.3", "a", notify_event="check-sync", password="p")
    line, _ = start_next(line_of(command), now=NOW, job="j")
    line, _ = note_result(line, NotifyResult("j", 401, CHALLENGE, "sip:phone"), cnonce="c")

    assert (line, ()) == note_silence(line, "j")
    assert (Line(), (Finish(command, 408),)) == note_silence(line, "j", challenge_answered=True)


def test_an_old_command_is_not_sent_but_an_old_forget_is_carried_out() -> None:
    old = NOW - timedelta(seconds=1)
    resync = EdgeCommand("1", CommandType.RESYNC, "u", "a", notify_event="check-sync", expires_at=old)
    forget = EdgeCommand("2", CommandType.FORGET, "u", "a", expires_at=old)

    assert (Line(), (Finish(resync, 408), SendForget(forget))) == start_next(line_of(resync, forget), now=NOW, job="j")


@pytest.mark.parametrize(("status", "proxy"), [(401, False), (407, True)])
def test_a_challenge_is_answered_once_with_the_command_s_password(status: int, proxy: bool) -> None:  # noqa: FBT001 - a parameter of the test
    command = EdgeCommand("1", CommandType.RESYNC, "u.3", "a", notify_event="check-sync", password="p")
    line, _ = start_next(line_of(command), now=NOW, job="j")
    challenged = NotifyResult("j", status, CHALLENGE, "sip:phone")
    line, (again,) = note_result(line, challenged, cnonce="c")

    assert isinstance(again, SendNotify)
    assert (proxy, True) == (again.proxy, 'uri="sip:phone"' in again.authorization)
    assert (Line(), (Finish(command, status),)) == note_result(line, challenged, cnonce="c")


def test_without_a_password_the_challenge_is_the_answer() -> None:
    line, _ = start_next(line_of(RESYNC), now=NOW, job="j")

    assert (Line(), (Finish(RESYNC, 401),)) == note_result(line, NotifyResult("j", 401, CHALLENGE, "sip:x"), cnonce="c")


def test_a_command_is_read_raw_and_in_its_sns_envelope() -> None:
    raw = json.dumps(to_json(RESYNC))
    envelope = json.dumps({"Type": "Notification", "MessageId": "m", "Message": raw})

    assert [RESYNC, RESYNC] == [parse_command(raw), parse_command(envelope.encode())]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"Type":"Notification"}',
        '{"id":"1","type":"resync","username":"u","aor":"a","notify_event":"a\\r\\nb"}',
    ],
)
def test_what_is_no_command_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(UnreadableCommand) as refusal:
        parse_command(text)
    assert "check" not in str(refusal.value)


class OneLine(RuleBasedStateMachine):
    """Whatever happens: every NOTIFY command finishes exactly once, in order, and never two run at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.accepted: list[EdgeCommand] = []
        self.done: list[str] = []
        self.jobs = 0

    def take(self, outcome: tuple[Line, tuple[Action, ...]]) -> None:
        self.line, actions = outcome
        self.done += [action.command.id for action in actions if not isinstance(action, SendNotify)]

    @rule(kind=st.sampled_from(CommandType), expired=st.booleans(), password=st.sampled_from(["", "p"]))
    def accept(self, kind: CommandType, expired: bool, password: str) -> None:  # noqa: FBT001 - drawn by hypothesis
        expires_at = NOW - timedelta(seconds=1) if expired else None
        number = str(len(self.accepted))
        command = EdgeCommand(number, kind, "u", "a", notify_event="x", expires_at=expires_at, password=password)
        self.accepted.append(command)
        self.line = accept_command(self.line, command)

    @rule()
    def start(self) -> None:
        self.jobs += 1
        self.take(start_next(self.line, now=NOW, job=str(self.jobs)))

    @precondition(lambda self: self.line.running is not None)
    @rule(status=st.sampled_from([200, 401, 407, 408, 480, 481]), challenge=st.sampled_from(["", CHALLENGE]))
    def answer(self, status: int, challenge: str) -> None:
        assert self.line.running is not None
        self.take(note_result(self.line, NotifyResult(self.line.running.job, status, challenge, "sip:x"), cnonce="c"))

    @rule(job=st.integers(min_value=0, max_value=9), challenge_answered=st.booleans())
    def hear_nothing(self, job: int, challenge_answered: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        self.take(note_silence(self.line, str(job), challenge_answered=challenge_answered))

    @invariant()
    def everything_is_done_once_and_in_order(self) -> None:
        assert [command.id for command in self.accepted[: len(self.done)]] == self.done
        running = [self.line.running.command] if self.line.running else []
        assert self.accepted[len(self.done) :] == [*running, *self.line.waiting]


TestOneLine = OneLine.TestCase
