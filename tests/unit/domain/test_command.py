"""The true states of a command: domain/command.py."""

from __future__ import annotations

import pytest

from chalicelib.domain.command import CommandState, as_of, finish
from tests.unit.domain.samples import NOW, a_command, after

OPEN = [CommandState.QUEUED, CommandState.SENT]
FINAL = [CommandState.ACKNOWLEDGED, CommandState.FAILED, CommandState.EXPIRED]


@pytest.mark.parametrize("state", CommandState)
def test_a_command_is_open_while_queued_or_sent(state: CommandState) -> None:
    assert (state in OPEN) == a_command(state=state).open


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize(
    ("sip_status", "expected"),
    [
        (200, "acknowledged"),
        (202, "acknowledged"),
        (299, "acknowledged"),
        (300, "failed"),
        (401, "failed"),
        (403, "failed"),
        (408, "failed"),
        (480, "queued"),
        (481, "failed"),
        (500, "failed"),
        (0, "failed"),
        (100, "failed"),
        (199, "failed"),
    ],
)
def test_the_edges_report_decides_the_state(state: CommandState, sip_status: int, expected: str) -> None:
    assert expected == finish(a_command(state=state), sip_status, after(minutes=1)).state


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("sip_status", [200, 480, 500])
def test_a_report_after_the_end_changes_nothing(state: CommandState, sip_status: int) -> None:
    command = a_command(state=state, sip_status=200, finished_at=NOW)

    assert command == finish(command, sip_status, after(minutes=1))


def test_a_finished_command_says_when_and_how() -> None:
    finished = finish(a_command(state=CommandState.SENT), 486, after(minutes=1))

    assert (486, after(minutes=1)) == (finished.sip_status, finished.finished_at)


def test_a_command_that_waits_again_is_as_it_was_queued() -> None:
    assert a_command() == finish(a_command(state=CommandState.SENT), 480, after(hours=23))


def test_a_command_does_not_wait_again_after_24_hours() -> None:
    assert not finish(a_command(state=CommandState.SENT), 480, after(hours=24)).open


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("hours", [24, 25, 1000])
def test_an_open_command_has_expired_after_24_hours(state: CommandState, hours: int) -> None:
    seen = as_of(a_command(state=state), after(hours=hours))

    assert (CommandState.EXPIRED, after(hours=24)) == (seen.state, seen.finished_at)


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("hours", [0, 1, 23.99])
def test_an_open_command_is_seen_as_it_is_before(state: CommandState, hours: float) -> None:
    assert a_command(state=state) == as_of(a_command(state=state), after(hours=hours))


@pytest.mark.parametrize("state", FINAL)
def test_a_final_state_is_seen_as_it_is_for_ever(state: CommandState) -> None:
    assert a_command(state=state) == as_of(a_command(state=state), after(days=1000))
