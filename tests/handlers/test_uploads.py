"""What phones send back, and the files as an administrator may see them."""

from __future__ import annotations

import pytest

from chalicelib.domain.identifiers import Mac
from chalicelib.domain.upload import UNPROVEN_AN_HOUR, Upload, kept_under
from tests.gateway import ELSEWHERE, MAC, OTHER_TENANT, TENANT, Answer, Phone, World, client

LOG = f"{MAC}-sys.log"
PACKED = b"\x1f\x8b\x08\x00\xff\xfe packed"


@pytest.fixture
def enrolled(phone: Phone) -> Phone:
    return phone.enroll()


def send(phone: Phone, name: str = LOG, body: str | bytes = "one line\n", method: str = "PUT") -> Answer:
    return phone.world.request(method, f"{phone.base}{name}", headers={"Content-Type": "text/plain"}, body=body)


def names_kept(world: World) -> list[str]:
    return [item["name"] for item in world.admin.get(f"/v1/devices/{MAC}/uploads").json["items"]]


# --- uploads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_phones_file_is_kept(world: World, enrolled: Phone, method: str) -> None:
    answer = send(enrolled, method=method)

    assert (201, "one line\n") == (answer.status, world.admin.get(f"/v1/devices/{MAC}/uploads/{LOG}").text)


def test_the_list_says_what_came_when(world: World, enrolled: Phone) -> None:
    send(enrolled)
    expected = {"name": LOG, "at": "2026-11-22T12:00:01Z", "size": 9, "content_type": "text/plain"}

    assert {"items": [expected], "next_cursor": None} == world.admin.get(f"/v1/devices/{MAC}/uploads").json


def test_the_newest_file_of_a_name_replaces_the_one_before(world: World, enrolled: Phone) -> None:
    send(enrolled, body="x" * 400_000)
    send(enrolled, body="short")

    assert ("short", [LOG]) == (world.admin.get(f"/v1/devices/{MAC}/uploads/{LOG}").text, names_kept(world))


@pytest.mark.parametrize(("size", "status"), [(0, 201), (512 * 1024, 201), (512 * 1024 + 1, 413)])
def test_an_upload_has_at_most_512_kibibytes(enrolled: Phone, size: int, status: int) -> None:
    assert status == send(enrolled, body="x" * size).status


def test_a_large_upload_comes_back_whole(world: World, enrolled: Phone) -> None:
    body = "".join(f"line {number}\n" for number in range(40_000))[: 512 * 1024]
    send(enrolled, body=body)

    assert body == world.admin.get(f"/v1/devices/{MAC}/uploads/{LOG}").text


def test_what_is_too_large_leaves_the_one_before(world: World, enrolled: Phone) -> None:
    send(enrolled)
    send(enrolled, body="x" * (512 * 1024 + 1))

    assert "one line\n" == world.admin.get(f"/v1/devices/{MAC}/uploads/{LOG}").text


@pytest.mark.parametrize("name", [f"{MAC}.cfg", "805ec0ffffff-sys.log", "index.html", f"{LOG}.exe", "x" * 10_240, "%2e%2e%2fx"])
def test_a_name_that_the_vendors_phones_do_not_send_is_the_plain_404(world: World, enrolled: Phone, name: str) -> None:
    answer = send(enrolled, name)

    assert (404, "not found\n", []) == (answer.status, answer.text, names_kept(world))


def unproven(world: World) -> list[str]:
    """What lies with the device and is nobody's."""
    return sorted(item.name for item in world.store.find(Upload, kept_under(Mac(MAC), None)).items)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_onboarded_phones_file_is_kept_for_a_day_and_shown_to_nobody(world: World, phone: Phone, method: str) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert 201 == send(phone.onboard(), method=method).status
    assert ([LOG], []) == (unproven(world), names_kept(world))
    world.clock.forward(days=1)
    assert [] == unproven(world)


def test_an_onboarded_phones_file_has_at_most_512_kibibytes_too(world: World, phone: Phone) -> None:
    assert 413 == send(phone.onboard(), body="x" * (512 * 1024 + 1)).status
    assert [] == unproven(world)


def test_enrolling_shows_nothing_that_came_before(world: World, phone: Phone) -> None:
    send(phone.onboard())
    phone.enroll()
    assert [] == names_kept(world)
    send(phone)

    assert [LOG] == names_kept(world)


def test_a_stranger_takes_no_place_of_what_a_former_owner_keeps(world: World, enrolled: Phone) -> None:
    send(enrolled, body="ours")
    world.clock.forward(days=14)
    event = client().events.generate_cw_event("aws.events", "Scheduled Event", {}, [], "eu-central-1")
    client().lambda_.invoke("sweep_devices", event)
    assert "offboarded" == world.device()["state"]
    stranger = world.phone(address=ELSEWHERE).onboard()

    assert 201 == send(stranger, body="not ours").status
    assert "ours" == world.admin.get(f"/v1/devices/{MAC}/uploads/{LOG}").text


def test_one_address_sends_a_hundred_files_an_hour_that_nobody_owns(world: World, phone: Phone) -> None:
    phone.onboard()
    assert [201] * UNPROVEN_AN_HOUR == [send(phone).status for _ in range(UNPROVEN_AN_HOUR)]
    refused = send(phone)

    assert (429, "slow_down", "60") == (refused.status, refused.json["code"], refused.headers["retry-after"])
    world.clock.forward(hours=1)
    assert 201 == send(phone).status


def test_an_enrolled_phone_is_not_counted(enrolled: Phone) -> None:
    assert [201] * (UNPROVEN_AN_HOUR + 1) == [send(enrolled).status for _ in range(UNPROVEN_AN_HOUR + 1)]


def test_a_stranger_beside_an_enrolled_phone_sends_nothing(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    stranger = world.phone(address=ELSEWHERE).onboard()

    assert (404, []) == (send(stranger).status, names_kept(world))
    assert [] == unproven(world)


def test_a_bad_token_sends_nothing(phone: Phone) -> None:
    phone.base = f"/d/{'A' * 43}/"

    assert 404 == send(phone).status


def test_an_upload_is_text_that_no_browser_runs(world: World, enrolled: Phone) -> None:
    send(enrolled, body="<script>alert(1)</script>")
    headers = world.admin.get(f"/v1/devices/{MAC}/uploads/{LOG}").headers

    assert ("text/plain; charset=utf-8", "nosniff") == (headers["content-type"], headers["x-content-type-options"])


def test_an_upload_that_is_no_text_comes_back_byte_for_byte(enrolled: Phone) -> None:
    assert 201 == send(enrolled, body=PACKED).status
    path, headers = f"/v1/devices/{MAC}/uploads/{LOG}", {"Authorization": f"Bearer reader@{TENANT}"}
    answer = client().http.get(path, headers={**headers, "Accept": "*/*"})

    assert (PACKED, "application/octet-stream", f'attachment; filename="{LOG}"', "nosniff") == (
        answer.body,
        *(answer.headers[name] for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options")),
    )
    assert 400 == client().http.get(path, headers={**headers, "Accept": "text/plain"}).status_code


def test_uploads_of_another_tenants_time_are_not_shown(world: World, enrolled: Phone) -> None:
    world.open_other_tenant()
    send(enrolled)
    world.phone(address=ELSEWHERE).enroll(OTHER_TENANT)

    assert [] == world.api(tenant=OTHER_TENANT).get(f"/v1/devices/{MAC}/uploads").json["items"]


def test_uploads_are_kept_for_30_days(world: World, enrolled: Phone) -> None:
    send(enrolled)
    world.clock.forward(days=30)

    assert [] == names_kept(world)


def test_an_upload_that_never_came_is_not_found(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    assert 404 == world.admin.get(f"/v1/devices/{MAC}/uploads/{LOG}").status


# --- files with masks --------------------------------------------------------------------------------------------------


def test_the_administrator_sees_every_file_that_the_phone_gets(world: World, enrolled: Phone) -> None:
    shown = world.admin.get(f"/v1/devices/{MAC}/files").json["items"]

    assert [enrolled.fetch(file["name"]).headers["content-type"] for file in shown] == [file["content_type"] for file in shown]
    assert [f"{MAC}.boot", "y000000000066.cfg", f"{MAC}.cfg", "ca.pem"] == [file["name"] for file in shown]


def test_the_files_shown_differ_from_the_phones_in_its_secrets_alone(world: World, enrolled: Phone) -> None:
    enrolled.sign_in()
    shown = {file["name"]: file["body"] for file in world.admin.get(f"/v1/devices/{MAC}/files").json["items"]}
    real = enrolled.settings()
    own = enrolled.fetch().text
    for secret in (enrolled.token, real["account.1.password"], real["static.security.user_password"].partition(":")[2]):
        own = own.replace(secret, "***")

    assert own == shown[f"{MAC}.cfg"]


def test_showing_files_changes_nothing(world: World, enrolled: Phone) -> None:
    assert enrolled.base
    before = world.device()
    world.admin.get(f"/v1/devices/{MAC}/files")

    assert before == world.device()


def test_a_removed_device_leaves_no_upload(world: World, phone: Phone) -> None:
    send(phone.onboard())
    send(phone.enroll())
    world.admin.delete(f"/v1/devices/{MAC}")
    world.admin.post("/v1/devices", {"mac": MAC})

    assert ([], []) == (names_kept(world), unproven(world))
