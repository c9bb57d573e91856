"""A telephone number belongs to one user of one tenant in a region."""

from __future__ import annotations

import pytest

from chalicelib.domain.calls import Number
from chalicelib.domain.directory import User
from tests.gateway import ANNA, BEN, MAC, OTHER_TENANT, TENANT, Api, Phone, World

NUMBER = "+4989123401"  # Anna's
ZOE = "zoe@example.org"
OTHER_MAC = "805ec0654321"


@pytest.fixture
def other(world: World) -> Api:
    """The administrator of the other tenant."""
    world.open_other_tenant()
    return world.api(tenant=OTHER_TENANT)


def holder(world: World, number: str = NUMBER) -> tuple[str, str] | None:
    held = world.store.load(Number, number)
    return (held.tenant_id, held.upn) if held else None


def pair(phone: Phone, upn: str, tenant: str = TENANT) -> int:
    """The status of the page after a person's confirmation."""
    return phone.world.browser().sign_in(upn, tenant).pair(phone.show_code()).status


def test_a_user_who_signs_in_holds_their_number(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()

    assert (TENANT, ANNA) == holder(world)


def test_a_user_who_is_written_holds_their_number(world: World) -> None:
    world.admin.put("/v1/users/carl@example.com", {"number": "+4989123404"})

    assert (TENANT, "carl@example.com") == holder(world, "+4989123404")


def test_a_number_of_another_tenants_user_is_refused(phone: Phone, other: Api) -> None:
    phone.enroll().sign_in()
    answer = other.put(f"/v1/users/{ZOE}", {"number": NUMBER})

    assert (409, "number_taken") == (answer.status, answer.json["code"])
    assert ANNA not in answer.text
    assert "+33123456701" == other.get(f"/v1/users/{ZOE}").json["number"]


def test_a_number_of_a_user_who_never_signed_in_is_refused_too(world: World, other: Api) -> None:
    world.admin.put(f"/v1/users/{ANNA}", {"display_name": "Anna B."})

    assert 409 == other.put(f"/v1/users/{ZOE}", {"number": NUMBER}).status


def test_a_colleagues_number_is_refused(world: World) -> None:
    world.admin.put(f"/v1/users/{ANNA}", {"display_name": "Anna B."})

    assert "number_taken" == world.admin.put(f"/v1/users/{BEN}", {"number": NUMBER}).json["code"]


def test_a_sign_in_with_another_tenants_number_is_refused_with_the_reason(world: World, phone: Phone, other: Api) -> None:
    assert other.token
    phone.enroll().sign_in()
    world.change(User, OTHER_TENANT, ZOE, number=NUMBER)  # a directory that the gateway does not write
    zoes = world.phone(OTHER_MAC).onboard()

    assert 409 == pair(zoes, ZOE, OTHER_TENANT)
    assert zoes.settle().aor != NUMBER
    assert (TENANT, ANNA) == holder(world)


def test_a_number_is_free_when_its_user_has_another_and_no_phone_is_signed_in_with_it(
    world: World, phone: Phone, other: Api
) -> None:
    phone.enroll().sign_in()
    world.admin.put(f"/v1/users/{ANNA}", {"number": "+4989123777"})
    while_in_use = other.put(f"/v1/users/{ZOE}", {"number": NUMBER}).status
    world.admin.post("/v1/sync")

    assert (409, 200) == (while_in_use, other.put(f"/v1/users/{ZOE}", {"number": NUMBER}).status)
    assert [(OTHER_TENANT, ZOE), (TENANT, ANNA)] == [holder(world, number) for number in (NUMBER, "+4989123777")]


def test_a_number_that_no_phone_uses_is_released_with_the_change(world: World) -> None:
    world.admin.put(f"/v1/users/{ANNA}", {"display_name": "Anna B."})
    world.admin.put(f"/v1/users/{ANNA}", {"number": ""})

    assert holder(world) is None


def test_a_number_of_a_user_who_left_the_directory_is_free(world: World, phone: Phone, other: Api) -> None:
    phone.enroll().sign_in()
    world.store.save(remove=[world.store.load(User, TENANT, ANNA)])
    world.admin.post("/v1/sync")

    assert 200 == other.put(f"/v1/users/{ZOE}", {"number": NUMBER}).status


def test_the_phone_of_a_number_that_changed_hands_is_not_let_in_with_its_former_account(
    world: World, phone: Phone, other: Api
) -> None:
    phone.enroll().sign_in()
    world.admin.put(f"/v1/users/{ANNA}", {"number": ""})
    world.admin.post("/v1/sync")
    before = phone.credentials().status
    other.put(f"/v1/users/{ZOE}", {"number": NUMBER})

    assert [200, 404] == [before, phone.credentials().status]
    assert [("forget", phone.username)] == [(item["type"], item["username"]) for item in phone.register()]


def test_a_number_that_the_directory_gives_to_another_signs_the_phone_out(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.phone(OTHER_MAC).enroll().sign_in(BEN)
    world.change_user(number="+4989123402")  # Ben's
    world.admin.post("/v1/sync")

    assert ("enrolled", None) == tuple(world.device(MAC)[name] for name in ("state", "user"))
    assert ("signed_out", {"reason": "number_taken"}) in world.history()
    assert "signed_in" == world.device(OTHER_MAC)["state"]


def test_several_phones_of_one_user_share_the_number(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    second = world.phone(OTHER_MAC).enroll().sign_in()

    assert NUMBER == phone.aor == second.aor


def test_a_new_number_of_a_signed_in_user_is_theirs_after_the_sync(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.change_user(number="+4989123777")
    world.admin.post("/v1/sync")

    assert (TENANT, ANNA) == holder(world, "+4989123777")
