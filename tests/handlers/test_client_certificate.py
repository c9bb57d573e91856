"""Stage 1 with a manufacturer's client certificate: what the subject says, and what happens where it disagrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.adapters.counting import Cost
from chalicelib.domain.device import Device
from chalicelib.domain.installation import Installation
from chalicelib.domain.keys import installation_id_of
from chalicelib.vendors.catalogue import identify, vendor
from chalicelib.vendors.certificates import LONGEST_SUBJECT, macs_in_subject
from tests.gateway import ELSEWHERE, HOME, MAC, Answer, Phone, World

OTHER_MAC = "805ec0999999"
FOREIGN_MAC = "02aabbccddee"
SUBJECT = f"CN={MAC},O=Yealink,C=CN"
CISCO = "Cisco-CP-8841-3PCC/12.0.3"
NOT_FOUND = (404, "not found\n")


@dataclass
class MutualTls:
    """API Gateway in front of the app, with a client certificate that it has checked."""

    subject: str
    address: str

    def __getattr__(self, name: str) -> Any:
        return getattr(app, name)

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        identity = {"sourceIp": self.address, "clientCert": {"subjectDN": self.subject, "issuerDN": "CN=Maker"}}
        event["requestContext"] |= {"identity": identity, "requestId": "request-1"}
        return app(event, context)


def ask(subject: str, *, user_agent: str = "", name: str = f"{MAC}.cfg", address: str = HOME) -> Answer:
    """Stage 1 with a certificate."""
    headers = {"User-Agent": user_agent or f"Yealink SIP-T46S 66.86.5.1 {MAC}"}
    response = Client(MutualTls(subject, address)).http.get(f"/{name}", headers=headers)
    return Answer(response.status_code, dict(response.headers), response.body.decode())


def is_certified(world: World, answer: Answer) -> bool:
    token = answer.text.split("/d/")[1].split("/")[0]
    installation = world.store.load(Installation, installation_id_of(token))
    return bool(installation and installation.certified)


def claim(world: World, *macs: str) -> None:
    for mac in macs or (MAC,):
        world.admin.post("/v1/devices", {"mac": mac})


def events(world: World, kind: str, mac: str = MAC) -> list[dict[str, str]]:
    """The details of such lines in the history."""
    return [detail for found, detail in world.history(mac) if found == kind]


# --- the subject -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "attributes", "expected"),
    [
        (f"CN={MAC}", ("CN",), [MAC]),
        (f"CN={MAC.upper()}, O=Yealink", ("CN",), [MAC]),
        ("O=Polycom Inc.,CN=80:5E:C0:12:34:56", ("CN",), [MAC]),
        (f"/C=CN/O=AudioCodes/CN={MAC}", ("CN",), [MAC]),
        (f"OU=CP-8841-3PCC, L=FCH1234ABCD, S={MAC}", ("ST", "S"), [MAC]),
        (f"st={MAC},L=FCH1234ABCD", ("ST", "S"), [MAC]),
        (f"serialNumber=PID:CP-8851 SN:FCH2222,CN=CP-8851-SEP{MAC.upper()}", ("serialNumber", "CN"), [MAC]),
        (f"OU={OTHER_MAC},CN={MAC}", ("CN",), [MAC]),
        (f"CN={MAC}+serialNumber={OTHER_MAC}", ("CN", "serialNumber"), [MAC, OTHER_MAC]),
        (f"CN={MAC},CN={MAC}", ("CN",), [MAC]),
        (f"CN=gateway.example,O=CN\\={OTHER_MAC}", ("CN",), []),
        (f"O=a\\,CN={OTHER_MAC}", ("CN",), []),
        (f"CN={MAC}0", ("CN",), []),
        ("CN=", ("CN",), []),
        ("", ("CN",), []),
        (f"CN={MAC}," + "x" * LONGEST_SUBJECT, ("CN",), []),
    ],
)
def test_the_mac_stands_in_the_vendors_attributes(subject: str, attributes: tuple[str, ...], expected: list[str]) -> None:
    assert expected == list(macs_in_subject(subject, attributes))


@pytest.mark.parametrize("name", ["yealink", "poly", "audiocodes"])
def test_most_vendors_name_the_mac_as_the_common_name(name: str) -> None:
    assert ("CN",) == vendor(name).certificate


@pytest.mark.parametrize("subject", [f"OU=CP-8841-3PCC,L=FCH1,S={MAC}", f"OU=CP-8841-3PCC,ST={MAC}", f"CN=CP-8841-SEP{MAC}"])
def test_a_phone_that_tells_no_mac_is_known_by_its_certificate(subject: str) -> None:
    found = identify(CISCO, "/CP-8841-3PCC.xml", subject)

    assert found is not None
    assert (MAC, True) == (found.mac, found.certified)


# --- agreement ---------------------------------------------------------------------------------------------------------


def test_a_certified_phone_gets_a_certified_candidate(world: World) -> None:
    assert is_certified(world, ask(SUBJECT))


def test_a_phone_that_tells_no_mac_is_bootstrapped_by_its_certificate(world: World) -> None:
    answer = ask(f"OU=CP-8841-3PCC,L=FCH1,S={MAC}", user_agent=CISCO, name="8841-3PCC.xml")

    assert (200, True) == (answer.status, is_certified(world, answer))


def test_a_phone_without_a_certificate_is_not_certified(world: World, phone: Phone) -> None:
    assert not is_certified(world, phone.ask_stage_one())


def test_a_certificate_that_names_no_mac_certifies_nothing(world: World) -> None:
    assert not is_certified(world, ask("CN=somebody,O=Somewhere"))


def test_the_history_says_once_a_day_that_a_certificate_was_shown(world: World) -> None:
    claim(world)
    ask(SUBJECT)
    ask(SUBJECT, address=ELSEWHERE)
    world.clock.forward(days=1)
    ask(SUBJECT)

    assert [{"vendor": "yealink"}] * 2 == events(world, "candidate_certified")


@pytest.mark.usefixtures("world")
def test_a_certified_phone_is_repeated_its_candidate() -> None:
    assert ask(SUBJECT).text == ask(SUBJECT).text


def test_the_certified_candidate_is_repeated_to_nobody_without_the_certificate(phone: Phone) -> None:
    certified = ask(SUBJECT)

    assert certified.text != phone.ask_stage_one().text


def test_a_phone_that_shows_its_certificate_later_gets_another_candidate(world: World, phone: Phone) -> None:
    first = phone.ask_stage_one()
    second = ask(SUBJECT)

    assert (False, True) == (is_certified(world, first), is_certified(world, second))


# --- disagreement ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "user_agent", "name"),
    [
        (f"CN={OTHER_MAC}", "", f"{MAC}.cfg"),
        (f"CN={OTHER_MAC}", "Yealink SIP-T46S 66.86.5.1", f"{MAC}.cfg"),
        ("CN=somebody", "", f"{OTHER_MAC}.cfg"),
        (f"CN={MAC},CN={OTHER_MAC}", "", f"{MAC}.cfg"),
    ],
)
@pytest.mark.usefixtures("world")
def test_who_disagrees_with_itself_gets_the_plain_404(subject: str, user_agent: str, name: str) -> None:
    answer = ask(subject, user_agent=user_agent, name=name)

    assert NOT_FOUND == (answer.status, answer.text)


def test_a_disagreement_is_told_once_a_day_to_who_claims_the_device(world: World) -> None:
    claim(world)
    for _ in range(3):
        ask(f"CN={OTHER_MAC}")

    expected = {"user_agent": MAC, "path": MAC, "certificate": OTHER_MAC}
    assert [expected] == events(world, "identity_disagreement")


def test_it_is_told_again_the_next_day(world: World) -> None:
    claim(world)
    ask(f"CN={OTHER_MAC}")
    world.clock.forward(days=1)
    ask(f"CN={OTHER_MAC}")

    assert 2 == len(events(world, "identity_disagreement"))


def test_every_device_that_was_named_is_told_of_it(world: World) -> None:
    claim(world, MAC, OTHER_MAC)
    ask(f"CN={OTHER_MAC}")

    assert [1, 1] == [len(events(world, "identity_disagreement", mac)) for mac in (MAC, OTHER_MAC)]


def test_a_disagreement_about_devices_that_nobody_claims_writes_nothing(world: World) -> None:
    assert Cost(queries=2) == world.cost_of(lambda: ask(f"CN={OTHER_MAC}"))


def test_a_disagreement_leaves_the_device_as_it_was(world: World, phone: Phone) -> None:
    phone.enroll().sign_in()
    before = world.store.load(Device, MAC)
    ask(f"CN={OTHER_MAC}")

    assert before == world.store.load(Device, MAC)


# --- blocks of addresses -----------------------------------------------------------------------------------------------


def test_a_mac_from_a_foreign_block_is_noted_once_and_not_refused(world: World) -> None:
    claim(world, FOREIGN_MAC)
    answers = [world.phone(FOREIGN_MAC, address=address).ask_stage_one().status for address in (HOME, ELSEWHERE)]

    assert [200, 200] == answers
    assert [{"vendor": "yealink"}] == events(world, "foreign_mac_noted", FOREIGN_MAC)


def test_a_mac_from_the_vendors_own_block_is_not_noted(world: World, phone: Phone) -> None:
    claim(world)
    phone.ask_stage_one()

    assert [] == events(world, "foreign_mac_noted")


def test_where_not_all_blocks_are_known_nothing_is_noted(world: World) -> None:
    claim(world, FOREIGN_MAC)
    ask(f"S={FOREIGN_MAC}", user_agent=CISCO, name=f"{FOREIGN_MAC}.xml")

    assert [] == events(world, "foreign_mac_noted", FOREIGN_MAC)
