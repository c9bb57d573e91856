"""An administrator's day through the command line alone: from an empty tenant to a phone that is removed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.virtual_phone.phone import Reaction, VirtualPhone
from local.virtual_phone.provisioning import DeviceIdentity
from tests.life.gateway import Gateway
from tests.life.household import SHORTEST_EXPIRY
from tests.life.waiting import wait_until

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

ROOT = Path(__file__).parents[2]
PHONES = ("805ec0a00001", "805ec0a00002", "805ec0a00003")
IMPORTED = 500
# As `Get-CsTeamsCallingPolicy | ConvertTo-Json` writes them.
TEAMS_POLICIES = [
    {"Identity": "Global", "AllowSIPDevicesCalling": False},
    {"Identity": "Tag:Lobby phones", "AllowSIPDevicesCalling": True, "AllowVoicemail": "AlwaysDisabled"},
]


@dataclass(frozen=True)
class Sipgw:
    """`./sipgw` as a person runs it, in a terminal of 120 columns."""

    folder: Path

    def __call__(self, *arguments: str) -> str:
        run = subprocess.run(  # noqa: S603 - our own program
            [str(ROOT / "sipgw"), *arguments],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder,
            check=False,
        )
        assert run.returncode == 0, f"sipgw {' '.join(arguments)}\n{run.stdout}\n{run.stderr}"
        assert "Traceback" not in run.stderr
        return run.stdout

    def json(self, *arguments: str) -> dict[str, object]:
        return dict(json.loads(self(*arguments, "--json")))

    @property
    def environment(self) -> dict[str, str]:
        own = {"SIPGW_URL": "https://localhost:8443", "SIPGW_CA_FILE": str(self.folder / "state" / "tls" / "ca.pem")}
        return {**os.environ, **own, "HOME": str(self.folder), "COLUMNS": "120"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    own = Gateway(tmp_path_factory.mktemp("day") / "state", SHORTEST_EXPIRY)
    try:
        own.start()
        yield own
    finally:
        own.close()


@pytest.fixture(scope="module")
def phones(gateway: Gateway) -> Iterator[dict[str, VirtualPhone]]:
    own = {
        mac: VirtualPhone(DeviceIdentity(mac), dhcp_url="https://localhost:8443/", factory_trust=gateway.trust)
        for mac in PHONES
    }
    try:
        yield own
    finally:
        for phone in own.values():
            phone.close()


def test_an_administrators_day(gateway: Gateway, phones: dict[str, VirtualPhone]) -> None:
    folder = gateway.state.parent
    sipgw = Sipgw(folder)

    prepare_organisation(sipgw, folder)
    import_inventory(sipgw, folder)
    passwords = print_one_time_passwords(sipgw, folder)
    enroll(sipgw, phones, passwords)
    sign_everybody_in(sipgw, folder, phones)
    change_policy(sipgw, phones[PHONES[0]])
    restart(sipgw, phones[PHONES[1]])
    look_into_a_problem(sipgw, folder)
    remove(sipgw)


def prepare_organisation(sipgw: Sipgw, folder: Path) -> None:
    assert "Europe/Berlin" in sipgw("tenant", "set", "--enabled", "--time-zone", "Europe/Berlin")
    (folder / "policies.json").write_bytes(json.dumps(TEAMS_POLICIES).encode("utf-16"))
    assert "Lobby phones" in sipgw("policies", "import", "policies.json")
    assert "common area" in sipgw("policies", "set", "Lobby phones", "--common-area")
    for number, mac in enumerate(PHONES):
        account = ("--number", f"+498912345{number:02}", "--policy", "Lobby phones", "--display-name", f"Lobby {number}")
        assert f"Saved {mac}@example.com." in sipgw("users", "assign", f"{mac}@example.com", *account)


def import_inventory(sipgw: Sipgw, folder: Path) -> None:
    macs = [*PHONES, *(f"805ec0b{number:05x}" for number in range(IMPORTED - len(PHONES)))]
    with (folder / "devices.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("MAC id", "Location"), *((mac.upper(), f"Room {mac[-3:]}") for mac in macs)])
    lines = sipgw("devices", "import", "devices.csv").splitlines()
    assert IMPORTED == sum("added" in line for line in lines)
    assert IMPORTED == len(sipgw("devices", "list", "--state", "added").splitlines()) - 1


def print_one_time_passwords(sipgw: Sipgw, folder: Path) -> dict[str, str]:
    assert f"{IMPORTED} one-time passwords" in sipgw("devices", "otp", "--state", "added", "--out", "otps.csv")
    with (folder / "otps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert IMPORTED == len(rows)
    return {row["MAC id"]: row["Verification code"] for row in rows}


def enroll(sipgw: Sipgw, phones: dict[str, VirtualPhone], passwords: dict[str, str]) -> None:
    with ThreadPoolExecutor(len(phones)) as side_by_side:
        for reason in side_by_side.map(lambda mac: enroll_one(phones[mac], passwords[mac]), phones):
            assert reason == "Phone enrolled"
    await_devices(sipgw, "enrolled", len(phones))


def enroll_one(phone: VirtualPhone, password: str) -> str:
    phone.power_on()
    reason = phone.dial(f"*55*{password}").reason_phrase
    assert phone.await_notify() is Reaction.REFETCHED
    return reason


def sign_everybody_in(sipgw: Sipgw, folder: Path, phones: dict[str, VirtualPhone]) -> None:
    rows = [
        ("Username", "HardwareId"),
        *((f"{mac}@example.com", "-".join(mac[i : i + 2] for i in range(0, 12, 2))) for mac in PHONES),
    ]
    with (folder / "sign-ins.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert len(PHONES) == sipgw("devices", "sign-in", "--file", "sign-ins.csv").count("signed_in")
    assert all(phone.await_notify() is Reaction.REREGISTERED for phone in phones.values())
    await_devices(sipgw, "signed_in", len(phones))
    shown = sipgw("devices", "list", "--state", "signed_in")
    assert all(f"{mac}@example.com" in shown for mac in PHONES)


def change_policy(sipgw: Sipgw, phone: VirtualPhone) -> None:
    mac = phone.identity.mac
    wait_until(lambda: not sipgw.json("devices", "show", mac)["pending_commands"], "no pending command")
    sipgw("users", "assign", f"{mac}@example.com", "--display-name", "Reception")
    assert "succeeded" in sipgw("sync", "--wait")
    assert phone.await_notify() is not Reaction.RESTARTED
    assert "Reception" in sipgw("devices", "files", mac)
    assert "Reception" in str(phone.device_settings)


def restart(sipgw: Sipgw, phone: VirtualPhone) -> None:
    mac = phone.identity.mac
    wait_until(lambda: not sipgw.json("devices", "show", mac)["pending_commands"], "no pending command")
    assert "acknowledged" in sipgw("devices", "restart", mac, "--wait")
    assert phone.await_notify() is Reaction.RESTARTED


def look_into_a_problem(sipgw: Sipgw, folder: Path) -> None:
    mac = PHONES[2]
    history = sipgw("devices", "history", mac)
    assert all(word in history for word in ("added", "otp_issued", "registered", "enrolled", "signed_in"))
    assert f"Wrote report-{mac}.zip" in sipgw("devices", "report", mac)
    with zipfile.ZipFile(folder / f"report-{mac}.zip") as report:
        assert report.testzip() is None
        assert report.namelist()
    assert "/v1/devices/import" in sipgw("audit")


def remove(sipgw: Sipgw) -> None:
    mac = PHONES[2]
    assert f"Removed {mac}." in sipgw("devices", "remove", mac, "--yes")
    assert mac not in sipgw("devices", "list", "--state", "signed_in")


def await_devices(sipgw: Sipgw, state: str, count: int) -> None:
    def there() -> bool:
        found = sipgw("devices", "list", "--state", state, "--connection", "online").splitlines()
        return len(found) - 1 == count

    wait_until(there, f"{count} devices {state} and online", lambda: sipgw("devices", "list", "--limit", "5"))
