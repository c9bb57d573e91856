"""The two DynamoDB tables as PynamoDB models, over one client. Knows no record, only the item that records.py makes of one."""

from __future__ import annotations

from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from chalicelib.adapters.aws import aws_session
from chalicelib.adapters.records import LISTING_INDEX, Item, Table
from chalicelib.contracts.frozen import dataclass

CONNECT_SECONDS = 1
READ_SECONDS = 3
RETRIES = 2  # after the first attempt; botocore's "standard" mode with back-off and jitter: at most about 15 s in all
POOL_SIZE = 20


class StoredItem(Model):
    """One item. `listing_…` and `expires_at` are absent, not null, where a record has none: the index stays sparse."""

    partition = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    data = UnicodeAttribute()
    version = NumberAttribute()
    expires_at = TTLAttribute(null=True)
    listing_partition = UnicodeAttribute(null=True)
    listing_sort = UnicodeAttribute(null=True)

    @property
    def key(self) -> tuple[str, str]:
        """What the item is kept under."""
        return self.partition, self.sort


@dataclass(frozen=True)
class Tables:
    """Both models, and the connection that carries their transactions. `region` has the index of listings."""

    models: dict[Table, type[StoredItem]]
    connection: Connection

    def fill(self, item: Item) -> StoredItem:
        """The item as PynamoDB writes it."""
        return self.models[item.table](
            item.partition,
            item.sort,
            kind=item.kind,
            data=item.data,
            version=item.version,
            expires_at=moment_of(item.expires_at),
            listing_partition=item.listing_partition,
            listing_sort=item.listing_sort,
        )

    def create(self) -> None:
        """Makes the tables where they are missing: for tests and emulators. In the cloud the infrastructure makes them."""
        for model in self.models.values():
            model.create_table(wait=True, billing_mode="PAY_PER_REQUEST")


def moment_of(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as PynamoDB wants a time to live; it keeps whole seconds, rounded down."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def open_tables(region_table: str, directory_table: str, *, aws_region: str | None, host: str | None) -> Tables:
    """Models are made anew for each call: PynamoDB reads a model's Meta when the class is made."""
    settings = {
        "region": aws_region,
        "host": host,
        "connect_timeout_seconds": CONNECT_SECONDS,
        "read_timeout_seconds": READ_SECONDS,
        "max_retry_attempts": RETRIES,
        "max_pool_connections": POOL_SIZE,
    }

    class Listing(GlobalSecondaryIndex[StoredItem]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
        Meta = type("Meta", (), {"index_name": LISTING_INDEX, "projection": AllProjection()})
        listing_partition = UnicodeAttribute(hash_key=True)
        listing_sort = UnicodeAttribute(range_key=True)

    class RegionItem(StoredItem):
        Meta = type("Meta", (), {"table_name": region_table, **settings})  # type: ignore[assignment]  # a protocol to mypy
        listing = Listing()

    class DirectoryItem(StoredItem):
        Meta = type("Meta", (), {"table_name": directory_table, **settings})  # type: ignore[assignment]  # a protocol to mypy

    return Tables({Table.REGION: RegionItem, Table.DIRECTORY: DirectoryItem}, _join(RegionItem, DirectoryItem))


def _join(first: type[StoredItem], second: type[StoredItem]) -> Connection:
    """Both models over the first one's client, made by the process's session: a client costs about 100 ms, and connections.

    PynamoDB has no public way to share either. It is made here, before there are threads: making one is not thread-safe.
    """
    table, other = first._get_connection(), second._get_connection()  # noqa: SLF001 - see above
    table.connection.add_meta_table(other.get_meta_table())
    other.connection = table.connection
    table.connection._local.session = aws_session()  # noqa: SLF001 - see above
    _ = table.connection.client
    return table.connection
