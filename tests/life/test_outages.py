"""Processes of a whole gateway hang or are killed. Phones stay, commands arrive, nothing is lost and nothing comes twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from local.virtual_phone.phone import Reaction, VirtualPhone
from local.virtual_phone.provisioning import DeviceIdentity
from tests.life.gateway import Gateway
from tests.life.phones import Office, await_registration, come_and_go, opened, registrations
from tests.life.waiting import wait_until

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

SIGNED_IN, ONBOARDED, RESTLESS = "805ec0000001", "805ec0000002", "805ec0000003"
SHORTEST_EXPIRY = {"SIPGW_REGISTRATION_EXPIRY_SECONDS": "60"}
GRANTED = re.compile(r";expires=(\d+)")
FORBIDDEN = 403
ROUNDS = 4
COMINGS_AND_GOINGS = ["registered", "unregistered"] * ROUNDS
RESYNC = ["command_requested", "command_acknowledged"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    yield from opened(Gateway(tmp_path_factory.mktemp("gateway") / "state", SHORTEST_EXPIRY))


def plugged_in(office: Office, mac: str) -> VirtualPhone:
    trust = office.gateway.trust
    return office.onboard(VirtualPhone(DeviceIdentity(mac), dhcp_url="https://localhost:8443/", factory_trust=trust))


@pytest.fixture(scope="module")
def signed_in(office: Office) -> VirtualPhone:
    return office.sign_in(plugged_in(office, SIGNED_IN))


@pytest.fixture(scope="module")
def onboarded(office: Office) -> VirtualPhone:
    return plugged_in(office, ONBOARDED)


@pytest.fixture(scope="module")
def restless(office: Office) -> VirtualPhone:
    """A phone whose account others use: it is itself off the air."""
    phone = plugged_in(office, RESTLESS)
    phone.sip.stop()
    office.await_device(RESTLESS, connection="offline")
    return phone


def test_the_expiry_of_the_environment_reaches_the_phones(signed_in: VirtualPhone, onboarded: VirtualPhone) -> None:
    answers = [m for phone in (signed_in, onboarded) for m in phone.sip.messages if m.method == "REGISTER" and m.status == 200]

    assert {"60"} == {GRANTED.findall(answer.header("Contact"))[0] for answer in answers}


def test_while_the_functions_hang_phones_refresh_and_every_event_arrives_once_afterwards(
    office: Office, signed_in: VirtualPhone, onboarded: VirtualPhone, restless: VirtualPhone
) -> None:
    before = {mac: office.history(mac) for mac in (SIGNED_IN, ONBOARDED, RESTLESS)}
    online_since = {mac: office.administrator.device(mac)["online_since"] for mac in (SIGNED_IN, ONBOARDED)}
    registered = {phone: len(registrations(phone)) for phone in (signed_in, onboarded)}
    command = office.request_resync(signed_in)
    with office.gateway.paused("functions"):
        refusals = [phone.dial("*55*000000") for phone in (signed_in, onboarded)]
        for _ in range(ROUNDS):
            come_and_go(restless, office.gateway.trust)
        for phone, count in registered.items():
            await_registration(phone, count)
        answers = {status for phone in registered for status in registrations(phone)}

    assert [(503, "Try again in a minute")] * 2 == [(refusal.status, refusal.reason_phrase) for refusal in refusals]
    assert {200} == answers
    assert Reaction.REFETCHED == office.await_resync(signed_in, command)
    office.await_history(RESTLESS, before[RESTLESS], COMINGS_AND_GOINGS)
    assert Reaction.REFETCHED == office.resync(onboarded)  # whatever was still on its way has arrived
    found = {mac: office.types_since(mac, before[mac]) for mac in before}
    for mac in (SIGNED_IN, ONBOARDED):  # the functions may read the dialled code when they wake, after the edge gave it up
        assert found[mac].count("enrollment_refused") <= 1
        found[mac] = [kind for kind in found[mac] if kind != "enrollment_refused"]
    assert {SIGNED_IN: RESYNC, ONBOARDED: RESYNC, RESTLESS: COMINGS_AND_GOINGS} == found
    assert online_since == {mac: office.administrator.device(mac)["online_since"] for mac in online_since}


def test_events_arrive_once_although_the_functions_are_killed_again_and_again(
    office: Office, signed_in: VirtualPhone, restless: VirtualPhone
) -> None:
    before = {mac: office.history(mac) for mac in (SIGNED_IN, RESTLESS)}
    for _ in range(ROUNDS):
        command = office.request_resync(signed_in)
        with office.gateway.killed("functions"):
            come_and_go(restless, office.gateway.trust)
        assert Reaction.REFETCHED == office.await_resync(signed_in, command)
    office.await_history(RESTLESS, before[RESTLESS], COMINGS_AND_GOINGS)

    expected = {SIGNED_IN: RESYNC * ROUNDS, RESTLESS: COMINGS_AND_GOINGS}
    assert expected == {mac: office.types_since(mac, before[mac]) for mac in before}


@pytest.mark.parametrize("name", ["functions", "agent", "identity", "kamailio"])
def test_a_killed_process_is_started_again_and_the_phones_are_there(
    office: Office, signed_in: VirtualPhone, onboarded: VirtualPhone, name: str
) -> None:
    before = office.inventory()
    registered = {phone: len(registrations(phone)) for phone in (signed_in, onboarded)}
    with office.gateway.killed(name):
        pass
    for phone, count in registered.items():
        if name == "kamailio":  # its connection is gone, so it registers anew; otherwise it need not notice
            await_registration(phone, count)
        office.await_device(phone.identity.mac, connection="online")

    assert [Reaction.REFETCHED] * 2 == [office.resync(phone) for phone in registered]
    assert FORBIDDEN == signed_in.dial("*55*000000").status  # the gateway's own answer: this phone is enrolled
    assert before == office.inventory()


def test_a_killed_gateway_leaves_nothing_running_and_starts_again_with_all_that_it_knew(
    office: Office, signed_in: VirtualPhone, onboarded: VirtualPhone
) -> None:
    before = office.inventory()
    histories = {phone: office.history(phone.identity.mac) for phone in (signed_in, onboarded)}
    registered = {phone: len(registrations(phone)) for phone in (signed_in, onboarded)}
    below = office.gateway.kill_supervisor()
    wait_until(lambda: not any(process.alive for process in below), "no process of the killed gateway")
    office.gateway.start()

    for phone, count in registered.items():
        await_registration(phone, count)
        office.await_device(phone.identity.mac, connection="online")
    assert before == office.inventory()
    requests = len(signed_in.requests)
    assert [Reaction.REFETCHED] * 2 == [phone.refetch() for phone in (signed_in, onboarded)]
    assert {HTTPStatus.NOT_MODIFIED} == {request.status for request in signed_in.requests[requests:]}
    assert [Reaction.REFETCHED] * 2 == [office.resync(phone) for phone in (signed_in, onboarded)]
    assert [RESYNC] * 2 == [office.types_since(phone.identity.mac, history)[-2:] for phone, history in histories.items()]
    assert 0 == office.gateway.stop()
