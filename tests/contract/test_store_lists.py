"""The Store port: gather, find and find_newest, with their cursors. Every store must pass."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.device import Device
from chalicelib.domain.directory import SignedInUser, User
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.history import DeviceEvent
from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import Account, Candidate, Installation, Profile, Stage
from chalicelib.domain.tenant import Tenant
from chalicelib.usecases.ports import Page, Store

MAC, OTHER_MAC = "805ec0123456", "805ec0123457"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
DEVICE = Device(mac=MAC, vendor="yealink", model="T46U", firmware="")


def claim(tenant_id: str, mac: str = MAC) -> Claim:
    return Claim(tenant_id, mac, "desk", NOW)


def candidate(address: str, mac: str = MAC) -> Candidate:
    return Candidate(mac, address, "installation", LATER)


def installation(name: str, upn: str = "", tenant_id: str | None = "t1") -> Installation:
    return Installation(
        id=name,
        mac=MAC,
        seed="seed",
        vendor="yealink",
        model="T46U",
        firmware="",
        language=Language.EN,
        address="192.0.2.1",
        created_at=NOW,
        account=Account(1, name),
        stage=Stage.ACTIVE,
        tenant_id=tenant_id,
        profile=Profile(user=SignedInUser(upn, "", "")) if upn else Profile(),
    )


def event(number: int, mac: str = MAC) -> DeviceEvent:
    return DeviceEvent(mac, NOW + timedelta(microseconds=number), f"id{number}", "onboarded")


def save_users(store: Store, numbers: range, tenant_id: str = "t1") -> None:
    for number in numbers:
        store.save(User(tenant_id, f"user{number:02}@example.com"))


def read_all(find: Callable[..., Page], *asked: Any, limit: int) -> list[Page]:
    """Every page from the first to the last."""
    pages = [find(*asked, limit=limit)]
    while pages[-1].next_cursor:
        pages.append(find(*asked, limit=limit, cursor=pages[-1].next_cursor))
    return pages


def upns(*pages: Page) -> list[str]:
    return [user.upn for page in pages for user in page.items]


def test_gather_gives_all_that_is_known_of_one_mac(store: Store) -> None:
    store.save(DEVICE, claim("t1"), claim("t2"), candidate("192.0.2.1"), claim("t1", OTHER_MAC))

    gathered = store.gather([Device, Claim, Candidate], MAC)

    expected = [candidate("192.0.2.1"), claim("t1"), claim("t2"), DEVICE]
    assert [replace(record, version=1) for record in expected] == gathered


def test_gather_gives_only_the_kinds_asked_for(store: Store) -> None:
    store.save(DEVICE, claim("t1"), candidate("192.0.2.1"))

    assert [replace(DEVICE, version=1)] == store.gather([Device], MAC)


def test_gather_of_an_unknown_mac_is_empty(store: Store) -> None:
    assert [] == store.gather([Device, Claim, Candidate], MAC)


def test_find_gives_the_records_in_order_of_their_names(store: Store) -> None:
    for upn in ("berta@example.com", "Zoe@example.com", "anna@example.com", "ärzte@example.com"):
        store.save(User("t1", upn))
    store.save(User("t2", "carl@example.com"), Tenant("t1"))

    page = store.find(User, "t1")

    assert ["Zoe@example.com", "anna@example.com", "berta@example.com", "ärzte@example.com"] == upns(page)
    assert page.next_cursor is None


def test_find_in_an_empty_partition_is_an_empty_page(store: Store) -> None:
    assert Page(()) == store.find(User, "t1")


def test_find_newest_gives_the_last_first(store: Store) -> None:
    store.save(*(event(number) for number in range(5)), event(9, OTHER_MAC))

    assert ["id4", "id3", "id2", "id1", "id0"] == [found.id for found in store.find_newest(DeviceEvent, MAC).items]


def test_find_gives_one_kind_of_a_partition_that_holds_several(store: Store) -> None:
    store.save(DEVICE, claim("t1"), candidate("192.0.2.1"), candidate("192.0.2.2"))

    assert ["192.0.2.1", "192.0.2.2"] == [found.address for found in store.find(Candidate, MAC).items]


@pytest.mark.parametrize("find_name", ["find", "find_newest"])
def test_pages_of_one_kind_end_where_the_kind_ends(store: Store, find_name: str) -> None:
    store.save(DEVICE, claim("t1"), claim("t9"), *(candidate(f"192.0.2.{number}") for number in range(5)))

    pages = read_all(getattr(store, find_name), Candidate, MAC, limit=2)

    assert [2, 2, 1] == [len(page.items) for page in pages]
    assert {Candidate} == {type(found) for page in pages for found in page.items}


def test_claims_are_listed_by_their_tenant(store: Store) -> None:
    store.save(claim("t1", OTHER_MAC), claim("t1"), claim("t2"))

    assert [MAC, OTHER_MAC] == [found.mac for found in store.find(Claim, "t1").items]


def installation_ids(store: Store, prefix: str, limit: int) -> list[list[str]]:
    pages = [store.find(Installation, "t1", prefix=prefix, limit=limit)]
    while pages[-1].next_cursor:
        pages.append(store.find(Installation, "t1", prefix=prefix, limit=limit, cursor=pages[-1].next_cursor))
    return [[found.id for found in page.items] for page in pages]


@pytest.mark.parametrize(("limit", "expected"), [(10, [["i1", "i2", "i5"]]), (2, [["i1", "i2"], ["i5"]])])
def test_one_users_installations_are_found_by_the_beginning_of_their_key(
    store: Store, limit: int, expected: list[list[str]]
) -> None:
    names = {"i1": "anna@a.example", "i2": "anna@a.example", "i3": "anna@a.examples", "i4": "ann@a.example"}
    store.save(*(installation(name, upn) for name, upn in {**names, "i5": "anna@a.example", "i6": "zoe@a.example"}.items()))
    store.save(installation("i7", "anna@a.example", "t2"), installation("i8"))

    assert expected == installation_ids(store, "anna@a.example#", limit)


def test_a_beginning_that_no_key_has_finds_nothing(store: Store) -> None:
    store.save(installation("i1", "anna@a.example"))

    assert [[]] == installation_ids(store, "anna@a.example##", 10)


def test_a_beginning_narrows_a_kind_that_shares_its_partition(store: Store) -> None:
    store.save(candidate("192.0.2.1"), candidate("192.0.3.1"), claim("192.0.2.1"))

    assert ["192.0.2.1"] == [found.address for found in store.find(Candidate, MAC, prefix="192.0.2.").items]


def test_installations_are_listed_by_their_tenant_and_user(store: Store) -> None:
    store.save(installation("i1", "berta@example.com"), installation("i2"), installation("i3", "anna@example.com"))

    assert ["i2", "i3", "i1"] == [found.id for found in store.find(Installation, "t1").items]


def test_an_installation_without_a_tenant_is_listed_nowhere(store: Store) -> None:
    store.save(installation("i1", tenant_id=None))

    assert Page(()) == store.find(Installation, "None")
    assert "i1" == store.load(Installation, "i1").id


def test_a_record_moves_in_the_list_when_its_second_key_changes(store: Store) -> None:
    store.save(installation("i1", "anna@example.com"), installation("i2", "berta@example.com"))

    store.save(replace(installation("i1", "carl@example.com"), version=1))

    assert ["i2", "i1"] == [found.id for found in store.find(Installation, "t1").items]


def test_a_record_leaves_the_list_when_it_loses_its_second_key(store: Store) -> None:
    store.save(installation("i1"))

    store.save(replace(installation("i1", tenant_id=None), version=1))

    assert Page(()) == store.find(Installation, "t1")


def test_a_removed_record_leaves_the_list(store: Store) -> None:
    store.save(claim("t1"))

    store.save(remove=[replace(claim("t1"), version=1)])

    assert Page(()) == store.find(Claim, "t1")


@pytest.mark.parametrize(("find_name", "order"), [("find", 1), ("find_newest", -1)])
def test_pages_together_are_the_whole_list(store: Store, find_name: str, order: int) -> None:
    save_users(store, range(7))

    pages = read_all(getattr(store, find_name), User, "t1", limit=3)

    assert [f"user{number:02}@example.com" for number in range(7)][::order] == upns(*pages)
    assert [3, 3, 1] == [len(page.items) for page in pages]


@pytest.mark.parametrize(("find_name", "order"), [("find", 1), ("find_newest", -1)])
def test_pages_of_a_listing_together_are_the_whole_list(store: Store, find_name: str, order: int) -> None:
    store.save(*(installation(f"i{number}", f"user{number % 3}@example.com") for number in range(7)))

    pages = read_all(getattr(store, find_name), Installation, "t1", limit=3)

    assert ["i0", "i3", "i6", "i1", "i4", "i2", "i5"][::order] == [found.id for page in pages for found in page.items]


def test_a_full_last_page_has_no_cursor(store: Store) -> None:
    save_users(store, range(6))

    assert [3, 3] == [len(page.items) for page in read_all(store.find, User, "t1", limit=3)]


def test_inserts_neither_repeat_nor_hide_what_a_cursor_has_yet_to_show(store: Store) -> None:
    save_users(store, range(0, 20, 2))
    first = store.find(User, "t1", limit=5)
    store.save(User("t1", "user01@example.com"), User("t1", "user09@example.com"))

    second = store.find(User, "t1", limit=5, cursor=first.next_cursor)

    assert [f"user{number:02}@example.com" for number in (0, 2, 4, 6, 8)] == upns(first)
    assert [f"user{number:02}@example.com" for number in (9, 10, 12, 14, 16)] == upns(second)


@pytest.mark.parametrize(("find_name", "following"), [("find", "user03@example.com"), ("find_newest", "user01@example.com")])
def test_a_cursor_outlives_the_record_that_it_points_at(store: Store, find_name: str, following: str) -> None:
    save_users(store, range(5))
    page = getattr(store, find_name)(User, "t1", limit=3)
    store.save(remove=[page.items[-1]])

    assert following == upns(getattr(store, find_name)(User, "t1", limit=1, cursor=page.next_cursor))[0]


@pytest.mark.parametrize(
    "cursor",
    ["!!!", "a", "ÄÖ", "/w==", base64.urlsafe_b64encode(b"\xff\xfe").decode(), "x" * 3000, "dXNlcg=="],
    ids=lambda cursor: ascii(cursor[:8]),
)
@pytest.mark.parametrize("find_name", ["find", "find_newest"])
def test_a_cursor_that_was_never_given_is_refused(store: Store, find_name: str, cursor: str) -> None:
    save_users(store, range(3))

    with pytest.raises(BadRequest) as refusal:
        getattr(store, find_name)(User, "t1", cursor=cursor)
    assert ["/cursor"] == [problem.pointer for problem in refusal.value.problems]


@pytest.mark.parametrize("find_name", ["find", "find_newest"])
def test_the_cursor_of_another_kind_does_not_lead_out_of_this_one(store: Store, find_name: str) -> None:
    store.save(DEVICE, claim("t1"), candidate("192.0.2.1"))
    foreign = base64.urlsafe_b64encode(b"claim#t1").rstrip(b"=").decode()

    with pytest.raises(BadRequest):
        getattr(store, find_name)(Candidate, MAC, cursor=foreign)
