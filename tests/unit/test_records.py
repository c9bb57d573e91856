"""Keys, items and cursors: adapters/records.py."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.records import (
    LARGEST_SORT_BYTES,
    LAYOUTS,
    Item,
    Layout,
    Table,
    is_possible_key,
    item_of,
    items_to_save,
    key_of,
    layout_of,
    read_cursor,
    record_of,
    search_of,
    write_cursor,
)
from chalicelib.domain.device import Device
from chalicelib.domain.directory import User
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import BadRequest, OurFault, PayloadTooLarge
from chalicelib.domain.history import DeviceEvent
from chalicelib.domain.installation import Candidate
from chalicelib.domain.pairing import Pairing
from chalicelib.domain.tenant import Tenant

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAC = "805ec0123456"
ROOT = Path(__file__).parents[2]
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
CLAIM = Claim("t1", MAC, "desk", NOW)


def test_an_item_holds_the_record_one_version_further() -> None:
    expected = Item(
        table=Table.REGION,
        partition="device#805ec0123456",
        sort="claim#t1",
        kind="Claim",
        data='{"tenant_id":"t1","mac":"805ec0123456","location":"desk","added_at":"2026-11-22T12:00:00Z"}',
        version=4,
        expires_at=None,
        listing_partition="claims#t1",
        listing_sort=MAC,
    )

    assert expected == item_of(replace(CLAIM, version=3))


def test_a_record_comes_back_from_its_item() -> None:
    item = item_of(CLAIM)

    assert replace(CLAIM, version=1) == record_of(item.kind, item.data, item.version)


def test_an_item_ends_when_its_record_does() -> None:
    assert int((NOW + timedelta(hours=1)).timestamp()) == item_of(Candidate(MAC, "a", "i", NOW + timedelta(hours=1))).expires_at


def test_a_pairing_is_kept_for_a_day_after_its_end() -> None:
    pairing = Pairing("digest", "i", MAC, NOW, NOW + timedelta(minutes=15))

    assert int((NOW + timedelta(days=1, minutes=15)).timestamp()) == item_of(pairing).expires_at


@given(st.lists(MOMENTS, min_size=2, max_size=2, unique=True))
def test_history_is_in_order_of_time(moments: list[datetime]) -> None:
    earlier, later = (item_of(DeviceEvent(MAC, moment, "id", "onboarded")).sort for moment in sorted(moments))

    assert earlier < later


def test_history_of_another_time_zone_is_in_the_same_order() -> None:
    there = NOW.astimezone(datetime.strptime("+0530", "%z").tzinfo)

    assert item_of(DeviceEvent(MAC, NOW, "id", "x")).sort == item_of(DeviceEvent(MAC, there, "id", "x")).sort


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_kind_has_one_layout(layout: Layout) -> None:
    assert layout == layout_of(layout.kind)
    assert 1 == [other.name for other in LAYOUTS].count(layout.name)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_no_two_kinds_can_meet_under_one_key(layout: Layout) -> None:
    others = [other for other in LAYOUTS if other is not layout and _shape(other) == _shape(layout)]

    for other in others:
        assert not layout.sort_prefix.startswith(other.sort_prefix)
        assert not other.sort_prefix.startswith(layout.sort_prefix)


def _shape(layout: Layout) -> tuple[Table, str]:
    return layout.table, re.sub(r"\{\d}", "", layout.partition)


def test_a_key_names_where_its_record_is_kept() -> None:
    item = item_of(CLAIM)

    assert (item.table, item.partition, item.sort) == key_of(Claim, (MAC, "t1"))


def test_braces_in_a_name_are_only_letters() -> None:
    assert (Table.DIRECTORY, "users#{1}", "{0}") == key_of(User, ("{1}", "{0}"))


def test_a_listed_kind_is_searched_in_its_listing() -> None:
    assert (Table.REGION, "claims#t1", "", True) == search_of(Claim, ("t1",))


def test_another_kind_is_searched_by_what_its_sort_keys_begin_with() -> None:
    assert (Table.REGION, f"device#{MAC}", "candidate#", False) == search_of(Candidate, (MAC,))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_a_cursor_leads_back_to_its_sort_key(sort: str) -> None:
    cursor = write_cursor(sort)

    assert sort == read_cursor(cursor)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)


@given(st.text(max_size=40) | st.binary(max_size=20).map(lambda raw: raw.hex()))
def test_any_other_text_is_refused_or_is_a_cursor(text: str) -> None:
    try:
        sort = read_cursor(text)
    except BadRequest:
        return
    assert text == write_cursor(sort)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(BadRequest):
        read_cursor(write_cursor("claim#t1"), "candidate#")


def test_a_cursor_longer_than_any_key_is_refused() -> None:
    with pytest.raises(BadRequest):
        read_cursor(write_cursor("x" * (LARGEST_SORT_BYTES + 1)))


@pytest.mark.parametrize(
    ("partition", "sort", "possible"),
    [
        ("p", "s", True),
        ("p", "", False),
        ("p", "é" * 512, True),
        ("p", "é" * 513, False),
        ("é" * 1024, "s", True),
        ("é" * 1025, "s", False),
        ("p", "\ud83d", False),
        ("\ud83d", "s", False),
    ],
)
def test_keys_have_dynamodbs_limits_in_bytes(partition: str, sort: str, possible: bool) -> None:  # noqa: FBT001 - a table
    assert possible is is_possible_key(partition, sort)


def test_a_save_is_turned_into_what_is_written_and_what_is_removed() -> None:
    tenant, device = Tenant("t1"), Device(MAC, "yealink", "", "", version=3)

    assert ([item_of(tenant)], [item_of(device)]) == items_to_save([tenant], [device])


def test_a_hundred_and_one_records_are_too_many_for_one_save() -> None:
    users = [User("t1", f"user{number}") for number in range(101)]

    with pytest.raises(OurFault):
        items_to_save(users[:60], users[60:])


def test_a_record_cannot_be_written_and_removed_in_one_save() -> None:
    with pytest.raises(OurFault):
        items_to_save([CLAIM], [replace(CLAIM, version=1)])


def test_records_over_four_megabytes_together_are_too_large_for_one_save() -> None:
    with pytest.raises(PayloadTooLarge, match="together"):
        items_to_save([User("t1", f"user{number}", display_name="x" * 390_000) for number in range(11)], [])


def test_a_large_record_is_measured_in_bytes() -> None:
    with pytest.raises(PayloadTooLarge):
        items_to_save([User("t1", "anna", display_name="é" * 205_000)], [])
    assert 1 == len(items_to_save([User("t1", "anna", display_name="e" * 205_000)], [])[0])


def test_the_table_of_keys_in_the_docs_is_fresh() -> None:
    checked = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)  # noqa: PLW1510

    assert (0, "") == (checked.returncode, checked.stderr)
