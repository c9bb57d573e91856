"""The Directory port. Every directory must pass: the local one on both stores, and Microsoft Graph's on its double."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest
from moto import mock_aws

from chalicelib.adapters.directory import LocalDirectory
from chalicelib.adapters.dynamodb import DynamoStore
from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.domain.directory import User
from chalicelib.domain.errors import BadRequest
from chalicelib.usecases.ports import Directory, Page, Store
from tests.gateway import OTHER_TENANT, TENANT
from tests.graph import GraphWorld, running_graph_world

ANNA = User(TENANT, "anna@example.com", "Anna Berg", "+4989123401", "SIP phones")


class Filled(Protocol):
    """A directory, and whoever puts users into it."""

    directory: Directory

    def put(self, *users: User) -> None: ...

    def remove(self, user: User) -> None: ...


@dataclass
class FilledLocal:
    store: Store
    directory: Directory

    def put(self, *users: User) -> None:
        for user in users:
            known = self.store.load(User, user.tenant_id, user.upn)
            self.store.save(replace(user, version=known.version if known else 0))

    def remove(self, user: User) -> None:
        self.store.save(remove=[self.store.load(User, user.tenant_id, user.upn)])


@dataclass
class FilledGraph:
    world: GraphWorld
    directory: Directory

    def put(self, *users: User) -> None:
        self.world.put(*users)

    def remove(self, user: User) -> None:
        self.world.graph.tenants.remove(user.tenant_id, user.upn)


@contextmanager
def filled_local(store: Store) -> Iterator[FilledLocal]:
    yield FilledLocal(store, LocalDirectory(store))


@pytest.fixture(params=["local, sqlite", "local, dynamodb", "graph"])
def filled(
    request: pytest.FixtureRequest, identity_folder: Path, clock: object, open_dynamo_store: Callable[[object], DynamoStore]
) -> Iterator[Filled]:
    if request.param == "graph":
        with running_graph_world(identity_folder) as world:
            yield FilledGraph(world, world.directory)
    elif request.param == "local, dynamodb":
        with mock_aws(), filled_local(open_dynamo_store(clock)) as local:
            yield local
    else:
        with filled_local(SqliteStore(":memory:")) as local:
            yield local


def stripped(user: User) -> User:
    """Without what only a store knows."""
    return replace(user, version=0)


def loaded(filled: Filled, *upns: str, tenant: str = TENANT) -> list[User]:
    return [stripped(user) for user in filled.directory.load_users(tenant, upns).values()]


def read_all(filled: Filled, limit: int, tenant: str = TENANT) -> list[Page]:
    pages = [filled.directory.list_users(tenant, limit)]
    while pages[-1].next_cursor:
        pages.append(filled.directory.list_users(tenant, limit, pages[-1].next_cursor))
    return pages


def crowd(number: int, tenant: str = TENANT) -> list[User]:
    return [User(tenant, f"user{item:03}@example.com", f"User {item}", f"+49891{item:05}") for item in range(number)]


def test_a_known_user_is_loaded_as_it_is(filled: Filled) -> None:
    filled.put(ANNA)

    assert [ANNA] == loaded(filled, "anna@example.com")


def test_users_are_keyed_by_their_name(filled: Filled) -> None:
    filled.put(ANNA)

    assert ["anna@example.com"] == list(filled.directory.load_users(TENANT, ["anna@example.com"]))


def test_strangers_are_left_out(filled: Filled) -> None:
    filled.put(ANNA)

    assert [ANNA] == loaded(filled, "nobody@example.com", "anna@example.com")


def test_nobody_is_asked_for(filled: Filled) -> None:
    assert {} == filled.directory.load_users(TENANT, [])


def test_asking_twice_for_one_user_gives_one(filled: Filled) -> None:
    filled.put(ANNA)

    assert [ANNA] == loaded(filled, "anna@example.com", "anna@example.com")


@pytest.mark.parametrize(
    "user",
    [
        User(TENANT, "ben@example.com"),
        User(TENANT, "ben@example.com", "Ben", "", "SIP phones"),
        User(TENANT, "ben@example.com", "Ben", "+4989123402"),
        User(TENANT, "o'neill@example.com", 'Zoë "Z" O\'Neill, 日本 ;&=', "+4989123403", "Büro & 50% #1"),
        User(TENANT, "guest_fabrikam.example#ext#@example.com", "Guest"),
        User(TENANT, "a+b%20c&d=e@example.com", "Odd"),
        User(TENANT, "ben@example.com", "Ben", "+4989123402", enabled=False),
        User(TENANT, "ben@example.com", "Ben", "+4989123402", extension="17"),
    ],
    ids=str,
)
def test_every_kind_of_user_comes_through(filled: Filled, user: User) -> None:
    filled.put(user)

    assert [user] == loaded(filled, user.upn)
    assert [user] == [stripped(item) for item in filled.directory.list_users(TENANT, 10).items]


def test_a_changed_user_is_loaded_as_changed(filled: Filled) -> None:
    filled.put(ANNA)
    filled.directory.load_users(TENANT, [ANNA.upn])
    changed = replace(ANNA, number="+4989123999", policy="", display_name="Anna Berg-Lund")
    filled.put(changed)

    assert [changed] == loaded(filled, ANNA.upn)


def test_a_user_who_was_removed_is_gone(filled: Filled) -> None:
    filled.put(ANNA)
    filled.remove(ANNA)

    assert ([], ()) == (loaded(filled, ANNA.upn), filled.directory.list_users(TENANT, 10).items)


def test_a_tenant_sees_its_own_users_alone(filled: Filled) -> None:
    other = replace(ANNA, tenant_id=OTHER_TENANT, number="+33123456701")
    filled.put(ANNA, other)

    assert ([ANNA], [other]) == (loaded(filled, ANNA.upn), loaded(filled, ANNA.upn, tenant=OTHER_TENANT))
    assert [other] == [stripped(user) for user in filled.directory.list_users(OTHER_TENANT, 10).items]


def test_many_users_are_loaded_at_once(filled: Filled) -> None:
    everybody = crowd(73)
    filled.put(*everybody)

    assert everybody == sorted(loaded(filled, *(user.upn for user in everybody)), key=lambda user: user.upn)


@pytest.mark.parametrize("limit", [1, 7, 22, 23, 24, 200])
def test_the_pages_hold_every_user_once(filled: Filled, limit: int) -> None:
    everybody = crowd(23)
    filled.put(*everybody, *crowd(3, OTHER_TENANT))
    pages = read_all(filled, limit)

    assert everybody == sorted((stripped(user) for page in pages for user in page.items), key=lambda user: user.upn)
    assert limit >= max(len(page.items) for page in pages)


def test_an_empty_directory_is_an_empty_page(filled: Filled) -> None:
    assert Page(()) == filled.directory.list_users(TENANT, 10)


@pytest.mark.parametrize("cursor", ["x", "é", "." * 3000])
def test_a_cursor_that_was_never_given_is_refused(filled: Filled, cursor: str) -> None:
    filled.put(*crowd(3))

    with pytest.raises(BadRequest) as refusal:
        filled.directory.list_users(TENANT, 2, cursor)
    assert "/cursor" == refusal.value.problems[0].pointer
