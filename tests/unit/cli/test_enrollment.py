import stat
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway

HEADER = b"MAC id,Location,Verification code,Valid until\r\n"
PATH = "/v1/devices/otp"


def table(*rows: str) -> bytes:
    return HEADER + b"".join(f"{row},Lobby,012345,2026-01-02\r\n".encode() for row in rows)


def test_a_list_for_the_technician_holds_every_device_of_a_state_and_one_header(
    gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path
) -> None:
    macs = [f"805ec0{number:06x}" for number in range(60)]
    gateway.lay("GET /v1/devices", {"items": [{"mac": mac} for mac in macs], "next_cursor": None})
    for part in (macs[:50], macs[50:]):
        gateway.lay(f"POST {PATH}", table(*part), content_type="text/csv")
    file = tmp_path / "otps.csv"
    outcome = sipgw("devices", "otp", "--state", "added", "--out", str(file))
    assert table(*macs) == file.read_bytes()
    assert "60 one-time passwords" in outcome.stdout
    assert [macs[:50], macs[50:]] == [request.json["macs"] for request in gateway.seen[1:]]
    assert "text/csv" == gateway.seen[1].headers["Accept"]
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_ports_need_no_one_time_password(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    macs = ["805ec0123456", "805ec0123456:002", "805ec0999999"]
    gateway.lay("GET /v1/devices", {"items": [{"mac": mac} for mac in macs], "next_cursor": None})
    gateway.lay(f"POST {PATH}", table(macs[0], macs[2]), content_type="text/csv")
    sipgw("devices", "otp", "--state", "added", "--out", str(tmp_path / "otps.csv"))
    assert [macs[0], macs[2]] == gateway.seen[1].json["macs"]


def test_what_was_issued_before_a_refusal_stays_in_the_list(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    macs = [f"805ec0{number:06x}" for number in range(60)]
    gateway.lay("GET /v1/devices", {"items": [{"mac": mac} for mac in macs], "next_cursor": None})
    gateway.lay(f"POST {PATH}", table(*macs[:50]), content_type="text/csv")
    gateway.refuse(f"POST {PATH}", 503, title="Away", code="not_now")
    file = tmp_path / "otps.csv"
    assert 1 == sipgw("devices", "otp", "--state", "added", "--out", str(file)).code
    assert table(*macs[:50]) == file.read_bytes()


def test_a_list_that_is_there_already_is_not_overwritten(gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path) -> None:
    file = tmp_path / "otps.csv"
    file.write_text("old")
    outcome = sipgw("devices", "otp", "805ec0123456", "--out", str(file))
    assert (1, "old", []) == (outcome.code, file.read_text(), gateway.seen)
    assert "choose another name" in outcome.stderr


@pytest.mark.parametrize("arguments", [(), ("805ec0123456", "--state", "added"), ("805ec0123456", "--out", "x.csv", "--json")])
def test_what_contradicts_itself_is_a_usage_error(gateway: FakeGateway, sipgw: Sipgw, arguments: tuple[str, ...]) -> None:
    assert 2 == sipgw("devices", "otp", *arguments).code
    assert [] == gateway.seen


def test_a_state_without_devices_is_told(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/devices", {"items": [], "next_cursor": None})
    assert "No device is added.\n" == sipgw("devices", "otp", "--state", "added").stderr
