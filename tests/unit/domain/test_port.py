"""What a base's files say of its ports, and when they say something new: domain/port.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.device import DeviceState, Move, move
from chalicelib.domain.identifiers import InstallationId, TenantId
from chalicelib.domain.installation import Account, Installation, Profile, Stage, configure, mark_fetched, promote
from chalicelib.domain.port import may_carry, new_port, port_device, port_username, with_port, without_port
from tests.unit.domain.samples import ANNA, BEN, MAC, NOW, TENANT_ID, a_device, a_tenant, an_installation

BASE = promote(an_installation(model="W70B"), a_tenant(), Profile(ANNA, "Europe/Berlin", voicemail="+4989123499"))


def a_port(number: int = 2, base: Installation = BASE) -> Installation:
    return new_port(base, number, ("port seed", InstallationId(f"port{number}")), NOW)


def test_a_new_port_is_active_for_the_bases_tenant_with_nobody_signed_in() -> None:
    port = a_port()

    assert (f"{MAC}:002", Stage.ACTIVE, TENANT_ID, None) == (port.mac, port.stage, port.tenant_id, port.profile.user)
    assert (False, "Europe/Berlin", "") == (port.account.may_call, port.profile.time_zone, port.profile.voicemail)
    assert (port.id, port.seed) != (BASE.id, BASE.seed)


def test_a_port_is_seen_as_an_enrolled_device_without_a_user() -> None:
    used = move(a_device(mac=f"{MAC}:002", user=BEN), Move.SIGN_IN, NOW)
    device = port_device(a_port(), used, NOW)

    assert (DeviceState.ENROLLED, None, InstallationId("port2"), NOW) == (
        device.state,
        device.user,
        device.installation_id,
        device.enrolled_at,
    )


def test_a_new_port_is_a_new_configuration_of_its_base() -> None:
    told = with_port(BASE, a_port())

    assert BASE.config_version + 1 == told.config_version
    assert [(2, "port2.1", False)] == [(port.number, port_username(port), port.fetched) for port in told.ports]


def test_ports_stand_in_order() -> None:
    told = with_port(with_port(with_port(BASE, a_port(5)), a_port(2)), a_port(3))

    assert [2, 3, 5] == [port.number for port in told.ports]


def test_the_same_again_changes_nothing() -> None:
    told = mark_fetched(with_port(BASE, a_port()))

    assert told == with_port(told, a_port())


def test_a_user_is_a_new_configuration_with_a_new_account() -> None:
    told = with_port(BASE, a_port())
    again = with_port(told, configure(a_port(), replace(BASE.profile, user=BEN)))

    assert told.config_version + 1 == again.config_version
    account = Account(2, BEN.number, may_call=True, tenant_id=TENANT_ID, upn=BEN.upn)
    assert [(BEN, account)] == [(port.user, port.account) for port in again.ports]


def test_what_its_base_does_not_say_is_no_new_configuration_of_the_base() -> None:
    told = mark_fetched(with_port(BASE, a_port()))
    port = configure(a_port(), replace(a_port().profile, time_zone="Asia/Tokyo"))
    again = with_port(told, port)

    assert (told.config_version, port.config_version, False) == (
        again.config_version,
        again.ports[0].config_version,
        again.ports[0].fetched,
    )


def test_a_blocked_port_is_left_out() -> None:
    told = with_port(BASE, a_port())

    assert () == with_port(told, replace(a_port(), blocked=True)).ports


def test_a_port_that_is_blocked_with_its_base_keeps_its_place() -> None:
    told = replace(with_port(BASE, a_port()), blocked=True)

    assert told == with_port(told, replace(a_port(), blocked=True))


def test_a_port_that_is_gone_is_a_new_configuration() -> None:
    told = with_port(BASE, a_port())

    assert (told.config_version + 1, ()) == (without_port(told, 2).config_version, without_port(told, 2).ports)
    assert told == without_port(told, 3)


@pytest.mark.parametrize(("base", "tenant_id"), [(BASE, "another"), (BASE, None), (an_installation(), TENANT_ID)])
def test_a_base_carries_no_port_of_somebody_else(base: Installation, tenant_id: TenantId | None) -> None:
    assert not may_carry(base, tenant_id)


def test_a_base_carries_its_own_tenants_ports() -> None:
    assert may_carry(BASE, TENANT_ID)
