"""The functions hang or die again and again. Phones stay, commands arrive, nothing is lost and nothing comes twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from local.virtual_phone.phone import Reaction, VirtualPhone
from tests.life.household import ONBOARDED, RESTLESS, RESYNC, SIGNED_IN, new_gateway, plugged_in
from tests.life.phones import Office, await_registration, come_and_go, opened, registrations

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

GRANTED = re.compile(r";expires=(\d+)")
ROUNDS = 4
COMINGS_AND_GOINGS = ["registered", "unregistered"] * ROUNDS


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    yield from opened(new_gateway(tmp_path_factory.mktemp("gateway")))


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
