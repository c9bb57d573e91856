"""The counting store counts what the port's docstrings promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.counting import Cost, CountingStore
from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.domain.directory import User
from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.tenant import Tenant


@pytest.fixture
def counting(clock: Any) -> CountingStore:
    return CountingStore(SqliteStore(":memory:", clock))


def test_a_new_store_has_cost_nothing(counting: CountingStore) -> None:
    assert Cost() == counting.cost


def test_each_record_asked_for_is_a_read_found_or_not(counting: CountingStore) -> None:
    counting.load(Tenant, "t1")
    counting.load_many(User, [("t1", "anna@example.com"), ("t1", "berta@example.com")])

    assert Cost(reads=3) == counting.cost


def test_a_reading_that_need_not_be_fresh_is_counted_by_itself(counting: CountingStore) -> None:
    counting.load_many(User, [("t1", "anna@example.com"), ("t1", "berta@example.com")], fresh=False)

    assert Cost(stale=2) == counting.cost


def test_each_list_asked_for_is_a_query(counting: CountingStore) -> None:
    counting.gather([User], "t1")
    counting.find(User, "t1")
    counting.find_newest(User, "t1")

    assert Cost(queries=3) == counting.cost


def test_each_record_saved_removed_or_counted_is_a_write(counting: CountingStore, clock: Any) -> None:
    counting.save(Tenant("t1"), User("t1", "anna@example.com"))
    counting.save(remove=[replace(Tenant("t1"), version=1)])
    counting.count_up("tries", clock.now + timedelta(minutes=1))

    assert Cost(writes=4) == counting.cost


def test_a_save_that_is_refused_has_its_cost(counting: CountingStore) -> None:
    counting.save(Tenant("t1"))
    with pytest.raises(SaveConflict):
        counting.save(Tenant("t1"))

    assert Cost(writes=2) == counting.cost


def test_counting_may_begin_anew(counting: CountingStore) -> None:
    counting.load(Tenant, "t1")

    counting.cost = Cost()

    assert Cost() == counting.cost
