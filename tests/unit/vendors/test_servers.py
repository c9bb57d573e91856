"""Every vendor's phones have the edge as outbound proxy, over TLS, and a second server where there is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.settings import Settings
from chalicelib.vendors import preview as previewing
from chalicelib.vendors.files import PhoneFileRequest, render_file
from chalicelib.vendors.preview import preview
from tests.unit.vendors.audiocodes_format import parse_audiocodes
from tests.unit.vendors.cisco_format import parse_cisco
from tests.unit.vendors.phones import KEYS
from tests.unit.vendors.poly_format import parse_poly
from tests.unit.vendors.yealink_format import parse_yealink

FIRST, SECOND = "sip.gateway.example", "sip2.gateway.example"
SIP = "voip/signalling/sip"
STATES = [state for state in PhoneState if state is not PhoneState.BOOTSTRAP]
PARSERS = {"yealink": parse_yealink, "poly": parse_poly, "cisco": parse_cisco, "audiocodes": parse_audiocodes}
MODELS = [
    ("yealink", "T46U"),
    ("yealink", "T21P"),
    ("yealink", "W70B"),
    ("poly", "VVX450"),
    ("poly", "Edge E450"),
    ("cisco", "8841"),
    ("cisco", "ATA192-MPP"),
    ("audiocodes", "C450HD"),
]


def settings_of(vendor: str, model: str, state: PhoneState, settings: Settings | None = None) -> dict[str, str]:
    """What the files say that carry an account, with other settings of the region where they are given."""
    told = preview(vendor, model, state, Language.EN)
    if settings is not None:
        installation = previewing._sample(vendor, model, state, Language.EN)
        requests = [PhoneFileRequest(installation, file.name, "TOKEN", settings, KEYS) for file in told]
        told = [file for file in map(render_file, requests) if file]
    return {name: value for file in told if file.carries_account for name, value in PARSERS[vendor](file.body).items()}


def region(second: str) -> Settings:
    return Settings(public_url="https://gateway.example", sip_host=FIRST, sip_port=5071, sip_second=second)


def expected_of(vendor: str) -> dict[str, str]:
    """A part of the file: both servers, both proxies, TLS, and how a phone goes to and fro."""
    listed = f"{FIRST}:SRV={FIRST}:5061:p=0|{SECOND}:5061:p=1"
    return {
        "yealink": {
            "account.1.sip_server.1.address": FIRST,
            "account.1.sip_server.2.address": SECOND,
            "account.1.sip_server.2.port": "5061",
            "account.1.sip_server.1.transport_type": "2",
            "account.1.sip_server.2.transport_type": "2",
            "account.1.fallback.redundancy_type": "1",
            "account.1.outbound_proxy_enable": "1",
            "account.1.outbound_proxy.1.address": FIRST,
            "account.1.outbound_proxy.1.port": "5061",
            "account.1.outbound_proxy.2.address": SECOND,
            "account.1.outbound_proxy.2.port": "5061",
        },
        "poly": {
            "reg.1.server.1.address": FIRST,
            "reg.1.server.2.address": SECOND,
            "reg.1.server.2.port": "5061",
            "reg.1.server.2.transport": "TLS",
            "reg.1.server.1.register": "1",
            "reg.1.server.2.register": "0",  # it would register with both at once
            "reg.1.outboundProxy.failOver.reRegisterOn": "1",
            "reg.1.outboundProxy.address": FIRST,
            "reg.1.outboundProxy.port": "5061",
            "reg.1.outboundProxy.transport": "TLS",
            "reg.1.server.2.useOutboundProxy": "0",
        },
        "cisco": {
            "Proxy_1_": listed,
            "Outbound_Proxy_1_": listed,
            "SIP_Transport_1_": "TLS",
            "TLS_Name_Validate_1_": "Yes",
            "Auto_Register_When_Failover_1_": "Yes",
        },
        "audiocodes": {
            f"{SIP}/transport_protocol": "TLS",
            f"{SIP}/proxy_address": FIRST,
            f"{SIP}/sip_outbound_proxy/enabled": "1",
            f"{SIP}/sip_outbound_proxy/addr": FIRST,
            f"{SIP}/sip_outbound_proxy/port": "5061",
            f"{SIP}/redundant_proxy/enabled": "1",
            f"{SIP}/redundant_proxy/address": SECOND,
            f"{SIP}/redundant_proxy/port": "5061",
            f"{SIP}/redundant_outbound_proxy/enabled": "1",
            f"{SIP}/redundant_outbound_proxy/address": SECOND,
        },
    }[vendor]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("vendor", "model"), MODELS)
def test_a_phone_knows_two_servers_and_two_ways_to_them(vendor: str, model: str, state: PhoneState) -> None:
    settings, expected = settings_of(vendor, model, state), expected_of(vendor)

    assert expected == {name: settings.get(name) for name in expected}


@pytest.mark.parametrize(
    ("vendor", "model", "expected"),
    [
        (
            "yealink",
            "T46U",
            {
                "account.1.sip_server.2.address": "",
                "account.1.outbound_proxy.1.address": FIRST,
                "account.1.outbound_proxy.1.port": "5071",
                "account.1.outbound_proxy.2.address": "",
            },
        ),
        (
            "poly",
            "VVX450",
            {"reg.1.server.2.address": "", "reg.1.outboundProxy.address": FIRST, "reg.1.outboundProxy.port": "5071"},
        ),
        ("cisco", "8841", {"Proxy_1_": f"{FIRST}:5071", "Outbound_Proxy_1_": f"{FIRST}:5071"}),
        (
            "audiocodes",
            "C450HD",
            {
                f"{SIP}/redundant_proxy/enabled": "0",
                f"{SIP}/redundant_outbound_proxy/enabled": "0",
                f"{SIP}/sip_outbound_proxy/port": "5071",
            },
        ),
    ],
)
def test_a_region_without_a_second_server_has_the_outbound_proxy_alone(
    vendor: str, model: str, expected: dict[str, str]
) -> None:
    settings = settings_of(vendor, model, PhoneState.SIGNED_IN, region(""))

    assert expected == {name: settings.get(name) for name in expected}
    assert SECOND not in " ".join(settings.values())


@pytest.mark.parametrize(("vendor", "model"), MODELS)
def test_a_second_server_may_have_a_port_of_its_own(vendor: str, model: str) -> None:
    settings = settings_of(vendor, model, PhoneState.ENROLLED, replace(region(SECOND), sip_second=f"{SECOND}:5099"))
    text = " ".join(f"{name}={value}" for name, value in settings.items() if SECOND in value or value == "5099")

    assert "5099" in text
    assert SECOND in text


@pytest.mark.parametrize("vendor", ["yealink", "cisco"])
def test_every_port_of_a_base_and_of_an_adapter_knows_the_second_server(vendor: str) -> None:
    model = "W70B" if vendor == "yealink" else "ATA192-MPP"
    files = preview(vendor, model, PhoneState.SIGNED_IN, Language.EN, ports=2)
    settings = next(PARSERS[vendor](file.body) for file in files if file.carries_account)
    name = "account.{}.outbound_proxy.2.address" if vendor == "yealink" else "Outbound_Proxy_{}_"

    assert [True, True] == [SECOND in settings[name.format(port)] for port in (1, 2)]
