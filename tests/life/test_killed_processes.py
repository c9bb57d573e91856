"""Processes of a whole gateway are killed, one after the other and all together. The phones come back, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from local.virtual_phone.phone import Reaction, VirtualPhone
from tests.life.household import ONBOARDED, RESYNC, SIGNED_IN, new_gateway, plugged_in
from tests.life.phones import Office, await_registration, opened, registrations
from tests.life.waiting import wait_until

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

FORBIDDEN = 403


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    yield from opened(new_gateway(tmp_path_factory.mktemp("gateway")))


@pytest.fixture(scope="module")
def signed_in(office: Office) -> VirtualPhone:
    return office.sign_in(plugged_in(office, SIGNED_IN))


@pytest.fixture(scope="module")
def onboarded(office: Office) -> VirtualPhone:
    return plugged_in(office, ONBOARDED)


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
