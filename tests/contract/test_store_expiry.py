"""The Store port: records and counters that end by themselves. Every store must pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.device import Device
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.installation import Candidate
from chalicelib.domain.pairing import Pairing
from chalicelib.domain.upload import Upload, kept_under
from chalicelib.domain.web import SignInFlow
from chalicelib.usecases.ports import Store

MAC = "805ec0123456"
MINUTE = 60


def flow(ends_at: datetime, **changes: object) -> SignInFlow:
    return replace(SignInFlow("digest", "browser", ends_at), **changes)


def candidate(address: str, ends_at: datetime) -> Candidate:
    return Candidate(MAC, address, "installation", ends_at)


def test_a_record_is_there_until_its_end_and_not_after_it(store: Store, clock: Any) -> None:
    ends_at = clock.now + timedelta(minutes=1)
    store.save(flow(ends_at))

    clock.forward(MINUTE - 1)
    assert flow(ends_at, version=1) == store.load(SignInFlow, "digest")
    clock.forward(1)
    assert store.load(SignInFlow, "digest") is None
    assert [None] == store.load_many(SignInFlow, [("digest",)])


def test_a_record_that_is_kept_past_its_end_is_still_loaded(store: Store, clock: Any) -> None:
    store.save(Pairing("digest", "installation", MAC, clock.now, clock.now + timedelta(minutes=15)))

    clock.forward(16 * MINUTE)

    assert "digest" == store.load(Pairing, "digest").digest


def test_a_new_record_takes_the_place_of_one_that_is_over(store: Store, clock: Any) -> None:
    store.save(flow(clock.now + timedelta(minutes=1)))
    clock.forward(2 * MINUTE)
    newer = flow(clock.now + timedelta(minutes=1), browser_digest="other")

    store.save(newer)

    assert replace(newer, version=1) == store.load(SignInFlow, "digest")


def test_new_records_take_the_place_of_old_ones_together(store: Store, clock: Any) -> None:
    store.save(flow(clock.now + timedelta(minutes=1)))
    clock.forward(2 * MINUTE)
    newer = flow(clock.now + timedelta(minutes=1), browser_digest="other")

    store.save(newer, Device(MAC, "yealink", "T46U", ""))

    assert replace(newer, version=1) == store.load(SignInFlow, "digest")
    assert 1 == store.load(Device, MAC).version


def test_a_new_record_does_not_take_the_place_of_one_that_still_counts(store: Store, clock: Any) -> None:
    store.save(flow(clock.now + timedelta(minutes=1)))
    clock.forward(MINUTE - 1)

    with pytest.raises(SaveConflict):
        store.save(flow(clock.now + timedelta(minutes=1)))


def test_a_record_that_never_ends_is_never_replaced(store: Store, clock: Any) -> None:
    store.save(Device(MAC, "yealink", "T46U", ""))
    clock.forward(10 * 365 * 86400)

    with pytest.raises(SaveConflict):
        store.save(Device(MAC, "poly", "", ""))
    assert "yealink" == store.load(Device, MAC).vendor


def test_a_record_whose_end_is_moved_lives_on(store: Store, clock: Any) -> None:
    store.save(flow(clock.now + timedelta(minutes=1)))
    store.save(flow(clock.now + timedelta(minutes=5), version=1))

    clock.forward(2 * MINUTE)

    assert 2 == store.load(SignInFlow, "digest").version


def test_gather_leaves_out_what_is_over(store: Store, clock: Any) -> None:
    store.save(candidate("192.0.2.1", clock.now + timedelta(minutes=1)), candidate("192.0.2.2", clock.now + timedelta(hours=1)))

    clock.forward(MINUTE)

    assert ["192.0.2.2"] == [found.address for found in store.gather([Candidate, Claim], MAC)]


@pytest.mark.parametrize("find_name", ["find", "find_newest"])
def test_a_page_is_full_although_most_of_the_list_is_over(store: Store, clock: Any, find_name: str) -> None:
    for number in range(30):
        minutes = 60 if number % 10 == 0 else 1
        store.save(candidate(f"192.0.2.{number:03}", clock.now + timedelta(minutes=minutes)))
    clock.forward(MINUTE)

    first = getattr(store, find_name)(Candidate, MAC, limit=2)
    second = getattr(store, find_name)(Candidate, MAC, limit=2, cursor=first.next_cursor)

    assert (2, 1, None) == (len(first.items), len(second.items), second.next_cursor)
    assert {"192.0.2.000", "192.0.2.010", "192.0.2.020"} == {found.address for found in (*first.items, *second.items)}


def test_a_page_whose_rest_is_over_is_the_last(store: Store, clock: Any) -> None:
    for number in range(10):
        store.save(candidate(f"192.0.2.{number:03}", clock.now + timedelta(minutes=60 if number < 2 else 1)))
    clock.forward(MINUTE)

    page = store.find(Candidate, MAC, limit=2)

    assert (2, None) == (len(page.items), page.next_cursor)


def test_a_cursor_outlives_the_end_of_the_record_that_it_points_at(store: Store, clock: Any) -> None:
    for number in range(4):
        store.save(candidate(f"192.0.2.{number:03}", clock.now + timedelta(minutes=60 if number > 1 else 1)))
    page = store.find(Candidate, MAC, limit=2)
    clock.forward(MINUTE)

    following = store.find(Candidate, MAC, limit=2, cursor=page.next_cursor)

    assert ["192.0.2.002", "192.0.2.003"] == [found.address for found in following.items]


def test_a_counter_starts_at_one_and_counts_on(store: Store, clock: Any) -> None:
    ends_at = clock.now + timedelta(minutes=15)

    assert [1, 2, 3] == [store.count_up("tries#anna", ends_at) for _ in range(3)]


def test_counters_of_different_names_do_not_meet(store: Store, clock: Any) -> None:
    ends_at = clock.now + timedelta(minutes=15)
    store.count_up("tries#anna", ends_at)

    assert 1 == store.count_up("tries#berta", ends_at)


def test_a_counter_starts_again_after_its_end(store: Store, clock: Any) -> None:
    store.count_up("tries", clock.now + timedelta(minutes=1))
    store.count_up("tries", clock.now + timedelta(minutes=1))
    clock.forward(MINUTE)

    assert [1, 2] == [store.count_up("tries", clock.now + timedelta(minutes=1)) for _ in range(2)]


def test_counting_up_does_not_move_a_counters_end(store: Store, clock: Any) -> None:
    store.count_up("tries", clock.now + timedelta(minutes=1))
    clock.forward(MINUTE - 1)
    store.count_up("tries", clock.now + timedelta(minutes=1))
    clock.forward(1)

    assert 1 == store.count_up("tries", clock.now + timedelta(minutes=1))


def test_a_counter_that_began_again_ends_by_its_new_end(store: Store, clock: Any) -> None:
    store.count_up("tries", clock.now + timedelta(minutes=1))
    clock.forward(MINUTE)
    store.count_up("tries", clock.now + timedelta(minutes=5))
    clock.forward(4 * MINUTE)

    assert 2 == store.count_up("tries", clock.now + timedelta(minutes=5))


def test_an_upload_that_nobody_owns_ends_after_a_day_and_lies_apart_from_a_tenants(store: Store, clock: Any) -> None:
    owned = Upload(MAC, "boot.log", 0, 1, 4, "tenant", clock.now, "text/plain", "b3Vycw==")
    store.save(owned, replace(owned, tenant_id=None, data="dGhlaXJz"))
    places = (kept_under(MAC, "tenant"), kept_under(MAC, None))
    assert [["b3Vycw=="], ["dGhlaXJz"]] == [[item.data for item in store.find(Upload, place).items] for place in places]

    clock.forward(24 * 60 * MINUTE)
    assert [1, 0] == [len(store.find(Upload, place).items) for place in places]
