"""The Store port: loading, saving, versions, removing. Every store must pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.device import Device, DeviceState
from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.errors import BadRequest, OurFault, PayloadTooLarge, SaveConflict
from chalicelib.domain.tenant import Tenant
from chalicelib.usecases.ports import Store

MAC = "805ec0123456"
DEVICE = Device(mac=MAC, vendor="yealink", model="T46U", firmware="108.86.0.90")
TENANT = Tenant("t1")
ANNA = User("t1", "anna@example.com", display_name="Anna")
HARD_TEXTS = [
    "",
    " ",
    'Zoë O\'Neill "the" <b>&amp;</b>; DROP TABLE items; --',
    "line\r\nbreaks\tand\x00nought\x1f",
    "日本語 עברית 👩‍👩‍👧 \U0010ffff",
    "{0} %s ? :name #partition",
    "x" * 10_000,
    "é" * 10_000,
]


def test_nothing_is_found_under_a_key_that_was_never_saved(store: Store) -> None:
    assert store.load(Device, MAC) is None


def test_a_saved_record_is_loaded_one_version_further(store: Store) -> None:
    store.save(DEVICE)

    assert replace(DEVICE, version=1) == store.load(Device, MAC)


def test_a_changed_record_is_loaded_as_it_was_last_saved(store: Store) -> None:
    store.save(DEVICE)
    store.save(replace(DEVICE, version=1, state=DeviceState.ENROLLED))

    assert replace(DEVICE, version=2, state=DeviceState.ENROLLED) == store.load(Device, MAC)


@pytest.mark.parametrize("text", HARD_TEXTS, ids=lambda text: ascii(text[:12]))
def test_any_text_comes_back_as_it_was(store: Store, text: str) -> None:
    store.save(replace(ANNA, display_name=text))

    assert text == store.load(User, "t1", "anna@example.com").display_name


@pytest.mark.parametrize("text", [text for text in HARD_TEXTS if text and len(text) < 1000], ids=lambda text: ascii(text[:12]))
def test_any_text_can_be_a_name(store: Store, text: str) -> None:
    store.save(CallingPolicy("t1", text))

    assert text == store.load(CallingPolicy, "t1", text).name


def test_a_record_is_not_inserted_twice(store: Store) -> None:
    store.save(DEVICE)

    with pytest.raises(SaveConflict):
        store.save(replace(DEVICE, firmware="other"))
    assert "108.86.0.90" == store.load(Device, MAC).firmware


def test_an_outdated_record_is_not_saved(store: Store) -> None:
    store.save(DEVICE)
    store.save(replace(DEVICE, version=1, firmware="new"))

    with pytest.raises(SaveConflict):
        store.save(replace(DEVICE, version=1, firmware="late"))
    assert "new" == store.load(Device, MAC).firmware


def test_a_record_that_was_never_saved_cannot_be_changed(store: Store) -> None:
    with pytest.raises(SaveConflict):
        store.save(replace(DEVICE, version=1))
    assert store.load(Device, MAC) is None


def test_several_records_in_both_tables_are_saved_together(store: Store) -> None:
    store.save(DEVICE, TENANT, ANNA)

    expected = (replace(DEVICE, version=1), replace(TENANT, version=1), replace(ANNA, version=1))
    assert expected == (store.load(Device, MAC), store.load(Tenant, "t1"), store.load(User, "t1", ANNA.upn))


def test_one_outdated_record_keeps_all_others_from_being_saved(store: Store) -> None:
    store.save(TENANT)

    with pytest.raises(SaveConflict):
        store.save(DEVICE, replace(TENANT, enabled=True), ANNA)
    assert (None, None) == (store.load(Device, MAC), store.load(User, "t1", ANNA.upn))
    assert not store.load(Tenant, "t1").enabled


def test_one_record_that_cannot_be_removed_keeps_all_others_from_being_saved(store: Store) -> None:
    store.save(TENANT)

    with pytest.raises(SaveConflict):
        store.save(DEVICE, remove=[replace(TENANT, version=7)])
    assert store.load(Device, MAC) is None
    assert replace(TENANT, version=1) == store.load(Tenant, "t1")


def test_a_store_works_on_after_a_conflict(store: Store) -> None:
    store.save(TENANT)
    with pytest.raises(SaveConflict):
        store.save(DEVICE, TENANT)

    store.save(DEVICE)

    assert replace(DEVICE, version=1) == store.load(Device, MAC)


def test_saving_nothing_changes_nothing(store: Store) -> None:
    store.save()
    store.save(remove=[])


def test_a_removed_record_is_gone(store: Store) -> None:
    store.save(DEVICE)

    store.save(remove=[replace(DEVICE, version=1)])

    assert store.load(Device, MAC) is None


def test_a_removed_record_can_be_inserted_again(store: Store) -> None:
    store.save(DEVICE)
    store.save(remove=[replace(DEVICE, version=1)])

    store.save(DEVICE)

    assert 1 == store.load(Device, MAC).version


def test_an_outdated_record_is_not_removed(store: Store) -> None:
    store.save(DEVICE)
    store.save(replace(DEVICE, version=1))

    with pytest.raises(SaveConflict):
        store.save(remove=[replace(DEVICE, version=1)])
    assert 2 == store.load(Device, MAC).version


@pytest.mark.parametrize("version", [0, 1])
def test_a_record_that_is_not_there_cannot_be_removed(store: Store, version: int) -> None:
    with pytest.raises(SaveConflict):
        store.save(remove=[replace(DEVICE, version=version)])


def test_records_are_saved_and_removed_together(store: Store) -> None:
    store.save(TENANT, ANNA)

    store.save(DEVICE, remove=[replace(TENANT, version=1), replace(ANNA, version=1)])

    assert replace(DEVICE, version=1) == store.load(Device, MAC)
    assert (None, None) == (store.load(Tenant, "t1"), store.load(User, "t1", ANNA.upn))


def test_many_records_are_loaded_in_the_order_asked(store: Store) -> None:
    for number in range(120):
        store.save(User("t1", f"user{number:03}@example.com"))
    upns = [f"user{number:03}@example.com" for number in range(119, -1, -1)]
    upns[7] = "nobody@example.com"

    loaded = store.load_many(User, [("t1", upn) for upn in upns])

    assert [None if upn.startswith("nobody") else upn for upn in upns] == [user and user.upn for user in loaded]


def test_the_same_record_may_be_asked_for_twice(store: Store) -> None:
    store.save(ANNA)
    anna = replace(ANNA, version=1)

    assert [anna, None, anna] == store.load_many(User, [("t1", ANNA.upn), ("t2", ANNA.upn), ("t1", ANNA.upn)])


def test_a_reading_that_need_not_be_fresh_finds_what_is_long_saved(store: Store) -> None:
    store.save(ANNA)

    assert [replace(ANNA, version=1)] == store.load_many(User, [("t1", ANNA.upn)], fresh=False)


def test_no_keys_give_no_records(store: Store) -> None:
    assert [] == store.load_many(User, [])


@pytest.mark.parametrize("name", ["", "x" * 1025, "\ud83d"], ids=["empty", "too long", "half a letter"])
def test_nothing_is_found_under_a_name_that_cannot_be_kept(store: Store, name: str) -> None:
    assert store.load(CallingPolicy, "t1", name) is None
    assert [None] == store.load_many(CallingPolicy, [("t1", name)])


@pytest.mark.parametrize("name", ["", "x" * 1025], ids=["empty", "too long"])
def test_a_name_that_cannot_be_kept_is_refused(store: Store, name: str) -> None:
    with pytest.raises(PayloadTooLarge):
        store.save(CallingPolicy("t1", name))


def test_half_a_letter_is_refused(store: Store) -> None:
    with pytest.raises(BadRequest):
        store.save(replace(ANNA, display_name="\ud83d"))


def test_a_record_over_the_limit_of_an_item_is_refused(store: Store) -> None:
    with pytest.raises(PayloadTooLarge):
        store.save(replace(ANNA, display_name="x" * 410_000))


def test_a_record_just_under_the_limit_of_an_item_is_saved(store: Store) -> None:
    store.save(replace(ANNA, display_name="x" * 400_000))

    assert 400_000 == len(store.load(User, "t1", ANNA.upn).display_name)


def test_a_hundred_records_are_saved_together(store: Store) -> None:
    store.save(*(User("t1", f"user{number:03}@example.com") for number in range(100)))

    assert 100 == len(store.find(User, "t1").items)


def test_more_than_a_hundred_records_at_once_are_a_fault_of_ours(store: Store) -> None:
    with pytest.raises(OurFault, match="101 records"):
        store.save(*(User("t1", f"user{number:03}@example.com") for number in range(101)))
    assert () == store.find(User, "t1").items


def test_the_same_record_twice_in_one_save_is_a_fault_of_ours(store: Store) -> None:
    with pytest.raises(OurFault, match="twice"):
        store.save(ANNA, ANNA)
