"""A Yealink SIP-T46S: who it says it is, its files and their order, what its settings mean, and its XML browser.

Written from Yealink's guides, apart from the gateway's own templates, so that it is a second opinion on them: what a device
would skip or misread is an error here. Sources: research/vendors.md 1.1 to 1.5; for boot files the Administrator's Guide for
SIP-T2/T4/T5, "Boot File Attributes" (manualslib 1915681 p. 74); for screens the "XML Browser Developer's Guide".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from local.virtual_phone.account import MediaEncryption, PhoneAccount, SipServer, Transport
from local.virtual_phone.device import (
    DeviceSettings,
    Fetch,
    Order,
    RestartRule,
    ScreenKey,
    Served,
    as_folder,
    check_mac,
    parse_served,
)
from local.virtual_phone.errors import PhoneFileError, ScreenError
from local.virtual_phone.http_client import mask_url
from local.virtual_phone.screens import EXECUTE, MenuItem, Screen, SoftKey, check_document, is_page
from local.virtual_phone.settings import Settings, read_choice, read_flag, read_number, read_required, read_text
from local.virtual_phone.xml_document import parse_xml

FIRST_LINE = "#!version:1.0.0.1"

# Several lines of the same name are one list: each certificate to trust, each web user's password.
_REPEATABLE = frozenset({"static.trusted_certificates.url", "static.security.user_password"})
# Firmware V81 and newer reads these classes with and without `static.`; they are one setting, so they get one name here.
_STATIC_CLASSES = (
    "auto_provision.",
    "firmware.",
    "network.",
    "security.",
    "syslog.",
    "trusted_certificates.",
    "wui.",
    "zero_touch.",
)

_SETTING = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+)\s*=(?P<value>.*)")
# `include:config "y000000000066.cfg"`, `include:config <805ec0123456.cfg>`, `[T46S,T48S]include:config "t4.cfg"`
_INCLUDE = re.compile(
    r"(?:\[(?P<models>[A-Za-z0-9_,\s]+)\]\s*)?include:config\s*(?:\"(?P<quoted>[^\"<>]+)\"|<(?P<angled>[^\"<>]+)>)"
)
_OVERWRITE = re.compile(r"overwrite_mode\s*=\s*(?P<value>[01])")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_XML_BROWSER_KEY = "27"
_KEY_PLACES = (("programablekey", 4), ("linekey", 27))  # a T46S: four soft keys and 27 line keys on its pages
_TRANSPORTS = {"0": Transport.UDP, "1": Transport.TCP, "2": Transport.TLS}
_SRTP = {"0": MediaEncryption.OFF, "1": MediaEncryption.OPTIONAL, "2": MediaEncryption.COMPULSORY}
_RESTART_RULES = {"0": RestartRule.AS_ASKED, "1": RestartRule.ALWAYS, "2": RestartRule.NEVER}

_COMMON_BOOT = "y000000000000.boot"

_MAXIMUM_SCREEN_BYTES = 10_000  # "The size of an XML object cannot exceed 10000 bytes"
_MAXIMUM_MENU_ITEMS = 30
_SOFT_KEYS = {str(number) for number in range(1, 5)}
_PREFIX = "YealinkIPPhone"
_OBJECTS = ("TextScreen", "FormattedTextScreen", "TextMenu", EXECUTE)  # other objects of the guide are not served
_ADDRESS = re.compile(
    r"https?://[^\s]+|SoftKey:(?:Exit|Submit|Select|BackSpace|NextSpace|Dot)|Dial:[0-9*#+]+|(?:Key|Command):\w+"
)


@dataclass(frozen=True)
class PhoneFile:
    """One `.cfg`: its settings, by their one name, in the file's order."""

    settings: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Include:
    """A line of a boot file; `models` empty means every model."""

    location: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class BootFile:
    """A `.boot`: which files to fetch, and whether what they leave out returns to the factory's value."""

    includes: tuple[Include, ...]
    overwrite: bool = True

    def locations_for(self, *, model: str, mac: str) -> tuple[str, ...]:
        """The files for this device, in order, with `$MAC` and `$PN` filled in."""
        mine = (item.location for item in self.includes if not item.models or model in item.models)
        return tuple(location.replace("$MAC", mac).replace("$PN", model) for location in mine)


@dataclass(frozen=True)
class YealinkDevice:
    """`mac` as 12 lower-case hex digits, `common_file` the model's own file name."""

    mac: str
    model: str = "T46S"
    firmware: str = "66.86.0.15"
    common_file: str = "y000000000066.cfg"

    notify_events: ClassVar[tuple[str, ...]] = ("check-sync",)
    lasting_prefix: ClassVar[str] = "static."

    def __post_init__(self) -> None:
        check_mac(self.mac)

    @property
    def http_user_agent(self) -> str:
        pairs = (self.mac[index : index + 2] for index in range(0, 12, 2))
        return f"{self.sip_user_agent} {':'.join(pairs)}"

    @property
    def sip_user_agent(self) -> str:
        return f"Yealink SIP-{self.model} {self.firmware}"

    def http_user_agent_with(self, _settings: Settings) -> str:
        return self.http_user_agent

    def resolve_url(self, url: str) -> str:
        return as_folder(url)

    def account_url(self, url: str) -> str:
        return urljoin(as_folder(url), f"{self.mac}.cfg")

    def fetch_files(self, url: str, fetch: Fetch, *, booting: bool) -> Served | None:
        """What a boot file lists; without one the model's file and its own. Order: research/vendors.md 1.1."""
        del booting  # the same files at every time
        boot_url, boot = self._find_boot_file(url, fetch)
        names = boot.locations_for(model=self.model, mac=self.mac) if boot else (self.common_file, f"{self.mac}.cfg")
        settings: dict[str, tuple[str, ...]] = {}
        found = False
        for place in (urljoin(boot_url, name) for name in names):
            content = fetch(place)
            if content is not None:
                found = True
                settings.update(parse_served(place, content, parse_phone_file).settings)
        return Served(settings, overwrite=boot is not None and boot.overwrite) if found else None

    def read_settings(self, settings: Settings) -> DeviceSettings:
        return read_device_settings(settings)

    def parse_screen(self, content: bytes, *, content_type: str, url: str) -> Screen:
        return parse_screen(content, content_type=content_type, url=url)

    def obey(self, event: str, rule: RestartRule) -> Order:
        asked = rule is RestartRule.AS_ASKED and "reboot=true" in event.replace(" ", "").lower()
        return Order.RESTART if asked or rule is RestartRule.ALWAYS else Order.REFETCH

    def _find_boot_file(self, url: str, fetch: Fetch) -> tuple[str, BootFile | None]:
        for name in (f"{self.mac}.boot", _COMMON_BOOT):
            place = urljoin(url, name)
            content = fetch(place)
            if content is not None:
                return place, parse_served(place, content, parse_boot_file)
        return url, None


def parse_phone_file(content: bytes) -> PhoneFile:
    """A served `.cfg`. Raises PhoneFileError that names the line."""
    settings: dict[str, tuple[str, ...]] = {}
    for number, line in _lines(content):
        match = _SETTING.fullmatch(line)
        if match is None:
            raise PhoneFileError(f"line {number} is neither a setting, a comment nor empty: {_shown(line)}")
        name, value = one_name(match["name"]), match["value"].strip()
        if name in settings and name not in _REPEATABLE:
            raise PhoneFileError(f"line {number} sets {name} a second time; a device would silently take one of them")
        settings[name] = (*settings.get(name, ()), value)
    return PhoneFile(settings)


def parse_boot_file(content: bytes) -> BootFile:
    """A served `.boot`. Raises PhoneFileError. Without `overwrite_mode` the mode is on [general knowledge of V81+]."""
    includes: list[Include] = []
    overwrite: bool | None = None
    for number, line in _lines(content):
        include, mode = _INCLUDE.fullmatch(line), _OVERWRITE.fullmatch(line)
        if include is not None:
            models = tuple(word.strip() for word in (include["models"] or "").split(",") if word.strip())
            includes.append(Include(_checked_location(number, include["quoted"] or include["angled"]), models))
        elif mode is not None and overwrite is None:
            overwrite = mode["value"] == "1"
        else:
            raise PhoneFileError(f"line {number} does not belong in a boot file: {_shown(line)}")
    return BootFile(tuple(includes), overwrite is not False)


def one_name(name: str) -> str:
    """The name under which a setting is kept: with `static.` where firmware reads it with and without."""
    return f"static.{name}" if name.startswith(_STATIC_CLASSES) else name


def read_device_settings(settings: Settings) -> DeviceSettings:
    """What a device does with all it was served so far. Raises PhoneFileError that names the setting."""
    return DeviceSettings(
        account=_read_account(settings),
        provisioning_url=read_text(settings, "static.auto_provision.server.url"),
        dhcp_decides=read_flag(settings, "static.auto_provision.dhcp_option.enable", default="1"),
        language=read_text(settings, "lang.gui", "English"),
        time_zone=read_text(settings, "local_time.time_zone", "+8"),  # the factory's zone is Beijing's
        restart_rule=read_choice(settings, "sip.notify_reboot_enable", _RESTART_RULES, "1"),
        certificate_urls=tuple(url for url in settings.get("static.trusted_certificates.url", ()) if url),
        screen_keys=_read_screen_keys(settings),
    )


def parse_screen(content: bytes, *, content_type: str, url: str) -> Screen:
    """A served document as a screen. Raises ScreenError that says what the device would stumble over."""
    check_document(content, content_type, expected="text/xml", longest=_MAXIMUM_SCREEN_BYTES)
    root = parse_xml(content, ScreenError)
    kind = root.tag.removeprefix(_PREFIX)
    if not root.tag.startswith(_PREFIX) or kind not in _OBJECTS:
        raise ScreenError(f"the document is a {root.tag!r}; expected {_PREFIX} and one of {sorted(_OBJECTS)}")
    return Screen(
        kind=kind,
        url=url,
        title=_text_of(root, "Title", required=kind in {"TextScreen", "TextMenu"}),
        lines=_read_lines(root, kind),
        soft_keys=_read_soft_keys(root),
        items=_read_items(root, kind),
    )


def _lines(content: bytes) -> list[tuple[int, str]]:
    """The lines that say something, with their numbers; LF or CR LF ends a line, nothing else does."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PhoneFileError(f"byte {error.start} is not UTF-8") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[0] != FIRST_LINE:
        raise PhoneFileError(f"line 1 must be {FIRST_LINE!r}, not {_shown(lines[0])}")
    found = []
    for number, line in enumerate(lines[1:], start=2):
        if _CONTROL.search(line):
            raise PhoneFileError(f"line {number} holds a control character: {_shown(line)}")
        stripped = line.strip(" \t")
        if stripped and not stripped.startswith("#"):
            found.append((number, stripped))
    return found


def _read_account(settings: Settings, number: int = 1) -> PhoneAccount | None:
    prefix = f"account.{number}"
    if not read_flag(settings, f"{prefix}.enable", default="0"):
        return None
    user_name = read_required(settings, f"{prefix}.user_name")
    transport = read_choice(settings, f"{prefix}.sip_server.1.transport_type", _TRANSPORTS, "0")
    address = read_required(settings, f"{prefix}.sip_server.1.address")
    server = SipServer(address, read_number(settings, f"{prefix}.sip_server.1.port", 5060), transport)
    proxy = None
    if read_flag(settings, f"{prefix}.outbound_proxy_enable", default="0"):
        address = read_required(settings, f"{prefix}.outbound_proxy.1.address")
        proxy = SipServer(address, read_number(settings, f"{prefix}.outbound_proxy.1.port", 5060), transport)
    return PhoneAccount(
        label=read_text(settings, f"{prefix}.label"),
        display_name=read_text(settings, f"{prefix}.display_name"),
        user_name=user_name,
        auth_name=read_text(settings, f"{prefix}.auth_name") or user_name,
        password=read_required(settings, f"{prefix}.password"),
        server=server,
        expires_seconds=read_number(settings, f"{prefix}.sip_server.1.expires", 3600),
        outbound_proxy=proxy,
        media_encryption=read_choice(settings, f"{prefix}.srtp_encryption", _SRTP, "0"),
    )


def _read_screen_keys(settings: Settings) -> tuple[ScreenKey, ...]:
    keys = []
    for place, count in _KEY_PLACES:
        for number in range(1, count + 1):
            name = f"{place}.{number}"
            if read_text(settings, f"{name}.type") == _XML_BROWSER_KEY:
                label, url = read_text(settings, f"{name}.label"), read_required(settings, f"{name}.value")
                keys.append(ScreenKey(name, label, url))
    return tuple(keys)


def _checked_location(number: int, location: str) -> str:
    if not location.endswith(".cfg"):
        raise PhoneFileError(f"line {number} includes {_shown(location)}; a boot file includes .cfg files only")
    return location


def _shown(text: str) -> str:
    """The beginning of a line for a message, without what stands after `=`: it may be a password."""
    name, equals, _ = text.partition("=")
    return repr(name[:60]) + (" = ***" if equals else "")


def _read_lines(root: ET.Element, kind: str) -> tuple[str, ...]:
    if kind == "TextScreen":
        return tuple(_text_of(root, "Text", required=True).split("\n"))
    if kind == "FormattedTextScreen":
        lines = tuple((line.text or "").strip() for line in root.iter("Line"))
        if not lines:
            raise ScreenError("a FormattedTextScreen needs at least one Line")
        return lines
    return ()


def _read_soft_keys(root: ET.Element) -> tuple[SoftKey, ...]:
    keys: dict[int, SoftKey] = {}
    for element in root.iter("SoftKey"):
        index = element.get("index", "")
        if index not in _SOFT_KEYS or int(index) in keys:
            raise ScreenError(f"a SoftKey's index is {index!r}; it must be 1 to 4, each once")
        label = _text_of(element, "Label", required=True)
        keys[int(index)] = SoftKey(int(index), label, _checked_address(_text_of(element, "URI", required=True)))
    return tuple(keys[index] for index in sorted(keys))


def _read_items(root: ET.Element, kind: str) -> tuple[MenuItem, ...]:
    if kind == "TextMenu":
        items = tuple(
            MenuItem(_text_of(item, "Prompt", required=True), _checked_address(_text_of(item, "URI", required=True)))
            for item in root.iter("MenuItem")
        )
        if not 1 <= len(items) <= _MAXIMUM_MENU_ITEMS:
            raise ScreenError(f"a TextMenu has {len(items)} items; it must have 1 to {_MAXIMUM_MENU_ITEMS}")
        return items
    if kind == EXECUTE:
        return tuple(MenuItem("", _checked_address(uri)) for uri in _attributes(root.iter("ExecuteItem"), "URI"))
    return ()


def _attributes(elements: Iterable[ET.Element], name: str) -> list[str]:
    return [element.get(name, "") for element in elements]


def _text_of(element: ET.Element, name: str, *, required: bool) -> str:
    found = element.find(name)
    text = "" if found is None else (found.text or "").strip()
    if required and not text:
        raise ScreenError(f"{element.tag} needs a {name} with text")
    return text


def _checked_address(uri: str) -> str:
    if not _ADDRESS.fullmatch(uri):
        raise ScreenError(f"the address {mask_url(uri) if is_page(uri) else uri!r} is none that the phone follows")
    return uri
