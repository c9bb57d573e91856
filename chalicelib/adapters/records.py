"""Keys of every stored record: the one table behind both stores, behind docs/data.md and behind the cloud's tables.

A record lies in a table under a partition key and a sort key. Some kinds are listed under a second key as well (`listing`).
Both stores use the same keys, so both have the same access patterns and the same number of reads and writes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from chalicelib.contracts.codec import Problem, from_json, to_json
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.audit import KEEP_AUDIT, AuditEntry
from chalicelib.domain.calls import Number, UserCalls
from chalicelib.domain.command import KEEP_COMMAND, Command
from chalicelib.domain.device import Device
from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.edge import KEEP_EDGE, Edge, WaitingCommand
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import BadRequest, OurFault, PayloadTooLarge
from chalicelib.domain.history import KEEP_HISTORY, DeviceEvent
from chalicelib.domain.import_row import ImportRow
from chalicelib.domain.installation import Candidate, Installation
from chalicelib.domain.job import KEEP_JOB, Job, JobTable, OpenJob
from chalicelib.domain.kept_answer import KeptAnswer
from chalicelib.domain.pairing import KEEP_AFTER_EXPIRY, Pairing
from chalicelib.domain.sign_in_row import SignInRow
from chalicelib.domain.tenant import Tenant
from chalicelib.domain.upload import Upload
from chalicelib.domain.web import SignInFlow, WebSession

R = TypeVar("R")


class Table(StrEnum):
    """`region` never leaves its region; `directory` may be a global table."""

    REGION = "region"
    DIRECTORY = "directory"


@dataclass(frozen=True)
class Layout:
    """Where one kind of record lies. `{0}`, `{1}` in the patterns are the parts of its key, or of its listing."""

    kind: type
    table: Table
    partition: str
    sort: str
    key: Callable[[Any], tuple[str, ...]]
    listing_partition: str = ""
    listing: Callable[[Any], tuple[tuple[str, ...], str] | None] = lambda _: None  # (parts, sort key), None: not listed
    expires_at: Callable[[Any], datetime | None] = lambda _: None

    @property
    def name(self) -> str:
        """The word that stands for the kind in the store."""
        return self.kind.__name__

    @property
    def sort_prefix(self) -> str:
        """What the sort key of every record of this kind in its partition begins with."""
        return self.sort.split("{", maxsplit=1)[0]


def _listed_installation(record: Installation) -> tuple[tuple[str, ...], str] | None:
    if record.tenant_id is None:
        return None
    upn = record.profile.user.upn if record.profile.user else "-"
    return (record.tenant_id,), f"{upn}#{record.id}"


LAYOUTS: tuple[Layout, ...] = (
    Layout(Device, Table.REGION, "device#{0}", "device", lambda r: (r.mac,)),
    Layout(
        Claim,
        Table.REGION,
        "device#{0}",
        "claim#{1}",
        lambda r: (r.mac, r.tenant_id),
        listing_partition="claims#{0}",
        listing=lambda r: ((r.tenant_id,), r.mac),
    ),
    Layout(
        Candidate,
        Table.REGION,
        "device#{0}",
        "candidate#{1}",
        lambda r: (r.mac, r.address),
        expires_at=lambda r: r.expires_at,
    ),
    Layout(
        Installation,
        Table.REGION,
        "installation#{0}",
        "installation",
        lambda r: (r.id,),
        listing_partition="installations#{0}",
        listing=_listed_installation,
        expires_at=lambda r: r.expires_at,
    ),
    Layout(
        Pairing,
        Table.REGION,
        "pairing#{0}",
        "pairing",
        lambda r: (r.digest,),
        expires_at=lambda r: r.expires_at + KEEP_AFTER_EXPIRY,
    ),
    Layout(
        Command, Table.REGION, "command#{0}", "command", lambda r: (r.id,), expires_at=lambda r: r.created_at + KEEP_COMMAND
    ),
    Layout(
        DeviceEvent,
        Table.REGION,
        "history#{0}",
        "{1}#{2}",
        lambda r: (r.mac, r.at.astimezone(UTC).isoformat(timespec="microseconds"), r.id),
        expires_at=lambda r: r.at + KEEP_HISTORY,
    ),
    Layout(
        Edge,
        Table.REGION,
        "edge#{0}",
        "edge",
        lambda r: (r.edge_id,),
        listing_partition="edges",
        listing=lambda r: ((), r.edge_id),
        expires_at=lambda r: r.seen_at + KEEP_EDGE if r.seen_at else None,
    ),
    Layout(
        WaitingCommand,
        Table.REGION,
        "waiting#{0}",
        "{1}",
        lambda r: (r.edge_id, r.id),
        expires_at=lambda r: r.expires_at,
    ),
    Layout(Number, Table.REGION, "number#{0}", "number", lambda r: (r.number,)),
    Layout(UserCalls, Table.REGION, "calls#{0}", "{1}", lambda r: (r.tenant_id, r.upn)),
    Layout(
        Upload,
        Table.REGION,
        "uploads#{0}",
        "{1}#{2}",
        lambda r: (r.kept_under, r.name, str(r.part)),
        expires_at=lambda r: r.expires_at,
    ),
    Layout(
        Job,
        Table.REGION,
        "job#{0}",
        "job",
        lambda r: (r.id,),
        listing_partition="jobs#{0}",
        listing=lambda r: ((r.tenant_id,), f"{r.created_at.astimezone(UTC).isoformat(timespec='microseconds')}#{r.id}"),
        expires_at=lambda r: r.created_at + KEEP_JOB,
    ),
    Layout(OpenJob, Table.REGION, "open-jobs", "{0}", lambda r: (r.lane,)),
    Layout(
        JobTable,
        Table.REGION,
        "job-table#{0}",
        "{1}",
        lambda r: (r.job_id, format(r.number, "04")),
        expires_at=lambda r: r.created_at + KEEP_JOB,
    ),
    Layout(
        SignInRow,
        Table.REGION,
        "job-rows#{0}",
        "{1}",
        lambda r: (r.job_id, format(r.row, "06")),
        expires_at=lambda r: r.at + KEEP_JOB,
    ),
    Layout(
        ImportRow,
        Table.REGION,
        "job-imports#{0}",
        "{1}",
        lambda r: (r.job_id, format(r.row, "06")),
        expires_at=lambda r: r.at + KEEP_JOB,
    ),
    Layout(
        AuditEntry,
        Table.REGION,
        "audit#{0}",
        "{1}#{2}",
        lambda r: (r.tenant_id, r.at.astimezone(UTC).isoformat(timespec="microseconds"), r.id),
        expires_at=lambda r: r.at + KEEP_AUDIT,
    ),
    Layout(KeptAnswer, Table.REGION, "answer#{0}", "answer", lambda r: (r.digest,), expires_at=lambda r: r.expires_at),
    Layout(SignInFlow, Table.REGION, "flow#{0}", "flow", lambda r: (r.digest,), expires_at=lambda r: r.expires_at),
    Layout(WebSession, Table.REGION, "session#{0}", "session", lambda r: (r.digest,), expires_at=lambda r: r.expires_at),
    Layout(Tenant, Table.DIRECTORY, "tenants", "{0}", lambda r: (r.tenant_id,)),
    Layout(User, Table.DIRECTORY, "users#{0}", "{1}", lambda r: (r.tenant_id, r.upn)),
    Layout(CallingPolicy, Table.DIRECTORY, "policies#{0}", "{1}", lambda r: (r.tenant_id, r.name)),
)
COUNTER_PARTITION = "count#{0}"
COUNTER_SORT = "count"
LISTING_INDEX = "listing"  # the secondary index of the region's table
AFTER_ALL = "\U0010ffff"  # sorts behind every letter that a key may have

# Limits of DynamoDB, held by both stores, so that what is saved on one machine can be saved in the cloud too:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
LARGEST_PARTITION_BYTES = 2048
LARGEST_SORT_BYTES = 1024
LARGEST_ITEM_BYTES = 400 * 1024  # names and values together
LARGEST_SAVE_BYTES = 4 * 1024 * 1024
MOST_RECORDS_IN_A_SAVE = 100
_NAMES_AND_NUMBERS_BYTES = 160  # of one item: its attributes' names, version and expires_at, rounded up

_BY_KIND = {layout.kind: layout for layout in LAYOUTS}
_BY_NAME = {layout.name: layout for layout in LAYOUTS}


@dataclass(frozen=True)
class Item:
    """A record as both stores keep it. `expires_at` is in seconds since 1970; `listing` is its second key, if any."""

    table: Table
    partition: str
    sort: str
    kind: str
    data: str
    version: int
    expires_at: int | None
    listing_partition: str | None
    listing_sort: str | None


def layout_of(kind: type) -> Layout:
    """The layout of one kind of record."""
    return _BY_KIND[kind]


def key_of(kind: type, key: tuple[str, ...]) -> tuple[Table, str, str]:
    """Table, partition key and sort key of the record that `key` names."""
    layout = layout_of(kind)
    return layout.table, layout.partition.format(*key), layout.sort.format(*key)


def item_of(record: Any) -> Item:
    """The record as it is kept after a save: one version further."""
    layout = layout_of(type(record))
    key = layout.key(record)
    listed = layout.listing(record)
    expires_at = layout.expires_at(record)
    data = to_json(record, sparse=True)  # a write is paid by the kilobyte
    if isinstance(data, dict):
        data.pop("version", None)
    return Item(
        table=layout.table,
        partition=layout.partition.format(*key),
        sort=layout.sort.format(*key),
        kind=layout.name,
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        version=record.version + 1,
        expires_at=int(expires_at.timestamp()) if expires_at else None,
        listing_partition=layout.listing_partition.format(*listed[0]) if listed else None,
        listing_sort=listed[1] if listed else None,
    )


def items_to_save(records: Sequence[Any], remove: Sequence[Any]) -> tuple[list[Item], list[Item]]:
    """Items to write and items to delete. Raises PayloadTooLarge, BadRequest, and OurFault for a save too long for one go."""
    written, removed = [item_of(record) for record in records], [item_of(record) for record in remove]
    every = [*written, *removed]
    if len(every) > MOST_RECORDS_IN_A_SAVE:
        raise OurFault(f"{len(every)} records in one save; {MOST_RECORDS_IN_A_SAVE} are the most. Save them in parts.")
    if len({(item.table, item.partition, item.sort) for item in every}) < len(every):
        raise OurFault("The same record is twice in one save.")
    if sum(_checked_size(item) for item in written) > LARGEST_SAVE_BYTES:
        raise PayloadTooLarge(f"The records of one save are over {LARGEST_SAVE_BYTES} bytes together.")
    return written, removed


def _checked_size(item: Item) -> int:
    texts = (item.partition, item.sort, item.kind, item.data, item.listing_partition or "", item.listing_sort or "")
    try:
        size = _NAMES_AND_NUMBERS_BYTES + sum(len(text.encode()) for text in texts)
    except UnicodeEncodeError:  # JSON may name half a letter, such as \ud83d, that no UTF-8 can say
        raise BadRequest(f"A text of the {item.kind} has a letter that is cut in half.") from None
    if not is_possible_key(item.partition, item.sort):
        raise PayloadTooLarge(f"A {item.kind}'s name must have 1 to {LARGEST_SORT_BYTES} bytes.")
    if size > LARGEST_ITEM_BYTES:
        raise PayloadTooLarge(f"A {item.kind} of {size} bytes is too large; {LARGEST_ITEM_BYTES} bytes are the most.")
    return size


def is_possible_key(partition: str, sort: str = "-") -> bool:
    """Whether a record can be kept under this key at all. A name from outside may be empty, too long, or no Unicode text."""
    try:
        return len(partition.encode()) <= LARGEST_PARTITION_BYTES and 0 < len(sort.encode()) <= LARGEST_SORT_BYTES
    except UnicodeEncodeError:
        return False


def record_of(kind_name: str, data: str, version: int) -> Any:
    """The record in an item."""
    return from_json(_BY_NAME[kind_name].kind, {**json.loads(data), "version": version})


class Search(NamedTuple):
    """Where a store looks for records of one kind: what their sort keys begin with, and whether those are the listing's."""

    table: Table
    partition: str
    prefix: str
    listed: bool


def search_of(kind: type, partition: tuple[str, ...], prefix: str = "") -> Search:
    """Where `find` looks."""
    search = _search_of(kind, partition)
    return search._replace(prefix=search.prefix + prefix) if prefix else search


@lru_cache(maxsize=64)
def _search_of(kind: type, partition: tuple[str, ...]) -> Search:
    layout = layout_of(kind)
    if layout.listing_partition:
        return Search(layout.table, layout.listing_partition.format(*partition), "", listed=True)
    return Search(layout.table, layout.partition.format(*partition), layout.sort_prefix, listed=False)


def write_cursor(sort: str) -> str:
    """An opaque cursor behind the entry with this sort key."""
    return base64.urlsafe_b64encode(sort.encode()).rstrip(b"=").decode()


def read_cursor(cursor: str, prefix: str = "") -> str:
    """The sort key in a cursor of a list whose sort keys begin with `prefix`; raises BadRequest."""
    try:
        sort = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        sort = ""
    # The decoder skips foreign letters, and a cursor of another list would lead out of this one: only our own passes.
    if not sort.startswith(prefix) or write_cursor(sort) != cursor or not is_possible_key(prefix, sort):
        detail = "must be a next_cursor as it was given"
        raise BadRequest("The cursor cannot be read.", (Problem("/cursor", detail),))
    return sort
