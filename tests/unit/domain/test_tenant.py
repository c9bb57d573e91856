"""What an organisation's settings may be: domain/tenant.py."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.tenant import Emergency, TenantSettings, check_settings, trusts
from tests.unit.domain.samples import ANY_TEXT, a_tenant


def pointers(settings: TenantSettings) -> list[str]:
    """The JSON Pointers of what check_settings refuses."""
    try:
        check_settings(settings)
    except BadRequest as refusal:
        return [problem.pointer for problem in refusal.problems]
    return []


@pytest.mark.parametrize(
    "settings",
    [
        TenantSettings(),
        TenantSettings(time_zone="Europe/Berlin"),
        TenantSettings(time_zone="UTC"),
        TenantSettings(trusted_networks=()),
        TenantSettings(trusted_networks=("203.0.113.0/24", "2001:db8::/48", "198.51.100.7")),
        TenantSettings(emergency=Emergency(numbers=("112", "911", "123456"))),
        TenantSettings(emergency=Emergency(numbers=())),
        TenantSettings(voicemail=""),
        TenantSettings(voicemail="+4989123499"),
        TenantSettings(voicemail="sip:voicemail@example.com"),
    ],
)
def test_settings_that_a_phone_can_use_are_taken(settings: TenantSettings) -> None:
    assert [] == pointers(settings)


@pytest.mark.parametrize(
    "zone",
    ["", "Berlin", "Europe", "europe", "../etc/passwd", "/etc/localtime", "Europe/Berlin\x00", "x" * 5000, "Europe/Berlin\n"],
)
def test_a_time_zone_that_nobody_knows_is_refused(zone: str) -> None:
    assert ["/time_zone"] == pointers(TenantSettings(time_zone=zone))


@pytest.mark.parametrize(
    "network", ["", "203.0.113.5/24", "203.0.113.0/33", "203.0.113", "2001:db8::1/48", "example.com", "٢٠٣.0.113.0/24"]
)
def test_a_network_that_cannot_be_read_is_refused(network: str) -> None:
    assert ["/trusted_networks/1"] == pointers(TenantSettings(trusted_networks=("10.0.0.0/8", network)))


@pytest.mark.parametrize("number", ["", "1", "1234567", "+112", "1 1 2", "11a", "١١٢", "112\n", "112,911"])
def test_an_emergency_number_is_two_to_six_digits(number: str) -> None:
    assert ["/emergency/numbers/1"] == pointers(TenantSettings(emergency=Emergency(numbers=("112", number))))


@pytest.mark.parametrize("address", ["a b", "ä@example.com", "x\ny = z", "\t", "\x7f"])
def test_a_voicemail_address_with_blanks_or_controls_is_refused(address: str) -> None:
    assert ["/voicemail"] == pointers(TenantSettings(voicemail=address))


def test_every_wrong_setting_is_named_at_once() -> None:
    settings = TenantSettings(
        time_zone="Berlin", trusted_networks=("x", "y"), emergency=Emergency(numbers=("z",)), voicemail="not one"
    )

    expected = ["/time_zone", "/trusted_networks/0", "/trusted_networks/1", "/emergency/numbers/0", "/voicemail"]
    assert expected == pointers(settings)


@given(zone=ANY_TEXT, network=ANY_TEXT, number=ANY_TEXT, voicemail=ANY_TEXT)
def test_any_text_is_taken_or_refused(zone: str, network: str, number: str, voicemail: str) -> None:
    settings = TenantSettings(
        time_zone=zone, trusted_networks=(network,), emergency=Emergency(numbers=(number,)), voicemail=voicemail
    )

    assert {"/time_zone", "/trusted_networks/0", "/emergency/numbers/0", "/voicemail"} >= set(pointers(settings))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", True),
        ("203.0.114.7", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("", False),
        ("203.0.113.7:5061", False),
        ("203.0.113.7, 10.0.0.1", False),
        ("localhost", False),
    ],
)
def test_an_address_is_trusted_inside_the_tenants_networks(address: str, expected: bool) -> None:  # noqa: FBT001
    tenant = a_tenant(trusted_networks=("203.0.113.0/24", "2001:db8::/32"))

    assert expected == trusts(tenant, address)


def test_a_tenant_without_networks_trusts_nobody() -> None:
    assert not trusts(a_tenant(trusted_networks=()), "203.0.113.7")


@given(st.ip_addresses())
def test_an_address_is_trusted_by_the_network_of_itself(address: ipaddress.IPv4Address) -> None:
    assert trusts(a_tenant(trusted_networks=(str(address),)), str(address))


@given(ANY_TEXT)
def test_any_text_for_an_address_is_trusted_or_not(address: str) -> None:
    assert trusts(a_tenant(trusted_networks=("0.0.0.0/0", "::/0")), address) in {True, False}
