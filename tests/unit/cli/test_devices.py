import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway

MAC = "805ec0123456"
DEVICE = {
    "mac": MAC,
    "vendor": "yealink",
    "model": "T46U",
    "firmware": "108.86.0.90",
    "state": "signed_in",
    "connection": "online",
    "location": "Lobby",
    "user": {"upn": "ada@example.org", "display_name": "Ada", "number": "+49301234567"},
    "last_seen_at": "2026-01-02T03:04:05.678901Z",
}


def test_list_is_a_table_with_one_line_per_device(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [DEVICE], "next_cursor": None})
    outcome = sipgw("devices", "list")
    expected = [
        MAC,
        "yealink",
        "T46U",
        "108.86.0.90",
        "signed_in",
        "online",
        "ada@example.org",
        "Lobby",
        "2026-01-02T03:04:05Z",
    ]
    assert expected == outcome.row(MAC)
    assert outcome.code == 0


def test_list_sends_its_filters_and_the_token(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [], "next_cursor": None})
    filters = ["--state", "signed_in", "--connection", "online", "--vendor", "poly", "--user", "a@b.c", "--q", "lobby"]
    outcome = sipgw("devices", "list", *filters)
    expected = {"state": "signed_in", "connection": "online", "vendor": "poly", "user": "a@b.c", "q": "lobby", "limit": "200"}
    assert expected == gateway.seen[0].query
    assert gateway.seen[0].headers["Authorization"] == "Bearer aaa.bbb.ccc"
    assert outcome.stderr == "No devices.\n"


def test_list_follows_every_cursor(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [{"mac": "1"}, {"mac": "2"}], "next_cursor": "c1"})
    gateway.lay("GET /v1/devices", {"items": [{"mac": "3"}], "next_cursor": None})
    outcome = sipgw("devices", "list", "--json")
    assert {"items": [{"mac": "1"}, {"mac": "2"}, {"mac": "3"}], "next_cursor": None} == outcome.json
    assert [None, "c1"] == [request.query.get("cursor") for request in gateway.seen]


def test_list_stops_at_its_limit_and_says_that_there_are_more(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [{"mac": "m1"}, {"mac": "m2"}], "next_cursor": "c1"})
    gateway.lay("GET /v1/devices", {"items": [{"mac": "m3"}], "next_cursor": "c2"})
    outcome = sipgw("devices", "list", "--limit", "3")
    assert ["3", "1"] == [request.query["limit"] for request in gateway.seen]
    assert "There are more" in outcome.stderr


def test_list_refuses_pages_that_go_in_a_circle(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [{"mac": "1"}], "next_cursor": "c1"})
    outcome = sipgw("devices", "list")
    assert outcome.code == 1
    assert "same page" in outcome.stderr


def test_show_takes_any_usual_spelling_of_a_mac(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}", DEVICE)
    for spelling in ("80:5E:C0:12:34:56", "80-5e-c0-12-34-56", "805e.c012.3456", "805EC0123456"):
        outcome = sipgw("devices", "show", spelling)
        assert ["user.upn", "ada@example.org"] == outcome.row("user.upn")


def test_show_as_json_is_the_answer_itself(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}", DEVICE)
    assert DEVICE == sipgw("devices", "show", MAC, "--json").json


def test_something_else_than_a_mac_is_a_usage_error(gateway: FakeGateway, sipgw: Sipgw) -> None:
    outcome = sipgw("devices", "show", "lobby")
    assert outcome.code == 2
    assert [] == gateway.seen


def test_add_posts_mac_and_location_under_an_idempotency_key(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("POST /v1/devices", DEVICE, status=201)
    outcome = sipgw("devices", "add", "80:5e:c0:12:34:56", "--location", "Lobby")
    assert {"mac": MAC, "location": "Lobby"} == gateway.seen[0].json
    assert gateway.seen[0].headers["Idempotency-Key"]
    assert outcome.code == 0


def test_no_line_of_a_pipe_ends_in_spaces(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}", {**DEVICE, "pending_commands": ["a" * 26] * 9})
    lines = sipgw("devices", "show", MAC).stdout.splitlines()

    assert [] == [line for line in lines if line != line.rstrip()]


def test_add_says_that_a_known_device_stays_where_it_is(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("POST /v1/devices", {**DEVICE, "location": "Cellar"})
    outcome = sipgw("devices", "add", MAC, "--location", "Lobby")

    assert ["Added" in outcome.stdout, "Cellar" in outcome.stdout] == [False, True]
    assert f'./sipgw devices set {MAC} --location "Lobby"' in outcome.stdout


def test_import_sends_the_csv_and_shows_each_row(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    file.write_bytes(b"\xef\xbb\xbfMAC id,Location\n" + MAC.encode() + b",Lobby\n")
    gateway.lay("POST /v1/devices/import", {"rows": [{"row": 1, "mac": MAC, "result": "added"}]})
    outcome = sipgw("devices", "import", str(file))
    assert b"MAC id,Location\n805ec0123456,Lobby\n" == gateway.seen[0].body
    assert "text/csv; charset=utf-8" == gateway.seen[0].headers["Content-Type"]
    assert ["1", MAC, "added"] == outcome.row("1")
    assert outcome.code == 0


def test_import_with_a_refused_row_exits_with_1(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("MAC id,Location\nzz,Lobby\n")
    gateway.lay("POST /v1/devices/import", {"items": [{"row": 1, "result": "error", "detail": "no MAC"}]})
    outcome = sipgw("devices", "import", str(file))
    assert outcome.code == 1
    assert ["1", "error", "no", "MAC"] == outcome.row("1")
    assert "1 of 1 rows were refused" in outcome.stderr


def test_otp_shows_the_password_its_end_and_what_to_dial(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"POST /v1/devices/{MAC}/otp", {"mac": MAC, "otp": "012345", "expires_at": "2026-01-02T03:04:05Z"})
    assert [MAC, "012345", "*55*012345", "2026-01-02T03:04:05Z"] == sipgw("devices", "otp", MAC).row(MAC)


def test_otps_issued_before_a_refusal_are_still_shown(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"POST /v1/devices/{MAC}/otp", {"mac": MAC, "otp": "012345", "expires_at": "2026-01-02T03:04:05Z"})
    outcome = sipgw("devices", "otp", MAC, "000000000001", "--json")
    assert ["012345"] == [issued["otp"] for issued in outcome.json]
    assert outcome.code == 1


def test_remove_asks_first_and_does_nothing_on_a_no(gateway: FakeGateway, sipgw: Sipgw) -> None:
    assert sipgw("devices", "remove", MAC, typed="n\n").code == 1
    assert [] == gateway.seen


def test_remove_with_yes_asks_nothing(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"DELETE /v1/devices/{MAC}", status=204)
    outcome = sipgw("devices", "remove", MAC, "--yes", "--json")
    assert {} == outcome.json
    assert ["DELETE"] == [request.method for request in gateway.seen]


def test_history_shows_time_type_and_detail(gateway: FakeGateway, sipgw: Sipgw) -> None:
    item = {"at": "2026-01-02T03:04:05Z", "type": "device_onboarded", "detail": {"model": "T46U"}}
    gateway.lay(f"GET /v1/devices/{MAC}/events", {"items": [item], "next_cursor": None})
    assert ["2026-01-02T03:04:05Z", "device_onboarded", "model=T46U"] == sipgw("devices", "history", MAC).row("2026")


def test_report_is_saved_byte_for_byte(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}/report", b"PK\x03\x04\xff\x00", content_type="application/zip")
    path = tmp_path / "r.zip"
    outcome = sipgw("devices", "report", MAC, "--out", str(path), "--json")
    assert b"PK\x03\x04\xff\x00" == path.read_bytes()
    assert {"file": str(path), "bytes": 6} == outcome.json


def test_restart_prints_the_state_that_the_gateway_told(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"POST /v1/devices/{MAC}/restart", {"id": "c-1", "state": "pending"}, status=202)
    outcome = sipgw("devices", "restart", MAC)
    assert f"restart of {MAC}: pending" == outcome.stdout.splitlines()[0]
    assert 1 == len(gateway.seen)


def test_restart_with_wait_follows_the_command_to_its_end(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"POST /v1/devices/{MAC}/restart", {"id": "c-1", "state": "pending"}, status=202)
    gateway.lay("GET /v1/commands/c-1", {"id": "c-1", "state": "sent"})
    gateway.lay("GET /v1/commands/c-1", {"id": "c-1", "state": "acknowledged", "sip_status": 200})
    outcome = sipgw("devices", "restart", MAC, "--wait", "--json")
    assert {"id": "c-1", "state": "acknowledged", "sip_status": 200} == outcome.json
    assert outcome.code == 0


@pytest.mark.parametrize("verb", ["resync", "sign-out"])
def test_an_order_that_failed_exits_with_1(gateway: FakeGateway, sipgw: Sipgw, verb: str) -> None:
    gateway.lay(f"POST /v1/devices/{MAC}/{verb}", {"id": "c-1", "state": "pending"}, status=202)
    gateway.lay("GET /v1/commands/c-1", {"id": "c-1", "state": "failed", "sip_status": 481})
    outcome = sipgw("devices", verb, MAC, "--wait")
    assert outcome.code == 1
    assert "481" in outcome.stderr


def test_waiting_ends_when_its_time_is_up(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"POST /v1/devices/{MAC}/restart", {"id": "c-1", "state": "pending"}, status=202)
    gateway.lay("GET /v1/commands/c-1", {"id": "c-1", "state": "pending", "expires_at": "2026-01-02T03:04:05Z"})
    outcome = sipgw("devices", "restart", MAC, "--wait", "--timeout", "0.3")
    assert outcome.code == 1
    assert "still pending" in outcome.stderr


def test_sign_in_shows_pairing_code_and_authorization_url(gateway: FakeGateway, sipgw: Sipgw) -> None:
    answer = {"pairing_code": "BCDF-GHJK", "authorization_url": "https://h/pair", "expires_at": "2026-01-02T03:04:05Z"}
    gateway.lay(f"POST /v1/devices/{MAC}/sign-in", answer)
    outcome = sipgw("devices", "sign-in", MAC)
    assert {} == gateway.seen[0].json
    assert "BCDF-GHJK" in outcome.stdout
    assert "https://h/pair" in outcome.stdout


def test_sign_in_of_a_common_area_account_names_the_user(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"POST /v1/devices/{MAC}/sign-in", {"id": "c-1", "state": "pending"}, status=202)
    sipgw("devices", "sign-in", MAC, "--user", "lobby@example.org")
    assert {"user": "lobby@example.org"} == gateway.seen[0].json


def test_sign_in_in_bulk_follows_the_job_and_shows_its_rows(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    file = tmp_path / "sign-ins.csv"
    file.write_text(f"Username,HardwareId\nlobby@example.org,{MAC}\n")
    gateway.lay("POST /v1/sign-ins", {"id": "j-1", "state": "running"}, status=202)
    gateway.lay("GET /v1/jobs/j-1", {"id": "j-1", "state": "finished", "rows": [{"row": 1, "result": "signed_in"}]})
    outcome = sipgw("devices", "sign-in", "--file", str(file))
    assert ["1", "signed_in"] == outcome.row("1")
    assert outcome.code == 0


def test_sign_in_of_nobody_is_a_usage_error(sipgw: Sipgw) -> None:
    assert sipgw("devices", "sign-in").code == 2


def test_long_lines_are_never_cut_where_they_are_piped(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [{**DEVICE, "location": "x" * 300}], "next_cursor": None})
    assert "x" * 300 in sipgw("devices", "list").row(MAC)


def test_a_name_cannot_steer_the_terminal_or_the_table(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [{**DEVICE, "location": "\x1b[2J[/red]\u202e\ud800\u009b"}], "next_cursor": None})
    outcome = sipgw("devices", "list")
    assert "\ufffd[2J[/red]\ufffd\ufffd\ufffd" in outcome.row(MAC)


def test_json_keeps_what_utf_8_cannot_hold_as_an_escape(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}", {"location": "東京 \ud800"})
    outcome = sipgw("devices", "show", MAC, "--json")
    assert {"location": "東京 \ud800"} == json.loads(outcome.stdout)
    assert "東京" in outcome.stdout
