"""An AudioCodes C450HD with SIP firmware: its file of `key=value` lines, what they mean, and keys that dial; no browser.

Written from AudioCodes' manuals and a real export, apart from the gateway's own templates, so that it is a second opinion on
them. Source: research/vendors.md 4.1 to 4.5. No source says which sign begins a comment, so a comment is an error here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urljoin

from local.virtual_phone.account import MediaEncryption, PhoneAccount, SipServer, Transport
from local.virtual_phone.device import (
    DeviceSettings,
    DialKey,
    Fetch,
    Order,
    RestartRule,
    Served,
    as_folder,
    check_mac,
    parse_served,
)
from local.virtual_phone.errors import PhoneFileError, ScreenError
from local.virtual_phone.screens import Screen
from local.virtual_phone.settings import Settings, read_choice, read_flag, read_number, read_required, read_text

_SETTING = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_\-]*(?:/[A-Za-z0-9_\-]+)+)=(?P<value>.*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIALLED = re.compile(r"[0-9*#+]{1,40}")
_SIP = "voip/signalling/sip"
_KEYS = "personal_settings"
_TRANSPORTS = {"UDP": Transport.UDP, "TCP": Transport.TCP, "TLS": Transport.TLS}
_SRTP = {  # the names of the first two are unconfirmed
    "NOENCRYPTION": MediaEncryption.OFF,
    "OPTIONAL": MediaEncryption.OPTIONAL,
    "REQUIREENCRYPTION": MediaEncryption.COMPULSORY,
}
_SOFT_KEYS, _FUNCTION_KEYS = range(4), range(12)


@dataclass(frozen=True)
class AudioCodesDevice:
    """`mac` as 12 lower-case hex digits."""

    mac: str
    model: str = "C450HD"
    firmware: str = "3.4.8.808"

    notify_events: ClassVar[tuple[str, ...]] = ("check-sync",)
    lasting_prefix: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_mac(self.mac)

    @property
    def http_user_agent(self) -> str:
        """Firmware 3.x does not name its MAC."""
        return f"AUDC/{self.firmware} {self.sip_user_agent}"

    @property
    def sip_user_agent(self) -> str:
        """The second half of the HTTP one; no trace of a SIP request was found [general knowledge]."""
        return f"AUDC-IPPhone-{self.model}_UC_{self.firmware}/1"

    def http_user_agent_with(self, _settings: Settings) -> str:
        return self.http_user_agent

    def resolve_url(self, url: str) -> str:
        return url if url.endswith(".cfg") else as_folder(url)

    def account_url(self, url: str) -> str:
        """The name is `<MAC>.cfg` in upper case, as a real C450HD asked."""
        return urljoin(self.resolve_url(url), "" if url.endswith(".cfg") else f"{self.mac.upper()}.cfg")

    def fetch_files(self, url: str, fetch: Fetch, *, booting: bool) -> Served | None:
        """The configuration, then at boot the firmware's image; a 404 keeps what is there."""
        place = self.account_url(url)
        content = fetch(place)
        served = None if content is None else Served(parse_served(place, content, parse_phone_file))
        if booting:
            fetch(urljoin(url, f"{self.model}.img"))
        return served

    def read_settings(self, settings: Settings) -> DeviceSettings:
        """Dates, ports and codecs are not imitated."""
        static = read_choice(settings, "provisioning/method", {"DYNAMIC": False, "STATIC": True}, "DYNAMIC")
        forced = read_flag(settings, "voip/services/notify/check_sync/force_reboot_enabled", default="0")
        certificates = (read_text(settings, f"security/ca_certificate/{number}/uri") for number in range(5))
        return DeviceSettings(
            account=_read_account(settings),
            provisioning_url=read_text(settings, "provisioning/configuration/url") if static else "",
            dhcp_decides=not static,
            language=read_text(settings, "personal_settings/language", "ENGLISH"),
            time_zone=read_text(settings, "system/ntp/gmt_offset", "+00:00"),
            restart_rule=RestartRule.ALWAYS if forced else RestartRule.NEVER,
            certificate_urls=tuple(url for url in certificates if url),
            dial_keys=_read_dial_keys(settings),
        )

    def parse_screen(self, content: bytes, *, content_type: str, url: str) -> Screen:
        """No document of a browser was found for this firmware."""
        raise ScreenError(f"an AudioCodes phone has no browser, but was given {len(content)} bytes of {content_type} at {url}")

    def obey(self, event: str, rule: RestartRule) -> Order:
        """`;reboot=true` is documented for AudioCodes' gateways, not for its phones: it changes nothing here."""
        del event
        return Order.RESTART if rule is RestartRule.ALWAYS else Order.REFETCH


def parse_phone_file(content: bytes) -> dict[str, tuple[str, ...]]:
    """A served `.cfg`. Raises PhoneFileError that names the line."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PhoneFileError(f"byte {error.start} is not UTF-8") from None
    settings: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate((line.removesuffix("\r") for line in text.split("\n")), start=1):
        if not line:
            continue
        match = _SETTING.fullmatch(line)
        name, value = (match["name"], match["value"]) if match else ("", "")
        if match is None or _CONTROL.search(value) or value != value.strip():
            raise PhoneFileError(f"line {number} is no setting: {line.partition('=')[0][:60]!r}")
        if name in settings:
            raise PhoneFileError(f"line {number} sets {name} a second time; a device would silently take one of them")
        settings[name] = (value,)
    return settings


def _read_account(settings: Settings) -> PhoneAccount | None:
    if not read_flag(settings, "voip/line/0/enabled", default="0"):
        return None
    if not read_flag(settings, f"{_SIP}/use_proxy", default="0"):
        raise PhoneFileError(f"{_SIP}/use_proxy is 0, so the line has nobody to register with")
    transport = read_choice(settings, f"{_SIP}/transport_protocol", _TRANSPORTS, "UDP")
    server = SipServer(
        read_required(settings, f"{_SIP}/proxy_address"), read_number(settings, f"{_SIP}/proxy_port", 5060), transport
    )
    if not read_flag(settings, f"{_SIP}/use_proxy_ip_port_for_registrar", default="1"):
        raise PhoneFileError("a registrar of its own beside the proxy is not imitated")
    proxy = None
    if read_flag(settings, f"{_SIP}/sip_outbound_proxy/enabled", default="0"):
        address = read_required(settings, f"{_SIP}/sip_outbound_proxy/addr")
        proxy = SipServer(address, read_number(settings, f"{_SIP}/sip_outbound_proxy/port", 5060), transport)
    user_name = read_required(settings, "voip/line/0/id")
    return PhoneAccount(
        label=read_text(settings, "voip/line/0/extension_display"),
        display_name=read_text(settings, "voip/line/0/description"),
        user_name=user_name,
        auth_name=read_text(settings, "voip/line/0/auth_name", user_name),
        password=read_required(settings, "voip/line/0/auth_password"),
        server=server,
        expires_seconds=read_number(settings, f"{_SIP}/proxy_timeout", 3600),
        outbound_proxy=proxy,
        media_encryption=read_choice(settings, "voip/media/srtp/mode", _SRTP, "NOENCRYPTION"),
    )


def _read_dial_keys(settings: Settings) -> tuple[DialKey, ...]:
    """Idle soft keys that are programmable ones, and function keys; two of the same label are one to a person."""
    found: dict[str, DialKey] = {}
    for number in _SOFT_KEYS:
        if read_text(settings, f"{_KEYS}/soft_key/{number}/key_function") == "PSK":
            key = f"{_KEYS}/soft_keys/psk/{read_number(settings, f'{_KEYS}/soft_key/{number}/psk_index', 0)}"
            if not read_flag(settings, f"{key}/is_dial_required", default="0"):
                raise PhoneFileError(f"{key}/is_dial_required is 0: the key would only write its prefix")
            dial_key = DialKey(key, read_required(settings, f"{key}/label"), _read_dialled(settings, f"{key}/prefix"))
            found.setdefault(dial_key.label, dial_key)
    for number in _FUNCTION_KEYS:
        key = f"{_KEYS}/functional_key/{number}"
        if read_text(settings, f"{key}/type") == "SPEED_DIAL":
            dialled = _read_dialled(settings, f"{key}/speed_dial_number")
            dial_key = DialKey(key, read_required(settings, f"{key}/key_label"), dialled)
            found.setdefault(dial_key.label, dial_key)
    return tuple(found.values())


def _read_dialled(settings: Settings, name: str) -> str:
    number = read_required(settings, name)
    if not _DIALLED.fullmatch(number):
        raise PhoneFileError(f"{name} is {number!r}, which no phone dials")
    return number
