"""Tables from outside: calling policies as PowerShell exports them, devices as JSON lines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway import MAC, Answer, World

SECOND = "805ec0abcdef"
BINARY = "application/octet-stream"
EXPORTED = {
    "Identity": "Tag:Räume",
    "Description": None,
    "AllowPrivateCalling": True,
    "AllowVoicemail": "AlwaysDisabled",
    "AllowCallRedirect": "UserOverride",
    "AllowSIPDevicesCalling": True,
    "BusyOnBusyEnabledType": "Unanswered",
}
SAVED = {
    "name": "Räume",
    "sip_devices_for_calls": True,
    "call_redirect": "user_override",
    "voicemail": "always_disabled",
    "common_area": False,
    "busy_on_busy": "unanswered",
}


def import_policies(world: World, exported: object, content_type: str = "application/json") -> Answer:
    body = exported if isinstance(exported, bytes) else json.dumps(exported, ensure_ascii=False)
    return world.admin.post("/v1/policies/import", body, Content_Type=content_type)


def results(answer: Answer) -> list[tuple[int, str, str]]:
    return [(row["row"], row["name"], row["result"]) for row in answer.json["items"]]


def policies(world: World) -> Any:
    return world.admin.get("/v1/policies").json


# --- policies ----------------------------------------------------------------------------------------------------------


def test_an_exported_policy_is_taken_over(world: World) -> None:
    answer = import_policies(world, EXPORTED)

    assert (200, [(1, "Räume", "added")]) == (answer.status, results(answer))
    assert SAVED == world.admin.get("/v1/policies/R%C3%A4ume").json


def test_each_policy_of_a_list_has_its_result(world: World) -> None:
    exported = [
        {"Identity": "Global", "AllowSIPDevicesCalling": True},
        {"Identity": "Tag:SIP phones", "AllowSIPDevicesCalling": True},
        EXPORTED,
    ]

    assert [(1, "Global", "changed"), (2, "SIP phones", "unchanged"), (3, "Räume", "added")] == results(
        import_policies(world, exported)
    )


def test_importing_policies_twice_changes_nothing_more(world: World) -> None:
    import_policies(world, EXPORTED)

    assert [(1, "Räume", "unchanged")] == results(import_policies(world, EXPORTED))


def test_common_area_is_kept_as_it_is_here(world: World) -> None:
    import_policies(world, {"Identity": "Tag:Lobby", "AllowSIPDevicesCalling": False})
    lobby = world.admin.get("/v1/policies/Lobby").json

    assert (True, False) == (lobby["common_area"], lobby["sip_devices_for_calls"])


def test_a_field_that_the_export_lacks_is_kept(world: World) -> None:
    import_policies(world, {"Identity": "Tag:Lobby", "AllowVoicemail": None})

    assert True is world.admin.get("/v1/policies/Lobby").json["sip_devices_for_calls"]


def test_the_list_that_old_powershell_wraps_is_read(world: World) -> None:
    assert [(1, "Räume", "added")] == results(import_policies(world, {"value": [EXPORTED], "Count": 1}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_powershells_encodings_are_read(world: World, encoding: str) -> None:
    answer = import_policies(world, json.dumps(EXPORTED, ensure_ascii=False).encode(encoding), BINARY)

    assert [(1, "Räume", "added")] == results(answer)


def test_utf_16_that_went_as_text_is_read_where_no_letter_was_lost(world: World) -> None:
    spoilt = json.dumps({"Identity": "Tag:Rooms"}).encode("utf-16").decode("utf-8", "replace").encode()

    assert [(1, "Rooms", "added")] == results(import_policies(world, spoilt))


def test_utf_16_that_lost_letters_is_refused_with_what_to_do(world: World) -> None:
    spoilt = json.dumps(EXPORTED, ensure_ascii=False).encode("utf-16").decode("utf-8", "replace").encode()
    answer = import_policies(world, spoilt)

    assert (400, True) == (answer.status, BINARY in answer.json["detail"])


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"Identity": "Tag:x", "AllowVoicemail": "Sometimes"}, "/1/AllowVoicemail"),
        ({"Identity": "Tag:x", "AllowSIPDevicesCalling": "yes"}, "/1/AllowSIPDevicesCalling"),
        ({"Identity": "Tag:x", "BusyOnBusyEnabledType": 1}, "/1/BusyOnBusyEnabledType"),
        ({"Identity": "Tag:x", "AllowCallRedirect": ["Enabled"]}, "/1/AllowCallRedirect"),
        ({"Identity": "x"}, "/1/Identity"),
        ({"Identity": "Tag:"}, "/1/Identity"),
        ({"Identity": "Tag:" + "x" * 129}, "/1/Identity"),
        ({"Identity": 7}, "/1/Identity"),
        ({}, "/1/Identity"),
        ("Global", "/1"),
        (EXPORTED, "/1/Identity"),
    ],
)
def test_one_wrong_policy_keeps_all_of_them_out(world: World, wrong: object, pointer: str) -> None:
    before = policies(world)
    answer = import_policies(world, [EXPORTED, wrong])

    assert (400, [pointer], before) == (answer.status, [item["pointer"] for item in answer.json["errors"]], policies(world))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"7", b"[]", b"\xff\xfe{", b"\xff", b"[" * 100_000, b"null"], ids=lambda b: str(b)[:12]
)
def test_what_is_no_export_is_a_bad_request(world: World, body: bytes) -> None:
    assert (400, "bad_request") == ((answer := import_policies(world, body)).status, answer.json["code"])


def test_more_policies_than_one_save_holds_are_taken_over(world: World) -> None:
    exported = [{"Identity": f"Tag:Policy {number:03}"} for number in range(150)]
    rows = results(import_policies(world, exported))

    assert ([*range(1, 151)], {"added"}) == ([row[0] for row in rows], {row[2] for row in rows})


def test_a_thousand_and_one_policies_are_refused(world: World) -> None:
    assert 400 == import_policies(world, [{"Identity": f"Tag:{number}"} for number in range(1_001)]).status


def test_an_export_over_a_mebibyte_is_too_large(world: World) -> None:
    assert 413 == import_policies(world, b" " * (1024 * 1024 + 1)).status


# --- devices as JSON lines ---------------------------------------------------------------------------------------------


def import_lines(world: World, text: str, content_type: str = "application/x-ndjson") -> list[tuple[int, str, str]]:
    answer = world.admin.post("/v1/devices/import", text.encode(), Content_Type=content_type)
    assert 200 == answer.status
    return [(row["line"], row["mac"], row["result"]) for row in answer.json["items"]]


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/x-ndjson; charset=utf-8", "text/plain"])
def test_json_lines_are_added_with_a_result_each(world: World, content_type: str) -> None:
    world.admin.post("/v1/devices", {"mac": SECOND})
    lines = [
        f'{{"mac":"{MAC.upper()}","location":"Room 12, left"}}',
        "",
        f'{{"mac": "{SECOND}"}}\r',
        '{"mac": "nonsense"}',
        f'{{"mac": "{MAC}"}}',
    ]

    assert [(1, MAC, "added"), (3, SECOND, "known"), (4, "nonsense", "refused"), (5, MAC, "refused")] == import_lines(
        world, "\n".join(lines), content_type
    )
    assert "Room 12, left" == world.device()["location"]


@pytest.mark.parametrize(
    "line", ["{", "7", "[]", '{"mac": 1}', "{}", f'{{"mac":"{MAC}","loction":"x"}}', f'{{"mac":"{MAC}","location":"a\\nb"}}']
)
def test_a_line_that_cannot_be_used_is_refused_with_its_reason(world: World, line: str) -> None:
    answer = world.admin.post("/v1/devices/import", line.encode(), Content_Type="application/x-ndjson")
    row = answer.json["items"][0]

    assert ("refused", True, []) == (row["result"], bool(row["detail"]), world.admin.get("/v1/devices").json["items"])


def test_too_many_lines_add_nothing(world: World) -> None:
    lines = "".join(f'{{"mac":"{number:012x}"}}\n' for number in range(10_001))

    assert 400 == world.admin.post("/v1/devices/import", lines.encode()).status
    assert [] == world.admin.get("/v1/devices").json["items"]
