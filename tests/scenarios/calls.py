"""What most scenarios begin and end with."""

from __future__ import annotations

from tests.scenarios.clients import Client


def connect(caller: Client, callee: Client) -> None:
    """A whole call: dialled, rung, answered."""
    times = callee.calls_so_far() + 1
    caller.dial(callee.number)
    callee.rings(times=times)
    callee.answer()
    callee.talks()
    caller.talks()


def hear_each_other(one: Client, other: Client) -> None:
    """Waits until each has heard the other's tone, from now on."""
    since_one, since_other = one.mark(), other.mark()
    one.hears(other.tone, since_one)
    other.hears(one.tone, since_other)
