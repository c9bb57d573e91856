"""A stranger on another host knows a phone's MAC: what they get, and that the real phone does not notice."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from local.virtual_phone.namespace import ADDRESS
from local.virtual_phone.phone import Reaction, VirtualPhone
from local.virtual_phone.provisioning import DeviceIdentity
from tests.life.gateway import Gateway
from tests.life.network import FAR_ADDRESS, FarPlace, give_name
from tests.life.phones import CLOCKS, Office, opened, registrations

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

HOST = "gateway.example"
SIGNED_IN, ONBOARDED = "805ec0000011", "805ec0000012"
FORBIDDEN, LATER = 403, 503
TRIES = 5


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A gateway that serves a network: phones come from other hosts."""
    folder = tmp_path_factory.mktemp("gateway")
    give_name(HOST, ADDRESS, folder)
    yield from opened(Gateway(folder / "state", {"HOST": HOST}))


@pytest.fixture(scope="module")
def far_place() -> Iterator[FarPlace]:
    with FarPlace() as place:
        yield place


def new_phone(office: Office, mac: str) -> VirtualPhone:
    return VirtualPhone(DeviceIdentity(mac), dhcp_url=f"https://{HOST}:8443/lang_en/", factory_trust=office.gateway.trust)


@pytest.fixture(scope="module")
def signed_in(office: Office) -> VirtualPhone:
    return office.sign_in(office.onboard(new_phone(office, SIGNED_IN)))


@pytest.fixture
def stranger(office: Office, far_place: FarPlace, signed_in: VirtualPhone) -> Iterator[VirtualPhone]:
    """Factory-fresh, on, and with the MAC of the signed-in phone."""
    with new_phone(office, signed_in.identity.mac) as phone:
        try:
            far_place.do(phone.power_on)
            yield phone
        finally:
            far_place.do(phone.close)


def shown(office: Office, mac: str) -> dict[str, object]:
    return {name: value for name, value in office.administrator.device(mac).items() if name not in CLOCKS}


def wrong(otp: str, number: int) -> str:
    return f"{(int(otp) + number) % 1_000_000:06}"


def assert_works(office: Office, phone: VirtualPhone, before: dict[str, object]) -> None:
    """The phone is as it was: files, registration, inventory, keys, dialling and commands."""
    requests, registered = len(phone.requests), registrations(phone)
    assert Reaction.REFETCHED == phone.refetch()
    assert {HTTPStatus.NOT_MODIFIED} == {request.status for request in phone.requests[requests:]}
    assert before == shown(office, phone.identity.mac)
    screen = phone.press("Sign out")
    assert screen is not None
    assert phone.press("Back") is None
    assert phone.dial("*55*000000").status == FORBIDDEN  # the gateway's own answer: this phone is enrolled
    assert Reaction.REFETCHED == office.resync(phone)
    assert registered == registrations(phone)  # it had no reason to register anew
    assert before == shown(office, phone.identity.mac)


def test_a_stranger_with_the_mac_of_a_signed_in_phone_gets_an_account_of_no_use(
    office: Office, far_place: FarPlace, signed_in: VirtualPhone, stranger: VirtualPhone
) -> None:
    before = shown(office, SIGNED_IN)
    own, strange = signed_in.device_settings, stranger.device_settings
    assert own.account is not None
    assert strange.account is not None

    assert strange.provisioning_url != own.provisioning_url
    assert strange.account.aor != own.account.aor
    assert strange.account.auth_name.partition(".")[0] != own.account.auth_name.partition(".")[0]
    assert not signed_in.secrets_seen & stranger.secrets_seen
    assert ["Sign in"] == [key.label for key in strange.screen_keys]
    assert far_place.do(stranger.dial, own.account.user_name).status == FORBIDDEN
    seen = [event["detail"] for event in office.history(SIGNED_IN) if event["type"] == "candidate_registered"]
    assert [FAR_ADDRESS] == [detail["address"].rpartition(":")[0] for detail in seen]
    assert_works(office, signed_in, before)


def test_a_stranger_who_guesses_one_time_passwords_locks_only_themselves(
    office: Office, far_place: FarPlace, signed_in: VirtualPhone, stranger: VirtualPhone
) -> None:
    before = shown(office, SIGNED_IN)
    otp = office.issue_otp(SIGNED_IN)
    tries = [far_place.do(stranger.dial, f"*55*{wrong(otp, number)}") for number in range(1, TRIES + 1)]
    locked = far_place.do(stranger.dial, f"*55*{otp}")

    assert [(FORBIDDEN, "Wrong code")] * TRIES == [(answer.status, answer.reason_phrase) for answer in tries]
    assert (LATER, "Too many wrong codes") == (locked.status, locked.reason_phrase)
    assert {200} == set(registrations(stranger))
    assert_works(office, signed_in, before)
    reasons = [event["detail"]["reason"] for event in office.history(SIGNED_IN) if event["type"] == "enrollment_refused"]
    assert reasons.count("enrollment_locked") >= 1


def test_a_locked_stranger_does_not_keep_the_technician_from_enrolling_the_real_phone(
    office: Office, far_place: FarPlace
) -> None:
    phone = office.onboard(new_phone(office, ONBOARDED))
    otp = office.issue_otp(ONBOARDED)
    with new_phone(office, ONBOARDED) as stranger:
        try:
            far_place.do(stranger.power_on)
            for number in range(1, TRIES + 1):
                far_place.do(stranger.dial, f"*55*{wrong(otp, number)}")
            enrolled = phone.dial(f"*55*{otp}")

            assert "Phone enrolled" == enrolled.reason_phrase
            assert "online" == office.administrator.device(ONBOARDED)["connection"]
            assert Reaction.REFETCHED == phone.await_notify()
            device = office.await_device(ONBOARDED, state="enrolled", connection="online", pending_commands=[])
            assert far_place.do(stranger.dial, f"*55*{otp}").status == LATER
            assert device["enrolled_at"] == office.administrator.device(ONBOARDED)["enrolled_at"]
            assert Reaction.REFETCHED == office.resync(phone)
        finally:
            far_place.do(stranger.close)
