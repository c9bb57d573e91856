"""A vendor is a folder and no Python: the made-up one of docs/add-a-vendor.md goes through a phone's life."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chalicelib.contracts.edge import CommandType
from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.catalogue import FOLDER, Identity, identify, use_folders, vendors
from chalicelib.vendors.preview import preview
from tests.gateway import Answer, Phone, World, serving

PAGE = Path(__file__).parents[3] / "docs" / "add-a-vendor.md"
FILE = re.compile(r"^`acme/(\S+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ACME_MAC = "02aabbccddee"


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Path]:
    """The folder as the page describes it, beside the four that there are."""
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = tmp_path / "acme" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with use_folders(FOLDER, tmp_path):
        yield tmp_path


@dataclass
class AcmePhone(Phone):
    """What an Acme phone makes of its files."""

    model: str = "A100"
    firmware: str = "1.6.2"

    @property
    def user_agent(self) -> str:
        return f"Acme/{self.model} {self.firmware} {self.mac}"

    def ask_stage_one(self) -> Answer:
        answer = self.get(f"/{self.mac}.ini")
        if answer.status == 200:
            self.base = urlsplit(answer.text.removeprefix("server.url=").strip()).path
        return answer

    def fetch(self, name: str = "", method: str = "GET", **headers: str) -> Answer:
        answer = self.get(f"{self.base}{name or f'{self.mac}.ini'}", method, **headers)
        said = settings_in(answer)
        self.username, self.aor = said.get("line.1.auth", self.username), said.get("line.1.user", self.aor)
        return answer


def settings_in(answer: Answer) -> dict[str, str]:
    return dict(line.split("=", 1) for line in answer.text.splitlines() if re.match(r"[a-z0-9.]+=", line))


@pytest.fixture
def phone(acme: Path) -> Iterator[AcmePhone]:
    assert acme.is_dir()
    with serving(World()) as world:
        yield AcmePhone(world, ACME_MAC)


@pytest.mark.usefixtures("acme")
def test_the_fifth_vendor_stands_beside_the_four() -> None:
    assert ["acme", "audiocodes", "cisco", "poly", "yealink"] == sorted(vendors())


def test_without_its_folder_nobody_knows_it() -> None:
    assert identify(f"Acme/A100 1.6.2 {ACME_MAC}") is None


@pytest.mark.usefixtures("acme")
def test_it_is_identified() -> None:
    assert Identity("acme", "A100", "1.6.2", ACME_MAC) == identify("Acme/A100 1.6.2", f"/{ACME_MAC}.ini")


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("state", PhoneState)
@pytest.mark.parametrize("language", Language)
def test_its_files_can_be_printed(state: PhoneState, language: Language) -> None:
    expected = 1 if state is PhoneState.BOOTSTRAP else 2

    assert expected == len(preview("acme", "A100", state, language))


def test_stage_one_gives_it_its_own_url(phone: AcmePhone) -> None:
    answer = phone.ask_stage_one()

    assert (200, f"server.url=https://gateway.example{phone.base}\n") == (answer.status, answer.text)


def test_firmware_that_is_too_old_is_told_to_the_administrator(phone: AcmePhone) -> None:
    phone.world.admin.post("/v1/devices", {"mac": ACME_MAC})
    phone.firmware = "1.3.9"

    assert 404 == phone.ask_stage_one().status
    assert "Firmware 1.3.9 is older than 1.4.0; upgrade to 1.6.2" == phone.world.device(ACME_MAC)["incompatible_reason"]


def test_it_is_onboarded_enrolled_and_signed_in(phone: AcmePhone) -> None:
    phone.enroll().sign_in()
    device, said = phone.world.device(ACME_MAC), settings_in(phone.fetch())

    assert ("acme", "A100", "1.6.2", "signed_in", "online") == tuple(
        device[name] for name in ("vendor", "model", "firmware", "state", "connection")
    )
    assert ("Anna Berg +4989123401", "+4989123401", "Sign out") == tuple(
        said[name] for name in ("line.1.label", "line.1.user", "key.1.label")
    )


def test_its_screen_shows_the_pairing_code(phone: AcmePhone) -> None:
    phone.enroll()
    screen = phone.screen("sign-in")

    assert (200, "text/xml; charset=utf-8") == (screen.status, screen.headers["content-type"])
    assert re.search(r"<Line>[B-Z]{4}-[B-Z]{4}</Line>", screen.text)


@pytest.mark.parametrize(("verb", "event"), [("resync", "check-sync;reboot=false"), ("restart", "check-sync;reboot=true")])
def test_it_is_told_in_its_own_form(phone: AcmePhone, verb: str, event: str) -> None:
    phone.enroll()
    phone.world.link.sent.clear()
    phone.world.admin.post(f"/v1/devices/{ACME_MAC}/{verb}")

    assert [event] == [command.notify_event for command in phone.world.link.of_type(CommandType(verb))]


def test_it_takes_the_organisations_own_settings(phone: AcmePhone) -> None:
    phone.enroll()
    refused = phone.world.admin.patch("/v1/tenant", {"overrides": {"acme": {"line.1.server": "evil.example"}}})
    phone.world.admin.patch("/v1/tenant", {"overrides": {"acme": {"led.color": "green"}}})

    assert (400, "led.color=green") == (refused.status, phone.fetch().text.splitlines()[-1])


def test_what_it_sends_is_kept(phone: AcmePhone) -> None:
    phone.enroll()

    assert 201 == phone.get(f"{phone.base}{ACME_MAC}.log", "PUT").status
    assert 404 == phone.get(f"{phone.base}other.log", "PUT").status


def test_its_models_are_listed(phone: AcmePhone) -> None:
    items = phone.world.request("GET", "/v1/compatible-devices").json["items"]

    assert ["A100"] == [item["model"] for item in items if item["vendor"] == "acme"]
