"""What the use cases need of the world, as Protocols, and the one object that carries it to them.

Adapters implement these; `wiring` joins them. A fake in a test implements the same Protocol and passes the same suite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from chalicelib.contracts.edge import EdgeCommand
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.directory import User
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.job import JobPart
from chalicelib.domain.keys import Keys
from chalicelib.domain.secret import Secret
from chalicelib.settings import Settings

R = TypeVar("R")


@dataclass(frozen=True)
class Page:
    """A part of a list, and the cursor for the next part; None at the end. A store says for each item the cursor behind it."""

    items: tuple[Any, ...]
    next_cursor: str | None = None
    cursors: tuple[str, ...] = ()


class Store(Protocol):
    """Records by key. A record is a frozen dataclass of the domain with a `version`; adapters/records.py knows their keys.

    `save` is atomic: all or nothing. It raises SaveConflict where a record's `version` is not the stored one (0: not stored).
    """

    def load(self, kind: type[R], *key: str) -> R | None:
        """One record by its whole key. One read."""

    def load_many(self, kind: type[R], keys: Sequence[tuple[str, ...]], *, fresh: bool = True) -> list[R | None]:
        """Several records, in the order asked. One read each.

        Not `fresh`, it costs half, and what was saved within about the last second may be missing: only for what a conditional
        save guards, or for what is read again before anything is done.
        """

    def gather(self, kinds: Sequence[type], *partition: str) -> list[Any]:
        """Every record of these kinds in one partition, such as all that is known of one MAC. One query."""

    def find(self, kind: type[R], *partition: str, prefix: str = "", limit: int = 100, cursor: str | None = None) -> Page:
        """The records of one kind listed under `partition`, in key order, of keys that begin with `prefix`. One query."""

    def find_newest(self, kind: type[R], *partition: str, limit: int = 100, cursor: str | None = None) -> Page:
        """As find, last key first."""

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        """Writes all `records` and deletes all of `remove`, together. One write each."""

    def count_up(self, name: str, expires_at: datetime) -> int:
        """Adds one to a counter that starts at nought and is gone after `expires_at`; the new value. One write."""

    def remove_expired(self, most: int) -> int:
        """Deletes at most so many records that are over; how many. Nought where the database does that by itself."""


class Directory(Protocol):
    """Where users come from: the gateway's own records, or Microsoft Graph.

    Raises DirectoryAway, and nothing may then be concluded about a user. `writable`: users are set through the gateway's API.
    """

    @property
    def writable(self) -> bool: ...

    def load_users(self, tenant_id: TenantId, upns: Sequence[Upn], *, fresh: bool = True) -> dict[Upn, User]:
        """Those of `upns` that the directory knows; `fresh` as in Store.load_many.

        Raises DirectoryAway where it does not answer, or throttles.
        """

    def list_users(self, tenant_id: TenantId, limit: int, cursor: str | None = None) -> Page:
        """Users a page at a time, each once, in an order of the directory's own. Raises BadRequest for a foreign cursor."""


class Presence(Protocol):
    """Where others see whether a user wants to be disturbed."""

    def show_do_not_disturb(self, tenant_id: TenantId, upn: Upn, *, on: bool) -> None:
        """Shows it, or takes it back. Raises DirectoryAway."""


class CommandLink(Protocol):
    """The way to an edge's agent, or with EVERY_EDGE for `edge_id` to every agent's."""

    def send(self, edge_id: str, commands: Sequence[EdgeCommand]) -> bool:
        """Hands the commands over in order; False where the agent cannot be reached, and then none counts as handed over."""


class WorkQueue(Protocol):
    """Messages that have parts of jobs done, each by somebody, at least once, in no order.

    A message may be lost: the job is in the store, and usecases/resume_jobs.py finds it there.
    """

    def put(self, part: JobPart, delay_seconds: int = 0) -> bool:
        """False where the queue cannot be reached. The delay is at most 900 seconds."""


@dataclass(frozen=True)
class SignedInPerson:
    """Who came back from the identity provider."""

    tenant_id: TenantId
    oid: str
    upn: Upn
    name: str


class WebSignIn(Protocol):
    """The authorization-code flow with PKCE at the identity provider."""

    def start(self, redirect_uri: str, language: str) -> tuple[str, dict[str, Any]]:
        """The URL to send the browser to, and the flow to keep on the server; `flow["state"]` names it."""

    def finish(self, flow: dict[str, Any], query: Mapping[str, str]) -> SignedInPerson:
        """Who signed in. Raises SignInCancelled, SignInFailed or IdentityProviderAway."""


@dataclass(frozen=True)
class Caller:
    """Who calls the administrators' API, and from where. `actor` is a user principal name, or an application's id."""

    tenant_id: TenantId
    actor: str
    roles: frozenset[str]
    oid: str = ""
    address: str = ""


class TokenCheck(Protocol):
    """Checks administrators' bearer tokens."""

    def check(self, bearer: str) -> Caller:
        """Raises NotAuthenticated, or IdentityProviderAway where no key is known yet."""


@dataclass(frozen=True)
class Gateway:
    """All that a use case may touch. `clock` gives aware UTC times, `random_text` gives 128 random bits as 26 of a-z2-7."""

    settings: Settings
    store: Store
    directory: Directory
    presence: Presence
    commands: CommandLink
    work: WorkQueue
    keys: Keys
    edge_credentials: tuple[Secret, ...]
    web_sign_in: WebSignIn
    token_check: TokenCheck
    clock: Callable[[], datetime]
    random_text: Callable[[], str]
    trust_anchor: str = ""  # PEM, empty where a public root signed the certificates
