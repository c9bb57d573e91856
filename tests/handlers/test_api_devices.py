"""The inventory through the API: add, import, list, change, one-time passwords, remove."""

from __future__ import annotations

import csv
import io
import re

import pytest

from chalicelib.domain.installation import Installation
from tests.gateway import ANNA, ELSEWHERE, MAC, OTHER_TENANT, Phone, World

SECOND = "805ec0abcdef"
NEW_DEVICE = {
    "mac": MAC,
    "vendor": None,
    "model": None,
    "firmware": None,
    "state": "added",
    "connection": "never",
    "location": "Room 12",
    "language": "en",
    "user": None,
    "online_since": None,
    "last_seen_at": None,
    "onboarded_at": None,
    "enrolled_at": None,
    "signed_in_at": None,
    "ip": None,
    "config_version": 0,
    "applied_version": 0,
    "last_sync_at": None,
    "pending_commands": [],
    "incompatible_reason": None,
}


# --- add and show ------------------------------------------------------------------------------------------------------


def test_a_new_device_waits_for_its_activation(world: World) -> None:
    answer = world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 12"})

    assert (201, f"/v1/devices/{MAC}", NEW_DEVICE) == (answer.status, answer.headers["location"], answer.json)


def test_adding_it_again_changes_nothing(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 12"})
    answer = world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 13"})

    assert (200, "Room 12") == (answer.status, answer.json["location"])


def test_adding_it_again_fills_an_empty_location(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert "Room 12" == world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 12"}).json["location"]


def test_a_device_shows_its_phone(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    shown = world.device()

    assert ("yealink", "T46S", "66.86.5.1", "signed_in", "online") == tuple(
        shown[name] for name in ("vendor", "model", "firmware", "state", "connection")
    )
    assert {"upn": ANNA, "display_name": "Anna Berg", "number": "+4989123401"} == shown["user"]


def test_the_address_of_a_phone_that_nobody_enrolled_is_not_shown(world: World, phone: Phone) -> None:
    phone.onboard()
    world.admin.post("/v1/devices", {"mac": MAC})

    assert ("onboarded", "online", None) == tuple(world.device()[name] for name in ("state", "connection", "ip"))


def test_an_answer_is_never_cached(world: World) -> None:
    assert "no-store" == world.admin.get("/v1/devices").headers["cache-control"]


# --- import ------------------------------------------------------------------------------------------------------------


def import_csv(world: World, text: str) -> list[tuple[int, str, str]]:
    answer = world.admin.post("/v1/devices/import", text.encode(), Content_Type="text/csv")
    assert 200 == answer.status
    return [(row["line"], row["mac"], row["result"]) for row in answer.json["items"]]


def test_rows_are_added_with_a_result_each(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": SECOND})
    rows = import_csv(world, f'MAC id,Location\n80:5E:C0:12:34:56,"Room 12, left"\n{SECOND},\nnonsense,x\n{MAC},again\n')

    assert [(2, MAC, "added"), (3, SECOND, "known"), (4, "nonsense", "refused"), (5, MAC, "refused")] == rows
    assert "Room 12, left" == world.device()["location"]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffMAC id,Location\r\n{}\r\n",
        "mac ID , LOCATION\n\n  ,\n{},\n",
        "MAC id,Location\n{}",
        "\ufeffMAC id;Location\r\n{};Room\r\n",
        '"MAC id"\t"Location"\n{}\tRoom\n',
    ],
)
def test_a_table_as_spreadsheets_write_it_is_read(world: World, text: str) -> None:
    assert [(MAC, "added")] == [row[1:] for row in import_csv(world, text.format(MAC))]


def test_a_semicolon_between_cells_leaves_the_commas_in_them(world: World) -> None:
    import_csv(world, f"MAC id;Location\n{MAC};Cologne, north\n")

    assert "Cologne, north" == world.device()["location"]


def test_a_row_has_the_line_that_it_begins_on(world: World) -> None:
    rows = import_csv(world, f'MAC id,Location\n\nnonsense,"two\nlines"\n{MAC},x\n')

    assert [(3, "nonsense", "refused"), (5, MAC, "added")] == rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        f"{MAC},Room\n",
        "Location,MAC id\n",
        "MAC id\n",
        "MAC id,Location\rx,y\rz,w",
        f'MAC id,Location\n{MAC},"{"x" * 200_000}"\n',
    ],
    ids=["empty", "word", "no header", "swapped", "half", "old line ends", "huge field"],
)
def test_what_is_no_such_table_is_a_bad_request(world: World, text: str) -> None:
    answer = world.admin.post("/v1/devices/import", text.encode())

    assert (400, "bad_request", []) == (answer.status, answer.json["code"], world.admin.get("/v1/devices").json["items"])


def test_too_many_rows_add_nothing(world: World) -> None:
    table = "MAC id,Location\n" + "".join(f"{number:012x},\n" for number in range(10_001))
    answer = world.admin.post("/v1/devices/import", table.encode())

    assert (400, []) == (answer.status, world.admin.get("/v1/devices").json["items"])


def test_importing_twice_adds_once(world: World) -> None:
    table = f"MAC id,Location\n{MAC},Room 12\n"

    assert [["added"], ["known"]] == [[row[2] for row in import_csv(world, table)] for _ in range(2)]


# --- list --------------------------------------------------------------------------------------------------------------


def macs(world: World, query: str = "") -> list[str]:
    return [item["mac"] for item in world.admin.get(f"/v1/devices{query}").json["items"]]


@pytest.fixture
def five(world: World) -> list[str]:
    wanted = [f"805ec00000{number:02}" for number in range(5)]
    for mac in wanted:
        world.admin.post("/v1/devices", {"mac": mac, "location": f"Room {mac[-1]}"})
    return wanted


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 200])
def test_pages_joined_are_the_whole_list(world: World, five: list[str], limit: int) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = world.admin.get(f"/v1/devices?limit={limit}{f'&cursor={cursor}' if cursor else ''}").json
        found += [item["mac"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert five == found


def test_an_empty_inventory_is_an_empty_page(world: World) -> None:
    assert {"items": [], "next_cursor": None} == world.admin.get("/v1/devices").json


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?state=signed_in", [MAC]),
        ("?state=added", [SECOND]),
        ("?connection=online", [MAC]),
        ("?connection=never", [SECOND]),
        ("?vendor=Yealink", [MAC]),
        ("?model=t46s", [MAC]),
        (f"?user={ANNA.upper()}", [MAC]),
        ("?location=lobby", [SECOND]),
        ("?q=80:5E:C0:12:34:56", [MAC]),
        ("?q=3456", [MAC]),
        ("?q=berg", [MAC]),
        ("?q=89123401", [MAC]),
        ("?q=LOB", [SECOND]),
        ("?q=", [MAC, SECOND]),
        ("?q=nothing", []),
        ("?state=added&vendor=yealink", []),
    ],
)
def test_filters_find_what_matches_all_of_them(world: World, phone: Phone, query: str, expected: list[str]) -> None:
    phone.enroll().sign_in()
    world.admin.post("/v1/devices", {"mac": SECOND, "location": "Lobby"})

    assert expected == macs(world, query)


def test_a_filtered_page_reads_on_until_it_is_full(world: World, five: list[str]) -> None:
    page = world.admin.get("/v1/devices?limit=1&location=Room%204").json

    assert ([five[4]], None) == ([item["mac"] for item in page["items"]], page["next_cursor"])


def test_filtered_pages_joined_are_all_that_match(world: World, five: list[str]) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = world.admin.get(f"/v1/devices?limit=2&q=805ec0&state=added{f'&cursor={cursor}' if cursor else ''}").json
        assert 2 >= len(page["items"])
        found += [item["mac"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert five == found


# --- one-time passwords ------------------------------------------------------------------------------------------------


def test_a_one_time_password_is_shown_with_its_end(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    answer = world.admin.post(f"/v1/devices/{MAC}/otp")

    assert (201, {"mac", "otp", "expires_at"}, "2026-11-23T12:00:00Z") == (
        answer.status,
        set(answer.json),
        answer.json["expires_at"],
    )


def test_a_one_time_password_is_nowhere_to_be_read_again(world: World) -> None:
    otp = world.issue_otp()
    seen = world.admin.get(f"/v1/devices/{MAC}").text + world.admin.get(f"/v1/devices/{MAC}/events").text

    assert otp not in seen


def test_the_technicians_list_is_a_csv_with_locations(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 12, left"})
    world.admin.post("/v1/devices", {"mac": SECOND, "location": "=SUM(A1)"})
    answer = world.api("technician").post("/v1/devices/otp", {"macs": [MAC, SECOND]}, Accept="text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))

    assert ("text/csv; charset=utf-8", ["MAC id", "Location", "Verification code", "Valid until"]) == (
        answer.headers["content-type"],
        rows[0],
    )
    assert [(MAC, "Room 12, left"), (SECOND, "'=SUM(A1)")] == [(row[0], row[1]) for row in rows[1:]]
    assert {"2026-11-23T12:00:00Z"} == {row[3] for row in rows[1:]}


def test_no_code_begins_with_a_zero_that_a_spreadsheet_would_drop(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    codes = [world.issue_otp() for _ in range(100)]

    assert [] == [code for code in codes if not re.fullmatch(r"[1-9]\d{5}", code)]


def test_the_codes_of_the_list_enroll(world: World, phone: Phone) -> None:
    phone.onboard()
    world.admin.post("/v1/devices", {"mac": MAC})
    answer = world.admin.post("/v1/devices/otp", {"macs": [MAC]}, Accept="text/csv")
    otp = next(row[2] for row in list(csv.reader(io.StringIO(answer.text)))[1:])

    assert "enrolled" == phone.dial(f"*55*{otp}")[0]


def test_a_list_with_a_device_that_is_not_in_the_inventory_voids_no_code(world: World, phone: Phone) -> None:
    phone.onboard()
    otp = world.issue_otp()
    answer = world.admin.post("/v1/devices/otp", {"macs": [MAC, SECOND]})

    assert (404, "enrolled") == (answer.status, phone.dial(f"*55*{otp}")[0])


def test_a_device_that_stands_in_the_list_twice_gets_one_code(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert 1 == len(world.admin.post("/v1/devices/otp", {"macs": [MAC, MAC.upper()]}).json["items"])


@pytest.mark.parametrize(("body", "pointer"), [({"macs": []}, "/macs"), ({}, "/macs"), ({"macs": [MAC, "x"]}, "/macs/1")])
def test_a_list_that_cannot_be_used_names_the_field(world: World, body: object, pointer: str) -> None:
    answer = world.admin.post("/v1/devices/otp", body)

    assert (400, pointer) == (answer.status, answer.json["errors"][0]["pointer"])


# --- change ------------------------------------------------------------------------------------------------------------


def test_a_device_is_relocated(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert "Room 13" == world.admin.patch(f"/v1/devices/{MAC}", {"location": "Room 13"}).json["location"]


def test_an_empty_change_changes_nothing(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 12"})

    assert NEW_DEVICE == world.admin.patch(f"/v1/devices/{MAC}", {}).json


def test_another_language_reaches_the_phones_files(world: World, phone: Phone) -> None:
    phone.enroll()
    world.admin.patch(f"/v1/devices/{MAC}", {"language": "de"})

    assert ("German", "de") == (phone.settings()["lang.gui"], world.device()["language"])


@pytest.mark.parametrize("change", [{"language": "xx"}, {"blocked": "yes"}, {"location": 1}, {"user": "x"}])
def test_a_change_that_cannot_be_made_is_a_bad_request(world: World, phone: Phone, change: dict[str, object]) -> None:
    phone.enroll()

    assert 400 == world.admin.patch(f"/v1/devices/{MAC}", change).status


@pytest.mark.parametrize("change", [{"language": "de"}, {"blocked": True}])
def test_only_the_location_of_a_device_that_is_not_enrolled_can_be_changed(world: World, change: dict[str, object]) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    answer = world.admin.patch(f"/v1/devices/{MAC}", change)

    assert (409, "illegal_state") == (answer.status, answer.json["code"])


def test_a_blocked_phone_has_no_files_and_no_credentials(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert (404, 404, "blocked") == (phone.fetch().status, phone.credentials().status, world.device()["state"])


def test_the_edge_forgets_a_blocked_phone(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.link.sent.clear()
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert [("forget", phone.username)] == [(command.type, command.username) for _, command in world.link.sent]


def test_an_unblocked_phone_goes_on_as_before(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    for blocked in (True, False):
        world.admin.patch(f"/v1/devices/{MAC}", {"blocked": blocked})
    phone.settle()

    assert (200, "signed_in", "online") == (phone.credentials().status, *(world.device()[n] for n in ("state", "connection")))


# --- remove ------------------------------------------------------------------------------------------------------------


def test_a_removed_device_is_gone(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    answer = world.admin.delete(f"/v1/devices/{MAC}")

    assert (204, "", 404, []) == (answer.status, answer.text, world.admin.get(f"/v1/devices/{MAC}").status, macs(world))


@pytest.mark.parametrize(
    ("what", "body"), [("restart", None), ("resync", None), ("sign-out", None), ("sign-in", {}), ("sign-in", {"user": ANNA})]
)
def test_what_needs_the_phone_itself_says_that_it_was_not_seen_yet(world: World, what: str, body: object) -> None:
    unknown = world.admin.post(f"/v1/devices/{MAC}/{what}", body)
    world.admin.post("/v1/devices", {"mac": MAC})
    added = world.admin.post(f"/v1/devices/{MAC}/{what}", body)

    detail = f"Device {MAC} has not been seen yet. Give it the provisioning URL and start it."
    assert (404, 409, "not_seen_yet", detail) == (unknown.status, added.status, added.json["code"], added.json["detail"])


def test_another_tenants_phone_looks_like_one_that_was_never_seen(world: World, phone: Phone) -> None:
    world.open_other_tenant()
    phone.enroll()
    other = world.api(tenant=OTHER_TENANT)
    other.post("/v1/devices", {"mac": MAC})
    claimed = other.post(f"/v1/devices/{MAC}/restart").json
    other.post("/v1/devices", {"mac": "805ec0abcdef"})
    never = other.post("/v1/devices/805ec0abcdef/restart").json

    assert {**never, "detail": ""} == {**claimed, "detail": ""}
    assert never["detail"].replace("805ec0abcdef", MAC) == claimed["detail"]


def test_a_removed_device_has_no_files_screens_or_credentials(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.admin.delete(f"/v1/devices/{MAC}")

    assert [404] * 4 == [
        answer.status for answer in (phone.fetch(), phone.fetch("ca.pem"), phone.screen("sign-in"), phone.credentials())
    ]


def test_no_secret_of_a_removed_device_is_kept(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.phone(address=ELSEWHERE).ask_stage_one()
    world.admin.delete(f"/v1/devices/{MAC}")

    assert ([], None) == (
        world.store.gather((Installation,), phone.username.rpartition(".")[0]),
        world.store.load(Installation, phone.username.rpartition(".")[0]),
    )


def test_the_edge_forgets_a_removed_device(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    world.link.sent.clear()
    world.admin.delete(f"/v1/devices/{MAC}")

    assert [("forget", phone.username)] == [(command.type, command.username) for _, command in world.link.sent]


def test_candidates_of_a_removed_device_are_gone_too(world: World, phone: Phone) -> None:
    phone.enroll()
    candidate = world.phone(address=ELSEWHERE)
    candidate.ask_stage_one()
    world.admin.delete(f"/v1/devices/{MAC}")

    assert 404 == candidate.fetch().status


def test_a_removed_phone_begins_anew(world: World, phone: Phone) -> None:
    former = phone.enroll().base
    world.admin.delete(f"/v1/devices/{MAC}")
    phone.ask_stage_one()

    assert (False, 200) == (former == phone.base, phone.fetch().status)


def test_removing_twice_is_not_found(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert [204, 404] == [world.admin.delete(f"/v1/devices/{MAC}").status for _ in range(2)]


def test_removing_a_claim_leaves_another_tenants_phone_alone(world: World, phone: Phone) -> None:
    world.open_other_tenant()
    phone.enroll()
    other = world.api(tenant=OTHER_TENANT)
    other.post("/v1/devices", {"mac": MAC})
    other.delete(f"/v1/devices/{MAC}")

    assert (200, "enrolled") == (phone.fetch().status, world.device()["state"])


def test_removing_a_claim_leaves_a_phone_that_others_claim_too_onboarded(world: World, phone: Phone) -> None:
    phone.onboard()
    for tenant in (OTHER_TENANT, "d0000000-0000-4000-8000-000000000001"):
        world.api(tenant=tenant).post("/v1/devices", {"mac": MAC})
    world.api(tenant=OTHER_TENANT).delete(f"/v1/devices/{MAC}")

    assert (200, "onboarded") == (phone.fetch().status, world.device()["state"])


# --- history -----------------------------------------------------------------------------------------------------------


def test_the_history_is_newest_first_and_paged(world: World, phone: Phone) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    world.clock.forward(seconds=1)
    phone.onboard()
    first = world.admin.get(f"/v1/devices/{MAC}/events?limit=1").json
    second = world.admin.get(f"/v1/devices/{MAC}/events?limit=1&cursor={first['next_cursor']}").json

    assert ["registered", "added"] == [page["items"][0]["type"] for page in (first, second)]


def test_the_history_before_anybody_owned_the_phone_is_shown_to_every_claimant(world: World, phone: Phone) -> None:
    phone.onboard()
    kinds = []
    for tenant in (OTHER_TENANT, "d0000000-0000-4000-8000-000000000001"):
        api = world.api(tenant=tenant)
        api.post("/v1/devices", {"mac": MAC})
        kinds.append({event["type"] for event in api.get(f"/v1/devices/{MAC}/events").json["items"]})

    assert [{"added", "registered"}] * 2 == kinds


def test_the_owners_history_is_not_shown_to_another_claimant(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    other = world.api(tenant=OTHER_TENANT)
    other.post("/v1/devices", {"mac": MAC})

    assert ANNA not in other.get(f"/v1/devices/{MAC}/events").text
