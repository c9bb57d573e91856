"""Every message between Kamailio and the agent, as values. The other end is sip_edge/kamailio/agent.cfg.

Facts come from Kamailio (`parse_message`), messages go to it (`render_message`). `ti` and `tl` name a suspended SIP
transaction (Kamailio's index and label); both are 0 where nobody waits for the answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.contracts.codec import InvalidInput, from_json, to_json
from chalicelib.contracts.edge import EdgeEvent, EventType

# Kamailio 5.6 reads a message through a buffer of 8 kB.
MAX_MESSAGE_BYTES = 8000


class UnreadableMessage(ValueError):
    """A message that is not JSON, has an unknown `op` or lacks a field."""


@dataclass(frozen=True)
class EdgeState:
    """The answer to Hello: which life of Kamailio this is. A new `start_id` means that all earlier bindings are gone."""

    start_id: str


@dataclass(frozen=True)
class CredentialsWanted:
    """Who is `username`? Asked on the first request of a phone, and again where the cached record may be out of date."""

    username: str
    ti: int
    tl: int


@dataclass(frozen=True)
class VerdictWanted:
    """`username` dialled a feature code; its INVITE waits at most 1.9 seconds."""

    username: str
    dialled: str
    ti: int
    tl: int


@dataclass(frozen=True)
class RouteWanted:
    """`username` calls `target`, whom this edge does not know; empty: the trunk does. Its INVITE waits at most 1.9 seconds."""

    username: str
    target: str
    ti: int
    tl: int


@dataclass(frozen=True)
class BindingReport:
    """A binding began, changed or ended. `at` is Kamailio's clock, seconds since 1970 as text: `1795344221.803743`."""

    type: EventType
    at: str
    username: str
    aor: str
    contact: str = ""
    source: str = ""
    user_agent: str = ""
    expires_seconds: int = 0
    reason: str = ""


@dataclass(frozen=True)
class NotifyResult:
    """The final answer to the NOTIFY `job`. `challenge` is the digest challenge of a 401 or 407, `uri` the Request-URI."""

    job: str
    status: int
    challenge: str = ""
    uri: str = ""


Fact = EdgeState | CredentialsWanted | VerdictWanted | RouteWanted | BindingReport | NotifyResult


@dataclass(frozen=True)
class Hello:
    """The agent is there: Kamailio answers with EdgeState and everything that happened meanwhile."""


@dataclass(frozen=True)
class CredentialsAnswer:
    """Status 200 with what records.py renders, 404 nobody has this name, 503 nobody could say. `called`: the phone's user."""

    username: str
    ti: int
    tl: int
    status: int
    record: str = ""
    called: str = ""


@dataclass(frozen=True)
class VerdictAnswer:
    """The final status (400 to 699) and phrase for a suspended INVITE. An empty reason: Kamailio says "try again".

    `announce` is the announcement to play where the phone can hear it: then the phone is answered with 200 and the phrase.
    """

    ti: int
    tl: int
    status: int
    reason: str = ""
    announce: str = ""


@dataclass(frozen=True)
class RouteAnswer:
    """Where a suspended call goes.

    Outcome `user` with `aor`, `called` (records.py) and the other `edges`, SIP URIs with commas between, and the same of the
    colleague who rings along (`also_aor`, `also_edges`); `trunk` with `number`; `not_found` and `refused` with a `reason` or
    none; `late`: nobody could say.
    """

    ti: int
    tl: int
    outcome: str
    aor: str = ""
    called: str = ""
    edges: str = ""
    also_aor: str = ""
    also_edges: str = ""
    number: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Notify:
    """Send a NOTIFY with this Event header to the phone of `username`. `proxy`: the challenge was a 407.

    `messages` is `NEW/OLD` for a message-summary (RFC 3842), empty for any other event.
    """

    job: str
    username: str
    event: str
    authorization: str = ""
    proxy: bool = False
    messages: str = ""


@dataclass(frozen=True)
class Forget:
    """Drop the credentials of `username` and the binding made with them."""

    username: str


@dataclass(frozen=True)
class MediaNote:
    """Rtpengine `answers`, is `away`, or has ended and with it the audio of all calls (`lost`): Kamailio hangs them up."""

    state: str


Message = Hello | CredentialsAnswer | VerdictAnswer | RouteAnswer | Notify | Forget | MediaNote

_FACTS: dict[str, type[Fact]] = {
    "edge_state": EdgeState,
    "credentials_wanted": CredentialsWanted,
    "verdict_wanted": VerdictWanted,
    "route_wanted": RouteWanted,
    "registered": BindingReport,
    "unregistered": BindingReport,
    "notify_result": NotifyResult,
}
_OPS: dict[type[Message], str] = {
    Hello: "hello",
    CredentialsAnswer: "credentials",
    VerdictAnswer: "verdict",
    RouteAnswer: "route",
    Notify: "notify",
    Forget: "forget",
    MediaNote: "media",
}


def parse_message(frame: bytes) -> Fact:
    """One frame from Kamailio. Raises UnreadableMessage, which never quotes the frame."""
    try:
        data: Any = json.loads(frame)
        operation = data.get("op")
        return from_json(_FACTS[operation], {**data, "type": operation})
    except (AttributeError, KeyError, TypeError, InvalidInput, ValueError) as problem:
        raise UnreadableMessage(f"{type(problem).__name__} in a message of {len(frame)} bytes") from problem


def render_message(message: Message) -> bytes:
    """One frame to Kamailio: JSON in ASCII, the operation in `op`."""
    fields: Any = to_json(message)
    return json.dumps({"op": _OPS[type(message)], **fields}).encode("ascii")


def event_of(report: BindingReport, *, event_id: str) -> EdgeEvent:
    """The report as the functions get it."""
    return EdgeEvent(
        id=event_id,
        type=report.type,
        at=datetime.fromtimestamp(float(report.at), UTC),
        username=report.username,
        aor=report.aor,
        contact=report.contact,
        source=report.source,
        user_agent=report.user_agent,
        expires_seconds=report.expires_seconds,
        reason=report.reason,
    )
