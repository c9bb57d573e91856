"""`Idempotency-Key`: a POST is carried out once, and its answer given again for a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.domain.errors import SaveConflict, StoreAway
from chalicelib.domain.kept_answer import KeptAnswer
from chalicelib.usecases.ports import Store
from tests.gateway import MAC, OTHER_TENANT, Answer, Phone, World, serving

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def post(world: World, path: str, body: Any = None, key: str = KEY) -> Answer:
    return world.admin.post(path, body, Idempotency_Key=key)


def test_the_same_answer_comes_again(world: World) -> None:
    first, again = (post(world, "/v1/devices", {"mac": MAC}) for _ in range(2))

    assert (201, first.status, first.text) == (again.status, again.status, again.text)
    assert (None, "true") == tuple(answer.headers.get("idempotency-replayed") for answer in (first, again))
    assert f"/v1/devices/{MAC}" == again.headers["location"]


def test_what_was_asked_is_done_once(world: World, phone: Phone) -> None:
    phone.enroll()
    first, again = (post(world, f"/v1/devices/{MAC}/restart") for _ in range(2))

    assert first.json["id"] == again.json["id"]
    assert 1 == len([line for line in world.admin.get("/v1/audit").json["items"] if line["path"].endswith("/restart")])


def test_another_key_or_none_is_another_request(world: World) -> None:
    post(world, "/v1/devices", {"mac": MAC})

    assert [200, 200] == [
        post(world, "/v1/devices", {"mac": MAC}, "other").status,
        world.admin.post("/v1/devices", {"mac": MAC}).status,
    ]


def test_the_same_key_on_another_path_is_another_request(world: World, phone: Phone) -> None:
    phone.enroll()

    assert post(world, f"/v1/devices/{MAC}/restart").json["type"] != post(world, f"/v1/devices/{MAC}/resync").json["type"]


def test_a_path_in_another_spelling_is_the_same_path(world: World, phone: Phone) -> None:
    phone.enroll()

    assert (
        "true"
        == (post(world, f"/v1/devices/{MAC}/restart") and post(world, "/v1/devices/80-5E-C0-12-34-56/restart")).headers[
            "idempotency-replayed"
        ]
    )


def test_the_same_key_of_another_tenant_is_another_request(world: World) -> None:
    post(world, "/v1/devices", {"mac": MAC})
    answer = world.api(tenant=OTHER_TENANT).post("/v1/devices", {"mac": MAC}, Idempotency_Key=KEY)

    assert (201, None) == (answer.status, answer.headers.get("idempotency-replayed"))


def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    post(world, "/v1/devices", {"mac": MAC})
    answer = post(world, "/v1/devices", {"mac": "805ec0abcdef"})

    assert (422, "idempotency_key_reused", 404) == (
        answer.status,
        answer.json["code"],
        world.admin.get("/v1/devices/805ec0abcdef").status,
    )


def test_after_a_day_the_key_is_free(world: World) -> None:
    post(world, "/v1/devices", {"mac": MAC})
    world.clock.forward(hours=24)

    assert 200 == post(world, "/v1/devices", {"mac": MAC}).status


def test_a_refused_request_may_be_tried_again_with_its_key(world: World) -> None:
    refused = post(world, f"/v1/devices/{MAC}/otp")
    world.admin.post("/v1/devices", {"mac": MAC})

    assert (404, 201) == (refused.status, post(world, f"/v1/devices/{MAC}/otp").status)


@pytest.mark.parametrize("key", ["", "x" * 129, "ключ", "two\tparts"])
def test_what_is_no_key_is_a_bad_request(world: World, key: str) -> None:
    answer = post(world, "/v1/devices", {"mac": MAC}, key)

    assert (400, "/Idempotency-Key") == (answer.status, answer.json["errors"][0]["pointer"])


def test_a_key_of_128_characters_is_taken(world: World) -> None:
    assert 201 == post(world, "/v1/devices", {"mac": MAC}, "x" * 128).status


# --- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"/v1/devices/{MAC}/otp", f"/v1/devices/{MAC}/sign-in"])
def test_an_answer_with_a_secret_is_not_given_again(world: World, phone: Phone, path: str) -> None:
    phone.enroll()
    first, again = (post(world, path) for _ in range(2))

    assert (201, 409, "idempotency_replayed") == (first.status, again.status, again.json["code"])
    assert "GET" in again.json["detail"]


def test_a_list_of_one_time_passwords_is_not_given_again(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert [200, 409] == [post(world, "/v1/devices/otp", {"macs": [MAC]}).status for _ in range(2)]


def test_no_secret_is_kept(world: World, phone: Phone) -> None:
    phone.enroll()
    otp = post(world, f"/v1/devices/{MAC}/otp").json["otp"]
    code = post(world, f"/v1/devices/{MAC}/sign-in").json["pairing_code"]

    assert [] == [kept for kept in kept_answers(world) if otp in kept.body or code in kept.body or kept.body]


def kept_answers(world: World) -> list[KeptAnswer]:
    scopes = [f"/v1/devices/{MAC}/{verb}" for verb in ("otp", "sign-in")]
    digests = [world.gateway.keys.digest("idempotency", "d0000000-0000-4000-8000-000000000001", path, KEY) for path in scopes]
    found = [world.store.load(KeptAnswer, digest) for digest in digests]
    assert None not in found
    return [kept for kept in found if kept]


def test_a_common_area_sign_in_holds_no_secret_and_is_given_again(world: World, phone: Phone) -> None:
    phone.enroll()
    first, again = (post(world, f"/v1/devices/{MAC}/sign-in", {"user": "lobby@example.com"}) for _ in range(2))

    assert (202, first.text) == (again.status, again.text)


def test_an_answer_too_large_to_keep_is_not_given_again(world: World) -> None:
    lines = "".join(f'{{"mac":"x","location":"{"y" * 120}"}}\n' for _ in range(3_000))

    assert [200, 409] == [post(world, "/v1/devices/import", lines).status for _ in range(2)]


# --- at the same moment, and when the store fails ----------------------------------------------------------------------


class BetweenStore:
    """Runs `action` once, just before the first save of a key's reservation."""

    def __init__(self, store: Store, action: Any) -> None:
        self._store = store
        self._action = action

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        if records and isinstance(records[0], KeptAnswer) and self._action:
            action, self._action = self._action, None
            action()
        self._store.save(*records, remove=remove)


def test_of_two_requests_at_the_same_moment_one_is_carried_out(world: World) -> None:
    answers: list[Answer] = []
    with serving(world, BetweenStore(world.store, lambda: answers.append(post(world, "/v1/devices", {"mac": MAC})))):
        answers.append(post(world, "/v1/devices", {"mac": MAC}))

    assert [(201, None), (201, "true")] == [(it.status, it.headers.get("idempotency-replayed")) for it in answers]


def test_a_request_that_is_still_running_is_not_carried_out_again(world: World) -> None:
    digest = world.gateway.keys.digest("idempotency", "d0000000-0000-4000-8000-000000000001", "/v1/devices", KEY)
    post(world, "/v1/devices", {"mac": MAC})
    world.change(KeptAnswer, digest, state="running", body="")
    answer = post(world, "/v1/devices", {"mac": MAC})

    assert (409, "idempotency_in_progress", "2") == (answer.status, answer.json["code"], answer.headers["retry-after"])


class ForgetfulStore:
    """Keeps neither audit lines nor answers, once a change is made."""

    def __init__(self, store: Store, error: Exception) -> None:
        self._store = store
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def save(self, *records: Any, remove: Sequence[Any] = ()) -> None:
        kinds = {type(record).__name__ for record in records if type(record) is not KeptAnswer or record.version}
        if kinds & {"AuditEntry", "KeptAnswer"}:
            raise self._error
        self._store.save(*records, remove=remove)


@pytest.mark.parametrize("error", [StoreAway(), SaveConflict()])
def test_what_is_done_is_answered_even_where_it_cannot_be_noted(world: World, error: Exception) -> None:
    with serving(world, ForgetfulStore(world.store, error)):
        statuses = post(world, "/v1/devices", {"mac": MAC}).status, world.admin.get(f"/v1/devices/{MAC}").status

    assert (201, 200) == statuses
