"""Renders DHCP server configuration that leads a factory-fresh device to the gateway. Pure: settings in, text out.

Option 66 is read by Yealink, 160 by Poly, AudioCodes and Cisco (vendors.md, section 1). Cisco reads 66 before 160 and needs
`$PSN.xml` after the URL, so devices whose vendor class (option 60) begins with `CP-` get their own value for both.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

CISCO_CLASS_PREFIX = "CP-"  # option 60 of a Cisco 7841 is "CP-7841-3PCC"
_CISCO_FILE = "$PSN.xml"  # the device puts its product name there


class DhcpServer(StrEnum):
    """The DHCP servers that a snippet exists for."""

    isc = "isc"
    kea = "kea"
    dnsmasq = "dnsmasq"
    windows = "windows"


@dataclass(frozen=True)
class DhcpSettings:
    """What the snippets say. `url` ends with a slash and holds tenant and language already."""

    url: str
    ntp_servers: tuple[str, ...]  # IPv4 addresses
    utc_offset_seconds: int

    @property
    def cisco_url(self) -> str:
        return self.url + _CISCO_FILE


def render_provisioning_url(base: str, *, tenant: str | None, language: str | None) -> str:
    """`https://HOST/[tenantid/GUID/][lang_xx/]`."""
    parts = [f"tenantid/{tenant}/"] if tenant else []
    parts += [f"lang_{language}/"] if language else []
    return base.rstrip("/") + "/" + "".join(parts)


def render_snippet(server: DhcpServer, settings: DhcpSettings) -> str:
    """The lines to paste into that server's configuration."""
    return _RENDERERS[server](settings)


def _render_isc(settings: DhcpSettings) -> str:
    return f"""\
# ISC dhcpd: /etc/dhcp/dhcpd.conf, outside every subnet
option sip-gateway-url code 160 = text;
option tftp-server-name "{settings.url}";  # option 66: Yealink
option sip-gateway-url "{settings.url}";  # option 160: Poly, AudioCodes
option ntp-servers {", ".join(settings.ntp_servers)};  # option 42
option time-offset {settings.utc_offset_seconds};  # option 2: seconds east of UTC
class "cisco-devices" {{
  match if substring(option vendor-class-identifier, 0, {len(CISCO_CLASS_PREFIX)}) = "{CISCO_CLASS_PREFIX}";
  option tftp-server-name "{settings.cisco_url}";  # option 66, which Cisco reads first
  option sip-gateway-url "{settings.cisco_url}";  # option 160: Cisco
}}"""


def _render_kea(settings: DhcpSettings) -> str:
    def urls(url: str) -> list[dict[str, str | int]]:
        return [{"code": 66, "name": "tftp-server-name", "data": url}, {"code": 160, "name": "sip-gateway-url", "data": url}]

    common: list[dict[str, str | int]] = [
        {"code": 42, "name": "ntp-servers", "data": ", ".join(settings.ntp_servers)},
        {"code": 2, "name": "time-offset", "data": str(settings.utc_offset_seconds)},
    ]
    cisco = {
        "name": "cisco-devices",
        "test": f"substring(option[60].hex,0,{len(CISCO_CLASS_PREFIX)}) == '{CISCO_CLASS_PREFIX}'",
        "option-data": urls(settings.cisco_url),
    }
    members = {
        "option-def": [{"name": "sip-gateway-url", "code": 160, "space": "dhcp4", "type": "string"}],
        "option-data": [*urls(settings.url), *common],
        "client-classes": [cisco],
    }
    body = json.dumps(members, indent=2).removeprefix("{\n").removesuffix("\n}")
    return (
        '// Kea: members of "Dhcp4" in /etc/kea/kea-dhcp4.conf.\n'
        "// Options 66 Yealink, 160 Poly, AudioCodes and (by class) Cisco, 42 NTP, 2 seconds east of UTC\n" + body
    )


def _render_dnsmasq(settings: DhcpSettings) -> str:
    return f"""\
# dnsmasq: a file in /etc/dnsmasq.d/
dhcp-vendorclass=set:cisco,{CISCO_CLASS_PREFIX}
# option 66: Yealink
dhcp-option=tag:!cisco,66,"{settings.url}"
# option 160: Poly, AudioCodes
dhcp-option=tag:!cisco,160,"{settings.url}"
# Cisco reads 66 before 160
dhcp-option=tag:cisco,66,"{settings.cisco_url}"
dhcp-option=tag:cisco,160,"{settings.cisco_url}"
# option 42: NTP
dhcp-option=42,{",".join(settings.ntp_servers)}
# option 2: seconds east of UTC
dhcp-option=2,{settings.utc_offset_seconds}"""


def _render_windows(settings: DhcpSettings) -> str:
    offset = f"0x{settings.utc_offset_seconds & 0xFFFFFFFF:08x}"  # DWord, two's complement
    ntp = ",".join(settings.ntp_servers)
    return f"""\
# Windows Server (2012 or later): PowerShell as administrator; single quotes keep $PSN as it is
Add-DhcpServerv4OptionDefinition -OptionId 160 -Name 'SIP Gateway URL' -Type String
# option 66: Yealink
Set-DhcpServerv4OptionValue -OptionId 66 -Value '{settings.url}'
# option 160: Poly, AudioCodes
Set-DhcpServerv4OptionValue -OptionId 160 -Value '{settings.url}'
# option 42: NTP
Set-DhcpServerv4OptionValue -OptionId 42 -Value {ntp}
# option 2: {settings.utc_offset_seconds} seconds east of UTC
Set-DhcpServerv4OptionValue -OptionId 2 -Value '{offset}'
# Cisco, by the beginning of its vendor class; it reads 66 before 160
Add-DhcpServerv4Class -Name 'Cisco devices' -Type Vendor -Data '{CISCO_CLASS_PREFIX}'
Add-DhcpServerv4Policy -Name 'Cisco devices' -Condition OR -VendorClass EQ,'Cisco devices*'
Set-DhcpServerv4OptionValue -PolicyName 'Cisco devices' -OptionId 66 -Value '{settings.cisco_url}'
Set-DhcpServerv4OptionValue -PolicyName 'Cisco devices' -OptionId 160 -Value '{settings.cisco_url}'"""


_RENDERERS: dict[DhcpServer, Callable[[DhcpSettings], str]] = {
    DhcpServer.isc: _render_isc,
    DhcpServer.kea: _render_kea,
    DhcpServer.dnsmasq: _render_dnsmasq,
    DhcpServer.windows: _render_windows,
}
