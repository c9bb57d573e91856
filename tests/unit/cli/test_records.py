from pathlib import Path

from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway

MAC = "805ec0123456"
FILES = {
    "items": [{"name": f"{MAC}.cfg", "content_type": "text/plain", "body": "#!version:1.0.0.1\na=***\n"}],
    "next_cursor": None,
}


def test_files_are_printed_each_under_its_name(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}/files", FILES)
    assert f"# {MAC}.cfg\n#!version:1.0.0.1\na=***\n\n" == sipgw("devices", "files", MAC).stdout


def test_files_are_written_below_a_folder_and_never_beside_it(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}/files", {"items": [{"name": "../evil.cfg", "body": "x"}], "next_cursor": None})
    sipgw("devices", "files", MAC, "--out", str(tmp_path / "files"))
    assert ["evil.cfg"] == [path.name for path in (tmp_path / "files").iterdir()]


def test_an_upload_is_printed_as_it_came(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}/uploads/app.log", b"line 1\nline 2", content_type="text/plain")
    assert "line 1\nline 2\n" == sipgw("devices", "uploads", MAC, "app.log").stdout


def test_an_upload_that_is_no_text_goes_to_a_file(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    for _ in range(2):
        gateway.lay(f"GET /v1/devices/{MAC}/uploads/prt.tar.gz", b"\x1f\x8b\x00", content_type="application/octet-stream")
    shown, file = sipgw("devices", "uploads", MAC, "prt.tar.gz"), tmp_path / "prt"

    assert (1, True) == (shown.code, "--out prt.tar.gz" in shown.stderr)
    assert 0 == sipgw("devices", "uploads", MAC, "prt.tar.gz", "--out", str(file)).code
    assert b"\x1f\x8b\x00" == file.read_bytes()


def test_uploads_are_a_table(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET /v1/devices/{MAC}/uploads", {"items": [{"name": "app.log", "bytes": 12}], "next_cursor": None})
    assert ["app.log", "12"] == sipgw("devices", "uploads", MAC).row("app.log")


def test_the_audit_is_a_table(gateway: FakeGateway, sipgw: Sipgw) -> None:
    entry = {
        "at": "2026-01-02T03:04:05Z",
        "type": "api",
        "actor": "a@b.c",
        "method": "POST",
        "path": "/v1/sync",
        "status": 202,
        "outcome": "done",
    }
    gateway.lay("GET /v1/audit", {"items": [entry], "next_cursor": None})
    expected = ["2026-01-02T03:04:05Z", "api", "a@b.c", "POST", "/v1/sync", "-", "-", "202", "done"]
    assert expected == sipgw("audit").row("2026")


def test_a_command_is_waited_for_and_its_failure_is_an_exit_status(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/commands/c1", {"id": "c1", "state": "sent"})
    gateway.lay("GET /v1/commands/c1", {"id": "c1", "state": "failed", "sip_status": 481})
    outcome = sipgw("commands", "show", "c1", "--wait")
    assert (1, ["state", "failed"]) == (outcome.code, outcome.row("state"))
    assert "481" in outcome.stderr


def test_a_device_is_relocated_and_blocked(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"PATCH /v1/devices/{MAC}", {"mac": MAC, "location": "Lobby"})
    outcome = sipgw("devices", "set", MAC, "--location", "Lobby", "--language", "de", "--block")
    assert {"location": "Lobby", "language": "de", "blocked": True} == gateway.seen[0].json
    assert ["location", "Lobby"] == outcome.row("location")
    assert 2 == sipgw("devices", "set", MAC).code
