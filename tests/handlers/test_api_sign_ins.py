"""Common-area accounts signed in by a table: a job with a result for each row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain.directory import CallingPolicy, User
from tests.gateway import ANNA, MAC, OTHER_TENANT, TENANT, Answer, Phone, World

LOBBY = "lobby@example.com"
HARDWARE_ID = "80-5E-C0-12-34-56"
SECOND = "805ec0abcdef"
SECOND_ID = "80-5E-C0-AB-CD-EF"


@pytest.fixture
def enrolled(phone: Phone) -> Phone:
    return phone.enroll()


def send(world: World, *rows: str) -> Answer:
    return world.admin.post("/v1/sign-ins", "\r\n".join(["Username,HardwareId", *rows]), Content_Type="text/csv")


def results(answer: Answer) -> list[tuple[int, str, str | None]]:
    return [(row["row"], row["result"], row["reason"]) for row in answer.json["rows"]]


def test_a_row_signs_its_account_in(world: World, enrolled: Phone) -> None:
    answer = send(world, f"{LOBBY.upper()},{HARDWARE_ID}")
    expected = {"row": 1, "username": LOBBY, "mac": MAC, "result": "signed_in", "reason": None, "detail": None}

    assert (202, "sign_ins", "succeeded", [expected]) == (
        answer.status,
        answer.json["type"],
        answer.json["state"],
        answer.json["rows"],
    )
    assert ("signed_in", LOBBY) == (world.device()["state"], world.device()["user"]["upn"])
    assert "+4989123403" == enrolled.settle().aor


def test_the_job_is_found_again_with_its_counts_and_rows(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    answer = send(world, f"{LOBBY},{HARDWARE_ID}", f"{LOBBY},x")
    again = world.admin.get(answer.headers["location"])

    assert answer.json == again.json
    assert {"rows": 2, "signed_in": 1, "already_signed_in": 0, "refused": 1, "not_tried": 0} == again.json["counts"]


def test_the_same_table_may_be_sent_again(world: World, enrolled: Phone) -> None:
    send(world, f"{LOBBY},{HARDWARE_ID}")
    before = enrolled.settle().username
    answer = send(world, f"{LOBBY},{HARDWARE_ID}")

    assert ("succeeded", [(1, "already_signed_in", None)]) == (answer.json["state"], results(answer))
    assert before == enrolled.settle().username


def test_a_row_that_is_refused_stops_no_other(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    answer = send(world, f"{LOBBY},{SECOND_ID}", f"{LOBBY},{HARDWARE_ID}")

    assert [(1, "refused", "device_not_found"), (2, "signed_in", None)] == results(answer)


def add_account(world: World, upn: str, number: str, policy: str) -> None:
    world.store.save(User(TENANT, upn, upn, number, policy))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"nobody@example.com,{HARDWARE_ID}", "user_unknown"),
        (f"mute@example.com,{HARDWARE_ID}", "user_without_number"),
        (f"barred@example.com,{HARDWARE_ID}", "user_without_policy"),
        (f"lost@example.com,{HARDWARE_ID}", "user_without_policy"),
        (f"{ANNA},{HARDWARE_ID}", "not_common_area"),
        (f"{LOBBY},80-5E-C0-00-00-00", "device_not_found"),
        (f"{LOBBY},{SECOND_ID}", "device_not_enrolled"),
        (f"{LOBBY},80-5E-C0-12-34", "wrong_hardware_id"),
        (f"{LOBBY}", "wrong_hardware_id"),
        (f"lobby,{HARDWARE_ID}", "wrong_username"),
    ],
)
def test_each_reason_has_its_code_and_a_sentence(world: World, enrolled: Phone, row: str, reason: str) -> None:
    assert enrolled.base
    world.store.save(CallingPolicy(TENANT, "Barred", common_area=True))
    add_account(world, "mute@example.com", "", "Lobby")
    add_account(world, "barred@example.com", "+4989123409", "Barred")
    add_account(world, "lost@example.com", "+4989123408", "Unknown here")
    world.admin.post("/v1/devices", {"mac": SECOND})
    answer = send(world, row)

    assert [(1, "refused", reason)] == results(answer)
    assert answer.json["rows"][0]["detail"].endswith(".")
    assert "enrolled" == world.device()["state"]


def test_an_onboarded_phone_is_not_signed_in(world: World, phone: Phone) -> None:
    phone.onboard()
    world.admin.post("/v1/devices", {"mac": MAC})

    assert [(1, "refused", "device_not_enrolled")] == results(send(world, f"{LOBBY},{HARDWARE_ID}"))


def test_a_tenant_that_has_not_enabled_the_gateway_signs_nobody_in(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.change_tenant(enabled=False)

    assert [(1, "refused", "tenant_disabled")] == results(send(world, f"{LOBBY},{HARDWARE_ID}"))


def test_a_device_that_stands_in_the_table_twice_is_signed_in_once(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    rows = results(send(world, f"{LOBBY},{HARDWARE_ID}", "", f"{LOBBY},80:5e:c0:12:34:56"))

    assert [(1, "signed_in", None), (2, "refused", "duplicate_row")] == rows


def test_another_tenants_phone_is_not_signed_in(world: World, phone: Phone) -> None:
    world.open_other_tenant()
    phone.enroll(OTHER_TENANT)
    world.admin.post("/v1/devices", {"mac": MAC})

    assert [(1, "refused", "device_not_enrolled")] == results(send(world, f"{LOBBY},{HARDWARE_ID}"))


def test_a_byte_order_mark_is_passed_over(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    answer = world.admin.post("/v1/sign-ins", f"\ufeffUsername,HardwareId\n{LOBBY},{HARDWARE_ID}\n".encode())

    assert [(1, "signed_in", None)] == results(answer)


@pytest.mark.parametrize(
    "text", ["", "x", f"{LOBBY},{HARDWARE_ID}", "HardwareId,Username\n", "Username,HardwareId\n\n", "a\rb\rc"]
)
def test_what_is_no_such_table_is_a_bad_request(world: World, text: str) -> None:
    assert 400 == world.admin.post("/v1/sign-ins", text.encode()).status


def test_ten_thousand_rows_are_a_job_and_one_more_is_refused(world: World) -> None:
    rows = [f"x,{number}" for number in range(10_000)]
    job = send(world, *rows)

    assert (202, 400, 10_000) == (job.status, send(world, *rows, "x,y").status, job.json["counts"]["refused"])
    assert list(range(1, 10_001)) == list(all_rows(world, job.json))


def all_rows(world: World, job: dict[str, Any]) -> list[int]:
    found = [row["row"] for row in job["rows"]]
    while job["next_cursor"]:
        job = world.admin.get(f"/v1/jobs/{job['id']}?cursor={job['next_cursor']}").json
        assert len(job["rows"]) <= 200
        found += [row["row"] for row in job["rows"]]
    return found


def test_rows_come_in_pages_of_the_size_asked_for(world: World) -> None:
    job = send(world, *(f"x,{number}" for number in range(5))).json
    page = world.admin.get(f"/v1/jobs/{job['id']}?limit=2").json

    assert ([1, 2], True) == ([row["row"] for row in page["rows"]], bool(page["next_cursor"]))


def test_rows_that_a_request_has_no_time_for_are_gone_on_with_after_the_answer(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.queue.held = True
    wiring.use(replace(world.gateway, clock=lambda: tick(world)))
    answer = send(world, *(f"{LOBBY},80-5E-C0-00-00-{number:02}" for number in range(60)), f"{LOBBY},{HARDWARE_ID}")
    world.queue.drain()
    done = world.admin.get(answer.headers["location"])

    assert ("running", 61, 50, None) == (
        *(answer.json[name] for name in ("state", "total")),
        len(answer.json["rows"]),
        done.json["reason"],
    )
    assert ("succeeded", (61, "signed_in", None)) == (done.json["state"], results(done)[-1])


def test_a_job_that_is_cancelled_says_which_rows_were_not_tried(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    world.queue.held = True
    wiring.use(replace(world.gateway, clock=lambda: tick(world)))
    answer = send(world, *(f"{LOBBY},80-5E-C0-00-00-{number:02}" for number in range(60)), f"{LOBBY},{HARDWARE_ID}")
    told = world.admin.post(f"{answer.headers['location']}/cancel")
    world.queue.drain()
    done = world.admin.get(answer.headers["location"])

    assert (202, "running", "cancelled") == (told.status, told.json["state"], told.json["ending"])
    assert ("cancelled", "by admin@example.com", 11) == (
        done.json["state"],
        done.json["detail"],
        done.json["counts"]["not_tried"],
    )
    assert [(60, "not_tried", "cancelled"), (61, "not_tried", "cancelled")] == results(done)[-2:]
    assert "enrolled" == world.device()["state"]


def test_a_job_that_has_ended_cannot_be_cancelled(world: World) -> None:
    place = send(world, "x,y").headers["location"]

    assert (409, "illegal_state") == ((answer := world.admin.post(f"{place}/cancel")).status, answer.json["code"])


def test_jobs_are_listed_newest_first_without_their_rows(world: World) -> None:
    world.open_other_tenant()
    world.api(tenant=OTHER_TENANT).post("/v1/sync")
    first = send(world, "x,y").json["id"]
    world.clock.forward(seconds=1)
    second = world.admin.post("/v1/sync").json["id"]
    listed = world.admin.get("/v1/jobs").json["items"]

    assert [(second, "policy_sync"), (first, "sign_ins")] == [(job["id"], job["type"]) for job in listed]
    assert not any("rows" in job for job in listed)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type=sign_ins", ["sign_ins"]),
        ("state=queued", ["policy_sync"]),
        ("type=sign_ins&state=queued", []),
        ("limit=1", ["policy_sync"]),
    ],
)
def test_jobs_are_found_by_type_and_state(world: World, query: str, expected: list[str]) -> None:
    send(world, "x,y")
    world.clock.forward(seconds=1)
    world.queue.held = True
    world.admin.post("/v1/sync")

    assert expected == [job["type"] for job in world.admin.get(f"/v1/jobs?{query}").json["items"]]


def test_a_job_type_that_does_not_exist_is_refused(world: World) -> None:
    assert (400, "/type") == ((answer := world.admin.get("/v1/jobs?type=holiday")).status, answer.json["errors"][0]["pointer"])


def tick(world: World) -> datetime:
    """A clock that goes on by three seconds whenever it is read."""
    world.clock.forward(seconds=3)
    return world.clock.now


def test_another_tenants_job_is_not_found(world: World) -> None:
    world.open_other_tenant()
    place = send(world, "x,y").headers["location"]

    assert 404 == world.api(tenant=OTHER_TENANT).get(place).status


def test_rows_are_kept_as_long_as_their_job(world: World) -> None:
    place = send(world, "x,y").headers["location"]
    world.clock.forward(days=29)
    kept = world.admin.get(place).json["rows"]
    world.clock.forward(days=1)

    assert (1, 404) == (len(kept), world.admin.get(place).status)


def test_a_sync_job_has_no_rows(world: World) -> None:
    assert ([], None) == ((job := world.admin.post("/v1/sync").json)["rows"], job["next_cursor"])
