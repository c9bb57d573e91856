"""The Store port on two DynamoDB tables. Same keys, versions and cursors as the SQLite store.

Single records are read and written by key, consistently unless `load_many` is told that they need not be fresh. Lists under a
second key come from an index that follows its table within about a second: whoever changes a record found there may meet
SaveConflict, and loads it by its key then.

DynamoDB deletes expired items up to days late, so they are skipped here, and a new record takes an expired one's place.

After a lost answer the SDK tries again by itself. A save of several records carries a token and is carried out once. A save of
one record then raises SaveConflict although it was written, and `count_up` may count twice: both err on the safe side.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.failures import CONDITION_FAILED, code_of, named_failures
from chalicelib.adapters.dynamodb.models import StoredItem, moment_of, open_tables
from chalicelib.adapters.records import (
    AFTER_ALL,
    COUNTER_PARTITION,
    COUNTER_SORT,
    LISTING_INDEX,
    Item,
    Search,
    Table,
    is_possible_key,
    items_to_save,
    key_of,
    layout_of,
    read_cursor,
    record_of,
    search_of,
    write_cursor,
)
from chalicelib.domain.errors import StoreAway
from chalicelib.usecases.ports import Page

R = TypeVar("R")

_COUNTER_TRIES = 5  # each finds that the counter ended, or began anew, in the moment before


class DynamoStore:
    """See the module. `host` is the URL of an emulator. `clock` gives seconds since 1970. Threads may share one."""

    def __init__(
        self,
        region_table: str,
        directory_table: str,
        *,
        aws_region: str | None = None,
        host: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tables = open_tables(region_table, directory_table, aws_region=aws_region, host=host)
        self._clock = clock

    def create_tables(self) -> None:
        """Makes missing tables: for tests and emulators only."""
        self._tables.create()

    def load(self, kind: type[R], *key: str) -> R | None:
        table, partition, sort = key_of(kind, key)
        if not is_possible_key(partition, sort):
            return None
        with named_failures():
            try:
                item = self._tables.models[table].get(partition, sort, consistent_read=True)
            except DoesNotExist:
                return None
        record: R | None = self._unless_over(item)
        return record

    def load_many(self, kind: type[R], keys: Sequence[tuple[str, ...]], *, fresh: bool = True) -> list[R | None]:
        model = self._tables.models[layout_of(kind).table]
        wanted = [key_of(kind, key)[1:] for key in keys]
        with named_failures():
            items = model.batch_get([key for key in wanted if is_possible_key(*key)], consistent_read=fresh)
            found = {item.key: self._unless_over(item) for item in items}
        return [found.get(key) for key in wanted]

    def gather(self, kinds: Sequence[type], *partition: str) -> list[Any]:
        layout = layout_of(kinds[0])
        model, where = self._tables.models[layout.table], layout.partition.format(*partition)
        names = {kind.__name__ for kind in kinds}
        with named_failures():
            items = model.query(where, filter_condition=self._is_alive(model), consistent_read=True)
            return [_record(item) for item in items if item.kind in names]

    def find(self, kind: type[R], *partition: str, prefix: str = "", limit: int = 100, cursor: str | None = None) -> Page:
        return self._search(search_of(kind, partition, prefix), limit, cursor, newest_first=False)

    def find_newest(self, kind: type[R], *partition: str, limit: int = 100, cursor: str | None = None) -> Page:
        return self._search(search_of(kind, partition), limit, cursor, newest_first=True)

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        written, removed = items_to_save(records, remove)
        with named_failures():
            if len(written) + len(removed) > 1:
                self._save_together(written, removed)
                return
            for item in written:
                self._tables.fill(item).save(self._may_write(item))
            for item in removed:
                self._tables.fill(item).delete(self._may_delete(item))

    def count_up(self, name: str, expires_at: datetime) -> int:
        counter = self._tables.models[Table.REGION](COUNTER_PARTITION.format(name), COUNTER_SORT)
        for _ in range(_COUNTER_TRIES):
            with named_failures():
                if self._add_one(counter, expires_at) or self._start_again(counter, expires_at):
                    return int(counter.version)
        raise StoreAway

    def remove_expired(self, most: int) -> int:
        """DynamoDB's time to live does it."""
        del most
        return 0

    def _search(self, search: Search, limit: int, cursor: str | None, *, newest_first: bool) -> Page:
        table, where, prefix, listed = search
        after = read_cursor(cursor, prefix) if cursor else None
        model = self._tables.models[table]
        query = partial(
            model.query,
            where,
            filter_condition=self._is_alive(model),
            scan_index_forward=not newest_first,
            limit=limit + 1,  # one more tells whether there is a next page; behind a filter PynamoDB asks on until it has them
        )
        with named_failures():
            if listed:  # an index cannot be read consistently
                part = _part_of_listing(model, prefix, after, newest_first=newest_first)
                items = list(query(part, index_name=LISTING_INDEX))
            else:
                items = list(query(_prefixed(model, prefix), last_evaluated_key=_key(where, after), consistent_read=True))
        cursors = tuple(write_cursor(item.listing_sort if listed else item.sort) for item in items[:limit])
        return Page(tuple(_record(item) for item in items[:limit]), cursors[-1] if len(items) > limit else None, cursors)

    def _unless_over(self, item: StoredItem) -> Any:
        expires_at: datetime | None = item.expires_at
        over = expires_at is not None and expires_at.timestamp() <= self._clock()
        return None if over else _record(item)

    def _save_together(self, written: Sequence[Item], removed: Sequence[Item]) -> None:
        token = str(uuid.uuid4())
        with TransactWrite(connection=self._tables.connection, client_request_token=token) as transaction:
            for item in written:
                transaction.save(self._tables.fill(item), self._may_write(item))
            for item in removed:
                transaction.delete(self._tables.fill(item), self._may_delete(item))

    def _may_write(self, item: Item) -> Condition:
        model = self._tables.models[item.table]
        if item.version == 1:
            return _either(model.partition.does_not_exist(), self._is_over(model))
        return _is_version(model, item.version - 1)

    def _may_delete(self, item: Item) -> Condition:
        return _is_version(self._tables.models[item.table], item.version - 1)

    def _is_alive(self, model: type[StoredItem]) -> Condition:
        return _either(model.expires_at.does_not_exist(), model.expires_at > moment_of(self._clock()))

    def _is_over(self, model: type[StoredItem]) -> Condition:
        over: Condition = model.expires_at <= moment_of(self._clock())
        return over

    def _add_one(self, counter: StoredItem, expires_at: datetime) -> bool:
        model = type(counter)
        actions: list[Action] = [
            model.version.add(1),
            model.kind.set("Counter"),
            model.data.set(""),
            model.expires_at.set(model.expires_at | expires_at),  # of the first count
        ]
        return _applied(lambda: counter.update(actions, self._is_alive(model)))

    def _start_again(self, counter: StoredItem, expires_at: datetime) -> bool:
        model = type(counter)
        actions: list[Action] = [model.version.set(1), model.expires_at.set(expires_at)]
        return _applied(lambda: counter.update(actions, self._is_over(model)))


def _record(item: StoredItem) -> Any:
    return record_of(item.kind, item.data, int(item.version))


def _applied(update: Callable[[], Any]) -> bool:
    """Whether the update's condition held."""
    try:
        update()
    except UpdateError as error:
        if code_of(error) == CONDITION_FAILED:
            return False
        raise
    return True


def _either(first: Condition, second: Condition) -> Condition:
    condition: Condition = first | second  # untyped in PynamoDB
    return condition


def _is_version(model: type[StoredItem], version: int) -> Condition:
    same: Condition = model.version == version
    return same


def _part_of_listing(model: type[StoredItem], prefix: str, after: str | None, *, newest_first: bool) -> Condition | None:
    """The entries behind `after` that begin with `prefix`; a prefix is asked for oldest first alone."""
    if after is None:
        return model.listing_sort.startswith(prefix) if prefix else None
    if prefix:  # a key condition has one comparison: from the next possible key to the prefix's last
        return model.listing_sort.between(after + "\x00", prefix + AFTER_ALL)
    return model.listing_sort < after if newest_first else model.listing_sort > after


def _prefixed(model: type[StoredItem], prefix: str) -> Condition | None:
    return model.sort.startswith(prefix) if prefix else None


def _key(partition: str, after: str | None) -> dict[str, dict[str, Any]] | None:
    return {"partition": {"S": partition}, "sort": {"S": after}} if after is not None else None
