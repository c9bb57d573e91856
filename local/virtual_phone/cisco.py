"""A Cisco 8841 with multiplatform firmware: profile rules and their macros, flat profiles, and its XML services.

Written from Cisco's guides, apart from the gateway's own templates, so that it is a second opinion on them: what a device
would skip or misread is an error here. A real one answers a NOTIFY of check-sync or reboot with 401 first and wants the line's
password; linphone cannot, so that is left to the tests of the edge. Source: research/vendors.md 3.1 to 3.6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from local.virtual_phone.account import MediaEncryption, PhoneAccount, SipServer, Transport
from local.virtual_phone.device import (
    DeviceSettings,
    DialKey,
    Fetch,
    Order,
    RestartRule,
    ScreenKey,
    Served,
    check_mac,
    parse_served,
)
from local.virtual_phone.errors import PhoneFileError, ScreenError
from local.virtual_phone.screens import EXECUTE, EXIT, MenuItem, Screen, SoftKey, check_document, is_page
from local.virtual_phone.settings import Settings, read_choice, read_flag, read_number, read_required, read_text
from local.virtual_phone.xml_document import parse_xml

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*")
_MACRO = re.compile(r"\$[A-Z]+")
_RULE = re.compile(r"https?://[^\s\[\]()|?]+")  # options `[--key k]` and conditions `(…)? a | b` are not imitated
_OTHER_RULES = ("Profile_Rule_B", "Profile_Rule_C", "Profile_Rule_D")
_DHCP_OPTIONS = "66,160,159,150,60,43,125"
_TRANSPORTS = {"UDP": Transport.UDP, "TCP": Transport.TCP, "TLS": Transport.TLS, "AUTO": Transport.UDP}
_SRTP = {"Optional": MediaEncryption.OPTIONAL, "Required": MediaEncryption.COMPULSORY, "Strict": MediaEncryption.COMPULSORY}
_PORTS = {Transport.UDP: 5060, Transport.TCP: 5060, Transport.TLS: 5061}
_SERVER_LIST = re.compile(r"[A-Za-z0-9.\-]+:SRV=(?P<first>[^|:]+:[0-9]+):p=0(?:\|[^|:]+:[0-9]+:p=[1-9])+")
_NO_YES = ("No", "Yes")
_PSK_COUNT = 16
_REBOOTS = ("reboot", "restart")

_PREFIX = "CiscoIPPhone"
_OBJECTS = ("Text", "Menu", EXECUTE)  # other objects of the guide are not served
_MAXIMUM_SCREEN_BYTES, _LONGEST_TITLE, _LONGEST_TEXT = 20_000, 32, 4000
_POSITIONS = {str(number) for number in range(1, 5)}
_SOFT_KEY_WORDS = frozenset(f"SoftKey:{word}" for word in ("Exit", "Back", "Update", "Select", "Submit", "Cancel", "Next"))


@dataclass(frozen=True)
class CiscoDevice:
    """`mac` as 12 lower-case hex digits."""

    mac: str
    model: str = "8841"
    firmware: str = "12.0.3"

    notify_events: ClassVar[tuple[str, ...]] = ("check-sync", "resync", *_REBOOTS)
    lasting_prefix: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_mac(self.mac)

    @property
    def http_user_agent(self) -> str:
        return self.http_user_agent_with({})

    @property
    def sip_user_agent(self) -> str:
        return self._version

    def http_user_agent_with(self, settings: Settings) -> str:
        return self._fill(read_text(settings, "HTTP_User_Agent_Name", "$VERSION ($MA)"))

    def resolve_url(self, url: str) -> str:
        """The factory's rule is `/$PSN.xml`, so a bare folder is asked for that."""
        filled = self._fill(urljoin(url, "$PSN.xml") if url.endswith("/") else url)
        if not _RULE.fullmatch(filled):
            raise PhoneFileError("a profile rule must be a URL without options or conditions for this phone")
        return filled

    def account_url(self, url: str) -> str:
        return self.resolve_url(url)

    def fetch_files(self, url: str, fetch: Fetch, *, booting: bool) -> Served | None:
        """The profile, then those of the rules B, C and D in it. A 404 is a failure that waits for an hour by default."""
        del booting  # the same files at every time
        content = fetch(url)
        if content is None:
            return None
        settings = parse_served(url, content, parse_profile)
        for name in _OTHER_RULES:
            rule = read_text(settings, name)
            if rule:
                place = self.resolve_url(rule)
                content = fetch(place)
                if content is None:
                    raise PhoneFileError(f"{name} names a profile that is not there")
                settings.update(parse_served(place, content, parse_profile))
        return Served(settings)

    def read_settings(self, settings: Settings) -> DeviceSettings:
        """The language counts only where a dictionary for it is served: without one the menus are English."""
        obeys = read_flag(settings, "Resync_From_SIP", default="Yes", words=_NO_YES)
        language = read_text(settings, "Language_Selection", "English-US")
        if f"={language};" not in f"{read_text(settings, 'Dictionary_Server_Script')};":
            language = "English-US"
        rule = read_text(settings, "Profile_Rule")
        if rule:
            self.resolve_url(rule)
        screen_keys, dial_keys = _read_keys(settings)
        certificate = read_text(settings, "Custom_CA_Rule")
        served_options = settings.get("DHCP_Option_To_Use", (_DHCP_OPTIONS,))
        return DeviceSettings(
            account=_read_account(settings),
            provisioning_url=rule,
            dhcp_decides=bool(served_options[-1]),
            language=language,
            time_zone=read_text(settings, "Time_Zone", "GMT-08:00"),
            restart_rule=RestartRule.AS_ASKED if obeys else RestartRule.NEVER,
            certificate_urls=(self._fill(certificate),) if certificate else (),
            screen_keys=tuple(ScreenKey(key.name, key.label, self._fill(key.url)) for key in screen_keys),
            dial_keys=dial_keys,
        )

    def parse_screen(self, content: bytes, *, content_type: str, url: str) -> Screen:
        return parse_screen(content, content_type=content_type, url=url)

    def obey(self, event: str, rule: RestartRule) -> Order:
        """The event itself says what to do; without Resync_From_SIP nothing is done."""
        if rule is RestartRule.NEVER:
            return Order.NOTHING
        return Order.RESTART if event.partition(";")[0].strip() in _REBOOTS else Order.REFETCH

    @property
    def _version(self) -> str:
        return f"Cisco-CP-{self.model}-3PCC/{self.firmware}"

    def _fill(self, text: str) -> str:
        known = {
            "$MA": self.mac,
            "$MAU": self.mac.upper(),
            "$PN": f"CP-{self.model}-3PCC",
            "$PSN": f"{self.model}-3PCC",
            "$SWVER": self.firmware,
            "$VERSION": self._version,
        }

        def value(match: re.Match[str]) -> str:
            if match[0] not in known:
                raise PhoneFileError(f"{match[0]} is no macro that this phone fills in")
            return known[match[0]]

        return _MACRO.sub(value, text)


def parse_profile(content: bytes) -> dict[str, tuple[str, ...]]:
    """A flat profile, bare or in `<device>`. Raises PhoneFileError."""
    root = parse_xml(content, PhoneFileError)
    if root.tag == "device" and len(root) == 1:
        root = root[0]
    if root.tag != "flat-profile":
        raise PhoneFileError(f"the document is a {root.tag!r}; expected flat-profile")
    settings: dict[str, tuple[str, ...]] = {}
    for element in root:
        name = element.tag
        if not _NAME.fullmatch(name) or len(element) or (element.tail or "").strip():
            raise PhoneFileError(f"{name!r} is no setting of one value")
        if not {"ua"}.issuperset(element.attrib) or element.get("ua", "na") not in {"na", "ro", "rw"}:
            raise PhoneFileError(f"{name} has attributes that no phone knows; it is ua with na, ro or rw")
        if name in settings:
            raise PhoneFileError(f"{name} is set a second time; a device would take the last")
        settings[name] = ((element.text or "").strip(),)
    return settings


def parse_screen(content: bytes, *, content_type: str, url: str) -> Screen:
    """A served object. Raises ScreenError that says what the device would stumble over."""
    check_document(content, content_type, expected="text/xml", longest=_MAXIMUM_SCREEN_BYTES)
    root = parse_xml(content, ScreenError)
    kind = root.tag.removeprefix(_PREFIX)
    if not root.tag.startswith(_PREFIX) or kind not in _OBJECTS:
        raise ScreenError(f"the document is a {root.tag!r}; expected {_PREFIX} and one of {sorted(_OBJECTS)}")
    title, text = _text_of(root, "Title", _LONGEST_TITLE), _text_of(root, "Text", _LONGEST_TEXT)
    _text_of(root, "Prompt", _LONGEST_TITLE)
    if kind == "Text" and not text:
        raise ScreenError("a CiscoIPPhoneText needs a Text with text")
    lines = tuple(line.strip() for line in text.split("\n") if line.strip())
    return Screen(kind, url, title, lines, _read_soft_keys(root), _read_items(root))


def _text_of(element: ET.Element, name: str, longest: int) -> str:
    text = (element.findtext(name) or "").strip()
    if len(text) > longest:
        raise ScreenError(f"{name} has {len(text)} characters; the phone takes {longest}")
    return text


def _read_soft_keys(root: ET.Element) -> tuple[SoftKey, ...]:
    keys: dict[int, SoftKey] = {}
    for element in root.iter("SoftKeyItem"):
        label, uri, position = ((element.findtext(name) or "").strip() for name in ("Name", "URL", "Position"))
        if position not in _POSITIONS or int(position) in keys:
            raise ScreenError(f"a SoftKeyItem's Position is {position!r}; it must be 1 to 4, each once")
        if not label:
            raise ScreenError("a SoftKeyItem needs a Name with text")
        keys[int(position)] = SoftKey(int(position), label, _checked_address(uri))
    return tuple(keys[position] for position in sorted(keys))


def _read_items(root: ET.Element) -> tuple[MenuItem, ...]:
    chosen = [((item.findtext("Name") or "").strip(), item.findtext("URL") or "") for item in root.iter("MenuItem")]
    fetched = [("", item.get("URL", "")) for item in root.iter("ExecuteItem")]
    return tuple(MenuItem(prompt, _checked_address(uri.strip())) for prompt, uri in [*chosen, *fetched])


def _checked_address(uri: str) -> str:
    if not is_page(uri) and uri not in _SOFT_KEY_WORDS:
        raise ScreenError(f"the address {uri[:20]!r} is none that the phone follows")
    return EXIT if uri == "SoftKey:Back" else uri


def _read_account(settings: Settings) -> PhoneAccount | None:
    user_name = read_text(settings, "User_ID_1_")
    enabled = read_flag(settings, "Line_Enable_1_", default="Yes", words=_NO_YES)
    if not user_name or not enabled or not read_flag(settings, "Register_1_", default="Yes", words=_NO_YES):
        return None
    transport = read_choice(settings, "SIP_Transport_1_", _TRANSPORTS, "UDP")
    proxy = read_text(settings, "Outbound_Proxy_1_")
    encryption = MediaEncryption.OFF
    if read_flag(settings, "Secure_Call_Setting", default="No", words=_NO_YES):
        encryption = read_choice(settings, "Secure_Call_Option_1_", _SRTP, "Optional")
    return PhoneAccount(
        label=read_text(settings, "Short_Name_1_"),
        display_name=read_text(settings, "Display_Name_1_"),
        user_name=user_name,
        auth_name=read_text(settings, "Auth_ID_1_", user_name),
        password=read_required(settings, "Password_1_"),
        server=_read_server(read_required(settings, "Proxy_1_"), transport),
        expires_seconds=read_number(settings, "Register_Expires_1_", 3600),
        outbound_proxy=_read_server(proxy, transport) if proxy else None,
        media_encryption=encryption,
    )


def _read_server(text: str, transport: Transport) -> SipServer:
    """`host` or `host:port`, or the first of a fixed list of servers, `name:SRV=host:port:p=0|…`; fail-over is not imitated."""
    listed = _SERVER_LIST.fullmatch(text)
    host, _, port = (listed["first"] if listed else text).partition(":")
    if not re.fullmatch(r"[A-Za-z0-9.\-]+", host) or not re.fullmatch(r"[0-9]{0,5}", port):
        raise PhoneFileError(f"the proxy {text!r} is not host:port")
    return SipServer(host, int(port) if port else _PORTS[transport], transport)


def _read_keys(settings: Settings) -> tuple[tuple[ScreenKey, ...], tuple[DialKey, ...]]:
    """The programmable soft keys of the idle screen: `fnc=xml;url=…;nme=…` and `fnc=sd;ext=…@$PROXY;nme=…`."""
    screens: list[ScreenKey] = []
    dials: list[DialKey] = []
    if not read_flag(settings, "Programmable_Softkey_Enable", default="No", words=_NO_YES):
        return (), ()
    shown = {entry.partition("|")[0].strip() for entry in read_text(settings, "Idle_Key_List").split(";")}
    for number in range(1, _PSK_COUNT + 1):
        name = f"PSK_{number}"
        text = read_text(settings, name)
        if not text or f"psk{number}" not in shown:
            continue
        words = dict(word.partition("=")[::2] for word in text.split(";") if word)
        label, function = words.get("nme", ""), words.get("fnc", "")
        if not label:
            raise PhoneFileError(f"{name} has no name (nme)")
        if function == "xml" and is_page(words.get("url", "")):
            screens.append(ScreenKey(name, label, words["url"]))
        elif function == "sd" and words.get("ext"):
            dials.append(DialKey(name, label, words["ext"].partition("@")[0]))
        else:
            raise PhoneFileError(f"{name} is a function {function!r} that this phone does not imitate")
    return tuple(screens), tuple(dials)
