"""Reads Yealink phone files: `.cfg` and `.boot` text into settings, and settings into what a device does with them.

Written from Yealink's guides, apart from the gateway's own templates, so that it is a second opinion on them: what a device
would skip or misread is an error here. It fetches nothing and keeps nothing. Sources: research/vendors.md 1.1 to 1.5, and for
boot files the Administrator's Guide for SIP-T2/T4/T5, "Boot File Attributes" (manualslib 1915681 p. 74).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from local.virtual_phone.account import MediaEncryption, PhoneAccount, SipServer, Transport
from local.virtual_phone.errors import PhoneFileError

FIRST_LINE = "#!version:1.0.0.1"

Settings = Mapping[str, tuple[str, ...]]  # a name's values; more than one only where a name may stand on several lines

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

_NUMBER = re.compile(r"[0-9]{1,9}")

_XML_BROWSER_KEY = "27"
_KEY_PLACES = (("programablekey", 4), ("linekey", 27))  # a T46S: four soft keys and 27 line keys on its pages


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


class RestartRule(StrEnum):
    """What `check-sync` does (`sip.notify_reboot_enable`): the factory's value is 1, restart whatever the event says."""

    AS_ASKED = "0"
    ALWAYS = "1"
    NEVER = "2"


@dataclass(frozen=True)
class ScreenKey:
    """A key that opens an XML screen."""

    name: str
    label: str
    url: str


@dataclass(frozen=True)
class DeviceSettings:
    """All of a device's settings that the virtual phone acts on."""

    account: PhoneAccount | None
    provisioning_url: str
    dhcp_decides: bool  # whether DHCP's URL goes before the stored one at power on
    certificate_urls: tuple[str, ...]
    screen_keys: tuple[ScreenKey, ...]
    language: str
    time_zone: str
    restart_rule: RestartRule


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
    rule = _value(settings, "sip.notify_reboot_enable", RestartRule.ALWAYS)
    if rule not in set(RestartRule):
        raise PhoneFileError(f"sip.notify_reboot_enable is {rule!r}; it must be 0, 1 or 2")
    return DeviceSettings(
        account=_read_account(settings),
        provisioning_url=_value(settings, "static.auto_provision.server.url"),
        dhcp_decides=_flag(settings, "static.auto_provision.dhcp_option.enable", default="1"),
        certificate_urls=tuple(url for url in settings.get("static.trusted_certificates.url", ()) if url),
        screen_keys=_read_screen_keys(settings),
        language=_value(settings, "lang.gui", "English"),
        time_zone=_value(settings, "local_time.time_zone", "+8"),  # the factory's zone is Beijing's
        restart_rule=RestartRule(rule),
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
    if not _flag(settings, f"{prefix}.enable", default="0"):
        return None
    user_name = _required(settings, f"{prefix}.user_name")
    transport = _transport(settings, f"{prefix}.sip_server.1.transport_type")
    server = SipServer(
        _required(settings, f"{prefix}.sip_server.1.address"), _number(settings, f"{prefix}.sip_server.1.port", 5060), transport
    )
    proxy = None
    if _flag(settings, f"{prefix}.outbound_proxy_enable", default="0"):
        address = _required(settings, f"{prefix}.outbound_proxy.1.address")
        proxy = SipServer(address, _number(settings, f"{prefix}.outbound_proxy.1.port", 5060), transport)
    return PhoneAccount(
        label=_value(settings, f"{prefix}.label"),
        display_name=_value(settings, f"{prefix}.display_name"),
        user_name=user_name,
        auth_name=_value(settings, f"{prefix}.auth_name") or user_name,
        password=_required(settings, f"{prefix}.password"),
        server=server,
        expires_seconds=_number(settings, f"{prefix}.sip_server.1.expires", 3600),
        outbound_proxy=proxy,
        media_encryption=_media_encryption(settings, f"{prefix}.srtp_encryption"),
    )


def _read_screen_keys(settings: Settings) -> tuple[ScreenKey, ...]:
    keys = []
    for place, count in _KEY_PLACES:
        for number in range(1, count + 1):
            name = f"{place}.{number}"
            if _value(settings, f"{name}.type") == _XML_BROWSER_KEY:
                label, url = _value(settings, f"{name}.label"), _required(settings, f"{name}.value")
                keys.append(ScreenKey(name, label, url))
    return tuple(keys)


def _value(settings: Settings, name: str, default: str = "") -> str:
    values = settings.get(name, ())
    return values[-1] or default if values else default


def _required(settings: Settings, name: str) -> str:
    value = _value(settings, name)
    if not value:
        raise PhoneFileError(f"{name} is missing or empty, but what was served needs it")
    return value


def _number(settings: Settings, name: str, default: int) -> int:
    text = _value(settings, name, str(default))
    if not _NUMBER.fullmatch(text):
        raise PhoneFileError(f"{name} is {text!r}; it must be a whole number")
    return int(text)


def _flag(settings: Settings, name: str, *, default: str) -> bool:
    text = _value(settings, name, default)
    if text not in {"0", "1"}:
        raise PhoneFileError(f"{name} is {text!r}; it must be 0 or 1")
    return text == "1"


def _transport(settings: Settings, name: str) -> Transport:
    known = {"0": Transport.UDP, "1": Transport.TCP, "2": Transport.TLS}
    text = _value(settings, name, "0")
    if text not in known:
        raise PhoneFileError(f"{name} is {text!r}; this phone knows 0 (UDP), 1 (TCP) and 2 (TLS)")
    return known[text]


def _media_encryption(settings: Settings, name: str) -> MediaEncryption:
    known = {"0": MediaEncryption.OFF, "1": MediaEncryption.OPTIONAL, "2": MediaEncryption.COMPULSORY}
    text = _value(settings, name, "0")
    if text not in known:
        raise PhoneFileError(f"{name} is {text!r}; it must be 0 (off), 1 (optional) or 2 (compulsory)")
    return known[text]


def _checked_location(number: int, location: str) -> str:
    if not location.endswith(".cfg"):
        raise PhoneFileError(f"line {number} includes {_shown(location)}; a boot file includes .cfg files only")
    return location


def _shown(text: str) -> str:
    """The beginning of a line for a message, without what stands after `=`: it may be a password."""
    name, equals, _ = text.partition("=")
    return repr(name[:60]) + (" = ***" if equals else "")
