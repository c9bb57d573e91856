"""Waits for a command or a job of the gateway, showing its state, until it ends or the time is up."""

import time
from dataclasses import dataclass

from cli.connection import JsonObject
from cli.failures import NotDone, StrangeAnswer
from cli.gateway import Gateway, segment
from cli.screen import cell, clean, progress

_OPEN = {"accepted", "pending", "queued", "waiting", "started", "running", "sent", "delivered"}
_FAILED = {"failed", "expired", "cancelled", "rejected"}
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 2.0


@dataclass(frozen=True)
class Waiting:
    """What is waited for: `collection` is its place below /v1, commands or jobs."""

    collection: str
    label: str
    timeout_seconds: float


def wait_for(gateway: Gateway, started: JsonObject, waiting: Waiting) -> JsonObject:
    """The command or job at its end, or as it stands when the time is up. An unknown state counts as an end."""
    name = started.get("id")
    if not isinstance(name, str) or not name:
        raise StrangeAnswer(f"{waiting.label}: the gateway named no id to wait for")
    path = f"/v1/{waiting.collection}/{segment(name)}"
    deadline = time.monotonic() + waiting.timeout_seconds
    pause, current = _FIRST_PAUSE_SECONDS, started
    with progress(waiting.label) as (bar, task):
        while _state(current) in _OPEN and time.monotonic() < deadline:
            time.sleep(min(pause, max(deadline - time.monotonic(), 0)))
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
            current = gateway.get(path)
            bar.update(task, description=clean(f"{waiting.label}: {_state(current)}"))
    return current


def expect_done(outcome: JsonObject, *, label: str) -> None:
    """Raises NotDone where it failed or is still open."""
    state, name = _state(outcome), outcome.get("id")
    if state in _FAILED:
        reason = next((outcome[key] for key in ("reason", "detail", "sip_status") if outcome.get(key)), None)
        raise NotDone(f"{label}: {state}", detail=cell(reason) if reason else "")
    if state in _OPEN:
        until = outcome.get("expires_at")
        detail = f"It stays in force until {until}." if until else ""
        raise NotDone(f"{label}: still {state}", detail=detail, advice=f"Its id is {name}; wait longer with --timeout.")


def _state(outcome: JsonObject) -> str:
    return str(outcome.get("state") or "unknown")
