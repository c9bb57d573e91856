import json

import pytest

from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway

SERVERS = ["isc", "kea", "dnsmasq", "windows"]
URL = ["--url", "https://h.example.org/"]
FIXED = [*URL, "--ntp", "192.0.2.1", "--time-zone", "America/Phoenix"]  # -7 hours the whole year


def test_isc_sets_all_four_options_and_cisco_by_class(sipgw: Sipgw) -> None:
    expected = """\
# ISC dhcpd: /etc/dhcp/dhcpd.conf, outside every subnet
option sip-gateway-url code 160 = text;
option tftp-server-name "https://h.example.org/";  # option 66: Yealink
option sip-gateway-url "https://h.example.org/";  # option 160: Poly, AudioCodes
option ntp-servers 192.0.2.1;  # option 42
option time-offset -25200;  # option 2: seconds east of UTC
class "cisco-devices" {
  match if substring(option vendor-class-identifier, 0, 3) = "CP-";
  option tftp-server-name "https://h.example.org/$PSN.xml";  # option 66, which Cisco reads first
  option sip-gateway-url "https://h.example.org/$PSN.xml";  # option 160: Cisco
}
"""
    assert expected == sipgw("dhcp", "--server", "isc", *FIXED).stdout


def test_kea_is_json_with_all_four_options_and_cisco_by_class(sipgw: Sipgw) -> None:
    lines = sipgw("dhcp", "--server", "kea", *FIXED).stdout.splitlines()
    members = json.loads("{" + "\n".join(line for line in lines if not line.startswith("//")) + "}")
    options = {option["code"]: option["data"] for option in members["option-data"]}
    assert {66: "https://h.example.org/", 160: "https://h.example.org/", 42: "192.0.2.1", 2: "-25200"} == options
    assert [160] == [definition["code"] for definition in members["option-def"]]
    cisco = members["client-classes"][0]
    assert {"https://h.example.org/$PSN.xml"} == {option["data"] for option in cisco["option-data"]}


def test_dnsmasq_sets_all_four_options_and_cisco_by_tag(sipgw: Sipgw) -> None:
    lines = sipgw("dhcp", "--server", "dnsmasq", *FIXED).stdout.splitlines()
    expected = [
        "dhcp-vendorclass=set:cisco,CP-",
        'dhcp-option=tag:!cisco,66,"https://h.example.org/"',
        'dhcp-option=tag:!cisco,160,"https://h.example.org/"',
        'dhcp-option=tag:cisco,66,"https://h.example.org/$PSN.xml"',
        'dhcp-option=tag:cisco,160,"https://h.example.org/$PSN.xml"',
        "dhcp-option=42,192.0.2.1",
        "dhcp-option=2,-25200",
    ]
    assert expected == [line for line in lines if not line.startswith("#")]


def test_windows_sets_all_four_options_and_cisco_by_policy(sipgw: Sipgw) -> None:
    text = sipgw("dhcp", "--server", "windows", *FIXED).stdout
    assert "Set-DhcpServerv4OptionValue -OptionId 66 -Value 'https://h.example.org/'\n" in text
    assert "Set-DhcpServerv4OptionValue -OptionId 160 -Value 'https://h.example.org/'\n" in text
    assert "Set-DhcpServerv4OptionValue -OptionId 42 -Value 192.0.2.1\n" in text
    assert "Set-DhcpServerv4OptionValue -OptionId 2 -Value '0xffff9d90'\n" in text
    assert "-PolicyName 'Cisco devices' -OptionId 160 -Value 'https://h.example.org/$PSN.xml'" in text


@pytest.mark.parametrize("server", SERVERS)
def test_tenant_and_language_are_parts_of_the_path(sipgw: Sipgw, server: str) -> None:
    tenant = "d0000000-0000-4000-8000-000000000001"
    text = sipgw("dhcp", "--server", server, *URL, "--tenant", tenant, "--language", "lang_ja").stdout
    assert f"https://h.example.org/tenantid/{tenant}/lang_ja/$PSN.xml" in text


@pytest.mark.parametrize("server", SERVERS)
def test_the_url_comes_from_the_gateway(gateway: FakeGateway, sipgw: Sipgw, server: str) -> None:
    gateway.lay("GET /v1/network", {"provisioning_url": "https://gw.example.org:8443"})
    outcome = sipgw("dhcp", "--server", server, "--json")
    assert "https://gw.example.org:8443/" == outcome.json["options"]["160"]
    assert "https://gw.example.org:8443/$PSN.xml" in outcome.json["snippet"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--url", 'https://h/"; include "x'],
        ["--url", "http://h/"],
        ["--url", "https://h/'x"],
        ["--language", "german"],
        ["--tenant", "contoso"],
        ["--ntp", "pool.ntp.org"],
        ["--time-zone", "../etc/passwd"],
        ["--time-zone", "Mars/Olympus"],
        ["--server", "udhcpd"],
    ],
)
def test_what_would_break_a_configuration_is_a_usage_error(sipgw: Sipgw, wrong: list[str]) -> None:
    outcome = sipgw("dhcp", *URL, *wrong)
    assert (2, "") == (outcome.code, outcome.stdout)


def test_a_gateway_cannot_write_into_the_configuration(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/network", {"provisioning_url": 'https://h/";\nevil'})
    outcome = sipgw("dhcp")
    assert (1, "") == (outcome.code, outcome.stdout)
