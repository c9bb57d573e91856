"""What the functions and the edge say to each other (`/edge/v1`). Changes only by adding fields with defaults.

Every request carries `Authorization: Bearer SECRET`, the edge credential, of which two are valid at a time. Answers that are
not 2xx are RFC 9457 problem documents. JSON is the field names below, in UTF-8.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass

EVENTS_PATH = "/edge/v1/events"
CREDENTIALS_PATH = "/edge/v1/credentials"
FEATURE_CODES_PATH = "/edge/v1/feature-codes"
ROUTE_PATH = "/edge/v1/route"

MAX_EVENTS_PER_BATCH = 100
EVERY_EDGE = "*"  # in place of an edge's id, for what all edges are told


class EventType(StrEnum):
    """What the edge reports. Past participles: it has happened."""

    REGISTERED = "registered"  # a new or changed binding, or 15 minutes of refreshes since the last report
    UNREGISTERED = "unregistered"  # the binding is gone: `reason` is expired, closed (connection lost) or asked (Expires: 0)
    COMMAND_FINISHED = "command_finished"  # final SIP answer in `sip_status`; 408: none came, 480: the phone is not registered
    EDGE_STARTED = "edge_started"  # all bindings that this edge held before are gone; `contact`: where other edges reach it


@dataclass(frozen=True)
class EdgeEvent:
    """One thing that happened at an edge. `id` is unique for ever: the same event may be posted again and counts once."""

    id: str
    type: EventType
    at: datetime
    username: str = ""  # the digest user name that registered
    aor: str = ""  # the user part of the address of record
    contact: str = ""  # the Contact URI as registered
    source: str = ""  # ADDRESS:PORT that the request came from
    user_agent: str = ""  # the SIP User-Agent header
    expires_seconds: int = 0  # the registration's expiry as granted
    reason: str = ""
    command_id: str = ""
    sip_status: int = 0
    refreshed: bool = False  # of `registered`: reported just so before, since `watched_since`, and not ended meanwhile


@dataclass(frozen=True)
class EventBatch:
    """`POST /edge/v1/events`: at most 100 events, oldest first. An empty batch is a heartbeat that collects commands.

    The edge has watched its bindings without a gap from `watched_since` to `watched_until`: whatever it reported as registered
    since then was still so at `watched_until`, unless its end is in this batch or was accepted before. Both are null while the
    edge cannot say so; each binding then counts only for a while after its own report.
    """

    edge_id: str
    events: tuple[EdgeEvent, ...] = ()
    watched_since: datetime | None = None
    watched_until: datetime | None = None


class CommandType(StrEnum):
    """What the functions ask an edge to do. Imperatives."""

    RESYNC = "resync"  # NOTIFY, the phone fetches its files again
    RESTART = "restart"  # NOTIFY, the phone reboots
    FORGET = "forget"  # drop the cached credentials of `username` and every binding registered with them; no answer event
    REFRESH = "refresh"  # ask for the credentials of `username` again: its user's call settings changed; no answer event
    MESSAGES = "messages"  # NOTIFY message-summary (RFC 3842) with `new_messages` and `old_messages`


@dataclass(frozen=True)
class EdgeCommand:
    """One command. The edge carries out the commands for one `aor` in the order received and reports COMMAND_FINISHED.

    `notify_event` is the Event header of the NOTIFY in the vendor's form, such as `check-sync;reboot=false`. `password` is the
    device's SIP password, present only where the vendor's phones challenge a NOTIFY (RFC 3261 22.2); it is never logged.
    """

    id: str
    type: CommandType
    username: str
    aor: str
    notify_event: str = ""
    expires_at: datetime | None = None
    password: str = ""
    new_messages: int = 0
    old_messages: int = 0


@dataclass(frozen=True)
class BatchReceipt:
    """The answer to a batch: the ids now safely stored (drop them from the outbox), and commands waiting for this edge."""

    accepted: tuple[str, ...]
    commands: tuple[EdgeCommand, ...] = ()


@dataclass(frozen=True)
class CredentialsRequest:
    """`POST /edge/v1/credentials`: who is the digest user `username`? 404 where nobody is."""

    username: str


@dataclass(frozen=True)
class Ha1:
    """H(username:realm:password) in lower-case hex by both hashes of RFC 8760. The realm is the region's SIP host name."""

    md5: str
    sha256: str


@dataclass(frozen=True)
class CallSettings:
    """What a user set by feature codes. Numbers are E.164, or as dialled where they are no E.164; empty: not set."""

    do_not_disturb: bool = False  # *30*, *31*
    forward_to: str = ""  # *33*NUMBER: every call, at once
    forward_on_timeout_to: str = ""  # *34*NUMBER: after `ring_seconds` without an answer
    also_ring: str = ""  # *35*NUMBER: rings together with the phones
    ring_seconds: int = 20
    busy_on_busy: bool = False  # from the calling policy: 486 while the user is in a call


NO_CALL_SETTINGS = CallSettings()


@dataclass(frozen=True)
class Credentials:
    """What the edge needs to let one digest user register and dial. Good until `expires_at`; ask again after that.

    A username is 1 to 64 of A-Z a-z 0-9 _ . -, an `aor` may also hold a plus; other names are refused without asking.
    `may_call` false: feature codes, and the `emergency_numbers` (`emergency` says whether there are any); nothing else. `aor`
    is the user part that this user registers. `language` is the language of reasons shown on the phone. `user` is the user
    principal name, `number` the user's own, E.164; both empty for a phone without a user. `voicemail` is where `*99*` and the
    voicemail key lead, empty for nowhere. `location` goes along with emergency calls. `emergency_refusal` is what the phone is
    told where it may not call for help, for a screen too small for the edge's own words; empty: those.
    """

    ha1: Ha1
    aor: str
    tenant_id: str | None
    may_call: bool
    expires_at: datetime
    mac: str = ""
    language: str = "en"
    display_name: str = ""
    emergency: bool = False
    emergency_numbers: tuple[str, ...] = ()
    user: str = ""
    number: str = ""
    voicemail: str = ""
    location: str = ""
    call_settings: CallSettings = NO_CALL_SETTINGS
    emergency_refusal: str = ""


@dataclass(frozen=True)
class FeatureCodeRequest:
    """`POST /edge/v1/feature-codes`: the digest user `username` dialled `dialled`, such as `*55*123456`.

    After `expires_at` the phone has been told to try again: the functions then do nothing.
    """

    username: str
    dialled: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class FeatureCodeVerdict:
    """The final answer to the INVITE: `sip_status` with `reason` as its phrase and Reason header; at most 120 characters.

    `outcome` is a stable word (`enrolled`, `wrong_otp`, …). `announce` names the announcement to play, empty for none.
    """

    outcome: str
    sip_status: int
    reason: str
    announce: str = ""


@dataclass(frozen=True)
class RouteRequest:
    """`POST /edge/v1/route` `{from, to}`: the digest user `from` calls `to`, as dialled: a number or a user principal name.

    A call from the trunk has an empty `from` and an E.164 number in `to`.
    """

    from_: str
    to: str


class RouteOutcome(StrEnum):
    """What becomes of the call."""

    USER = "user"  # a user of the caller's tenant: `edges`, `call_settings`, `voicemail`
    TRUNK = "trunk"  # out to the public network: `number`
    VOICEMAIL = "voicemail"  # a user without a phone: `voicemail`
    NOT_FOUND = "not_found"  # nobody has this number or name
    REFUSED = "refused"  # the caller may not call this, says `reason`


@dataclass(frozen=True)
class EdgeAddress:
    """An edge that holds bindings, and the SIP URI at which other edges reach it over the private network."""

    edge_id: str
    contact: str


@dataclass(frozen=True)
class Route:
    """Where a call goes. `reason` is in the caller's language and may be shown; empty where there is nothing to say.

    `edges` hold bindings of `aor`, the asking one among them; empty: nobody is registered. `number` is E.164, what the trunk is
    asked for. `tenant_id` and `user` are the callee's, `username` is one of the callee's phones: who asks where
    the callee forwards to. `also_ring_aor` is who rings along (`call_settings.also_ring`), where that is a user of the
    callee's tenant, and `also_ring_edges` hold that user's bindings.
    """

    outcome: RouteOutcome
    aor: str = ""
    tenant_id: str = ""
    user: str = ""
    display_name: str = ""
    number: str = ""
    edges: tuple[EdgeAddress, ...] = ()
    call_settings: CallSettings = NO_CALL_SETTINGS
    voicemail: str = ""
    reason: str = ""
    username: str = ""
    also_ring_aor: str = ""
    also_ring_edges: tuple[EdgeAddress, ...] = ()
