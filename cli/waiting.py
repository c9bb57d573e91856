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
    """The command or job at its end, or as it stands when the time is up. An unknown state counts as an end.

    Raises NotDone where the person stops waiting (Ctrl-C): the gateway goes on.
    """
    name = started.get("id")
    if not isinstance(name, str) or not name:
        raise StrangeAnswer(f"{waiting.label}: the gateway named no id to wait for")
    path = f"/v1/{waiting.collection}/{segment(name)}"
    brief = {"limit": "1"} if waiting.collection == "jobs" else {}  # of its rows; nobody reads them yet
    deadline = time.monotonic() + waiting.timeout_seconds
    pause, current = _FIRST_PAUSE_SECONDS, started
    with progress(waiting.label) as (bar, task):
        try:
            while _state(current) in _OPEN and time.monotonic() < deadline:
                done, total = _done(current), current.get("total")
                bar.update(task, description=clean(_describe(waiting.label, current)), completed=done, total=total)
                time.sleep(min(pause, max(deadline - time.monotonic(), 0)))
                pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
                current = gateway.get(path, **brief)
        except KeyboardInterrupt:
            raise NotDone(
                f"{waiting.label}: the gateway goes on without you", advice=_how_to_go_on(waiting.collection, name)
            ) from None
    return current


def _describe(label: str, current: JsonObject) -> str:
    """Such as "Signing in: 1,200 of 10,000", or what it waits for."""
    done, total = _done(current), current.get("total")
    if current.get("reason"):
        return f"{label}: waits, {current['reason']}"
    if done is None:
        return f"{label}: {_state(current)}"
    return f"{label}: {done:,} of {total:,}" if isinstance(total, int) else f"{label}: {done:,}"


def _done(current: JsonObject) -> int | None:
    """How many rows or users a job has behind it; None for a command."""
    counts = current.get("counts")
    found = [counts[name] for name in ("rows", "checked") if name in counts] if isinstance(counts, dict) else []
    return found[0] if found and isinstance(found[0], int) else None


def _how_to_go_on(collection: str, name: str) -> str:
    if collection == "jobs":
        return f"Watch it with `./sipgw jobs show {name} --wait`, or end it with `./sipgw jobs cancel {name}`."
    return f"See what became of it with `./sipgw commands show {name}`."


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
