"""A Poly VVX450: updater and application, the master file and what it names, `device.*` rules, XHTML screens.

Written from Polycom's guides and XSD, apart from the gateway's own templates, so that it is a second opinion on them: what a
device would skip or misread is an error here. Source: research/vendors.md 2.1 to 2.6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urljoin

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
from local.virtual_phone.screens import EXIT, Screen, SoftKey, check_document, is_page
from local.virtual_phone.settings import Settings, read_choice, read_flag, read_number, read_required, read_text
from local.virtual_phone.xml_document import parse_xml

_COMMON_MASTER = "000000000000.cfg"
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*(?:\.[A-Za-z0-9_\-]+)+")
_MASTER_ATTRIBUTES = frozenset(
    {
        *("APP_FILE_PATH", "CONFIG_FILES", "MISC_FILES", "LOG_FILE_DIRECTORY", "OVERRIDES_DIRECTORY", "CONTACTS_DIRECTORY"),
        *("LICENSE_DIRECTORY", "USER_PROFILES_DIRECTORY", "CALL_LISTS_DIRECTORY", "COREFILE_DIRECTORY"),
    }
)
_TRANSPORTS = {
    "UDPOnly": Transport.UDP,
    "TCPOnly": Transport.TCP,
    "TCPpreferred": Transport.TCP,
    "TLS": Transport.TLS,
    "DNSnaptr": Transport.UDP,  # the factory's value; without a NAPTR record it is UDP
}
_DEFAULT_PORTS = {Transport.UDP: 5060, Transport.TCP: 5060, Transport.TLS: 5061}
_SOFT_KEY_COUNT, _LONGEST_LABEL, _LONGEST_ACTION = 10, 16, 256
_LONGEST_PASSWORD, _LONGEST_DIGIT_MAP, _LONGEST_CERTIFICATE = 32, 2560, 12_288

_ELEMENTS = frozenset(
    {
        *("html", "head", "title", "body", "p", "br", "a", "img", "form", "input"),
        *("select", "table", "tr", "td", "b", "u", "hr", "softkey"),
    }
)
_SCREEN_KEY_INDEXES = {str(number) for number in range(1, 9)}
_LONGEST_SCREEN_LABEL = 9
_FETCH = "SoftKey:Fetch;"
_MAXIMUM_SCREEN_BYTES = 10_000


@dataclass(frozen=True)
class PolyDevice:
    """`mac` as 12 lower-case hex digits. The updater and the part number go before the firmware's name [general knowledge]."""

    mac: str
    model: str = "VVX450"
    firmware: str = "6.4.3.5017"
    updater: str = "5.9.7.47435"
    part_number: str = "3111-48450-001"

    notify_events: ClassVar[tuple[str, ...]] = ("check-sync",)
    lasting_prefix: ClassVar[str] = "device."

    def __post_init__(self) -> None:
        check_mac(self.mac)

    @property
    def http_user_agent(self) -> str:
        return f"FileTransport {self.sip_user_agent} Type/Application"

    @property
    def sip_user_agent(self) -> str:
        return f"{self._product}-UA/{self.firmware}"

    def http_user_agent_with(self, settings: Settings) -> str:
        tagged = read_flag(settings, "device.prov.tagSerialNo", default="0")
        serial = f" (SN:{self.mac})" if tagged else ""
        return f"FileTransport {self.sip_user_agent}{serial} Type/Application"

    def resolve_url(self, url: str) -> str:
        return as_folder(url)

    def account_url(self, url: str) -> str:
        return urljoin(as_folder(url), f"{self.mac}-user.cfg")

    def fetch_files(self, url: str, fetch: Fetch, *, booting: bool) -> Served | None:
        """The order of a real VVX: master, software, CONFIG_FILES, overrides, and at boot licences, directory and calls."""
        if booting:
            fetch(urljoin(url, f"{self.mac}.cfg"), user_agent=f"FileTransport {self._product}-UA/{self.updater} Type/Updater")
        content = None
        for name in (f"{self.mac}.cfg", _COMMON_MASTER):
            place = urljoin(url, name)
            content = fetch(place)
            if content is not None:
                break
        if content is None:
            return None
        software, names = parse_served(place, content, parse_master_file)
        if booting:
            fetch(urljoin(url, f"{self.part_number}.{software}"))
        settings: dict[str, tuple[str, ...]] = {}
        for name in reversed([self._fill(name) for name in names]):  # of a parameter that is set twice the left-most counts
            settings.update(self._required_file(urljoin(url, name), fetch))
        for name in (f"{self.mac}-web.cfg", f"{self.mac}-phone.cfg"):
            overrides = fetch(urljoin(url, name))
            settings.update(parse_served(name, overrides, parse_phone_file) if overrides else {})
        if booting:
            for name in ("-license.cfg", "-directory.xml", "-calls.xml"):
                fetch(urljoin(url, f"{self.mac}{name}"))
        return Served(settings, overwrite=True)

    def read_settings(self, settings: Settings) -> DeviceSettings:
        """Raises PhoneFileError also for a `device.*` value that a device would skip."""
        _check_device_values(settings)
        always = read_flag(settings, "voIpProt.SIP.specialEvent.checkSync.alwaysReboot", default="0")
        read_text(settings, "device.auth.localAdminPassword", longest=_LONGEST_PASSWORD)
        read_text(settings, "dialplan.digitmap", longest=_LONGEST_DIGIT_MAP)
        return DeviceSettings(
            account=_read_account(settings),
            provisioning_url=_read_server_url(settings),
            dhcp_decides=read_text(settings, "device.dhcp.bootSrvUseOpt", "CustomAndDefault") != "Static",
            language=read_text(settings, "lcl.ml.lang", "English_United_States"),
            time_zone=read_text(settings, "tcpIpApp.sntp.gmtOffset", "0"),
            restart_rule=RestartRule.ALWAYS if always else RestartRule.NEVER,
            certificates=_read_certificates(settings),
            screen_keys=_read_screen_keys(settings),
        )

    def parse_screen(self, content: bytes, *, content_type: str, url: str) -> Screen:
        return parse_screen(content, content_type=content_type, url=url)

    def obey(self, event: str, rule: RestartRule) -> Order:
        """check-sync fetches; no source says that a VVX knows `;reboot=true`, so it changes nothing here."""
        del event
        return Order.RESTART if rule is RestartRule.ALWAYS else Order.REFETCH

    @property
    def _product(self) -> str:
        return f"PolycomVVX-{self.model.replace('VVX', 'VVX_')}"

    def _fill(self, name: str) -> str:
        macros = {"[PHONE_MAC_ADDRESS]": self.mac, "[PHONE_MODEL]": self.model, "[PHONE_PART_NUMBER]": self.part_number}
        for macro, value in macros.items():
            name = name.replace(macro, value)
        if "[" in name or "]" in name:
            raise PhoneFileError(f"CONFIG_FILES has a macro that no phone knows: {name.rpartition('/')[2]!r}")
        return name

    def _required_file(self, place: str, fetch: Fetch) -> dict[str, tuple[str, ...]]:
        content = fetch(place)
        if content is None:
            raise PhoneFileError(f"CONFIG_FILES names {place.rpartition('/')[2]!r}, which is not there")
        return parse_served(place, content, parse_phone_file)


def parse_master_file(content: bytes) -> tuple[str, tuple[str, ...]]:
    """APP_FILE_PATH and CONFIG_FILES. Parameters in the master itself are not read: no source says that a phone does."""
    root = parse_xml(content, PhoneFileError)
    if root.tag != "APPLICATION" or not _MASTER_ATTRIBUTES.issuperset(root.attrib):
        raise PhoneFileError(f"the master file is a {root.tag!r} with {sorted(set(root.attrib) - _MASTER_ATTRIBUTES)}")
    if "APP_FILE_PATH" not in root.attrib or "CONFIG_FILES" not in root.attrib:
        raise PhoneFileError("the master file needs APP_FILE_PATH and CONFIG_FILES")
    names = (name.strip() for name in root.attrib["CONFIG_FILES"].split(","))
    return root.attrib["APP_FILE_PATH"], tuple(name for name in names if name)


def parse_phone_file(content: bytes) -> dict[str, tuple[str, ...]]:
    """A configuration file: elements do not matter, attributes do. Raises PhoneFileError."""
    settings: dict[str, tuple[str, ...]] = {}
    for element in parse_xml(content, PhoneFileError).iter():
        if (element.text or "").strip() or (element.tail or "").strip():
            raise PhoneFileError(f"{element.tag} holds text, which no phone reads")
        for name, value in element.attrib.items():
            if not _PARAMETER.fullmatch(name):
                raise PhoneFileError(f"{name!r} is no parameter")
            if name in settings:
                raise PhoneFileError(f"{name} is set a second time; a device would silently take one of them")
            settings[name] = (value,)
    return settings


def parse_screen(content: bytes, *, content_type: str, url: str) -> Screen:
    """A served page. Raises ScreenError that says what the device would stumble over."""
    check_document(content, content_type, expected="text/html", longest=_MAXIMUM_SCREEN_BYTES)
    root = parse_xml(content, ScreenError)
    if root.tag != "html":
        raise ScreenError(f"the document is a {root.tag!r}; expected html")
    unknown = sorted({element.tag for element in root.iter()} - _ELEMENTS)
    if unknown:
        raise ScreenError(f"the page has {unknown}, which the small browser does not show")
    body = root.find("body")
    if body is None:
        raise ScreenError("the page has no body")
    lines = tuple("".join(paragraph.itertext()).strip() for paragraph in body.iter("p"))
    keys: dict[int, SoftKey] = {}
    for element in body.iter("softkey"):
        index, label, action = (element.get(name, "") for name in ("index", "label", "action"))
        if index not in _SCREEN_KEY_INDEXES or int(index) in keys:
            raise ScreenError(f"a softkey's index is {index!r}; it must be 1 to 8, each once")
        if not 0 < len(label) <= _LONGEST_SCREEN_LABEL:
            raise ScreenError(f"the softkey {label!r} must have 1 to {_LONGEST_SCREEN_LABEL} characters")
        keys[int(index)] = SoftKey(int(index), label, _read_action(action))
    return Screen("html", url, (root.findtext("head/title") or "").strip(), lines, tuple(keys[index] for index in sorted(keys)))


def _read_action(action: str) -> str:
    if action == EXIT:
        return action
    target = action.removeprefix(_FETCH)
    if target == action or not is_page(target):
        raise ScreenError(f"the softkey's action {action[:20]!r} is none that this phone imitates")
    return target


def _check_device_values(settings: Settings) -> None:
    """A `device.*` value counts only with `device.set` and with its own `.set`."""
    names = [name for name in settings if name.startswith("device.") and not name.endswith(".set")]
    if names and not read_flag(settings, "device.set", default="0"):
        raise PhoneFileError(f"device.set is not 1, so a device skips {names[0]}")
    for name in names:
        if not read_flag(settings, f"{name}.set", default="0"):
            raise PhoneFileError(f"{name}.set is not 1, so a device skips {name}")


def _read_server_url(settings: Settings) -> str:
    name = read_text(settings, "device.prov.serverName")
    if not name or "://" in name:
        return name
    kind = read_choice(settings, "device.prov.serverType", {"HTTPS": "https", "HTTP": "http"}, "HTTP")
    return f"{kind}://{name}"


def _read_account(settings: Settings) -> PhoneAccount | None:
    address = read_text(settings, "reg.1.address")
    if not address or not read_flag(settings, "reg.1.server.1.register", default="1"):
        return None
    transport = read_choice(settings, "reg.1.server.1.transport", _TRANSPORTS, "DNSnaptr")
    port = read_number(settings, "reg.1.server.1.port", 0) or _DEFAULT_PORTS[transport]
    proxy = None
    if read_text(settings, "reg.1.outboundProxy.address"):
        proxy_port = read_number(settings, "reg.1.outboundProxy.port", 0) or _DEFAULT_PORTS[transport]
        proxy = SipServer(read_required(settings, "reg.1.outboundProxy.address"), proxy_port, transport)
    return PhoneAccount(
        label=read_text(settings, "reg.1.label"),
        display_name=read_text(settings, "reg.1.displayName"),
        user_name=address,
        auth_name=read_text(settings, "reg.1.auth.userId", address),
        password=read_required(settings, "reg.1.auth.password"),
        server=SipServer(read_required(settings, "reg.1.server.1.address"), port, transport),
        expires_seconds=read_number(settings, "reg.1.server.1.expires", 3600),
        outbound_proxy=proxy,
        media_encryption=_read_media_encryption(settings),
    )


def _read_media_encryption(settings: Settings) -> MediaEncryption:
    def is_on(name: str, default: str) -> bool:
        return read_flag(settings, f"reg.1.srtp.{name}", default=read_text(settings, f"sec.srtp.{name}", default))

    if not is_on("enable", "1"):
        return MediaEncryption.OFF
    if is_on("require", "0"):
        return MediaEncryption.COMPULSORY
    return MediaEncryption.OPTIONAL if is_on("offer", "0") else MediaEncryption.OFF


def _read_certificates(settings: Settings) -> tuple[bytes, ...]:
    """The platform's own certificate, where the lists that provisioning and SIP are checked with hold it."""
    text = read_text(settings, "device.sec.TLS.customCaCert1", longest=_LONGEST_CERTIFICATE)
    if not text:
        return ()
    if "Platform1" not in read_text(settings, "device.sec.TLS.profile.caCertList1", "Builtin"):
        raise PhoneFileError("device.sec.TLS.customCaCert1 is in no list of device.sec.TLS.profile.caCertList1")
    for name in ("device.sec.TLS.profileSelection.provisioning", "sec.TLS.profileSelection.SIP"):
        if read_text(settings, name, "PlatformProfile1") != "PlatformProfile1":
            raise PhoneFileError(f"{name} chooses a profile without the served certificate")
    return (text.encode(),)


def _read_screen_keys(settings: Settings) -> tuple[ScreenKey, ...]:
    """Idle soft keys whose action is a URL."""
    if not read_flag(settings, "feature.enhancedFeatureKeys.enabled", default="0"):
        return ()
    keys = []
    for number in range(1, _SOFT_KEY_COUNT + 1):
        name = f"softkey.{number}"
        shown = read_flag(settings, f"{name}.enable", default="0") and read_flag(settings, f"{name}.use.idle", default="0")
        label = read_text(settings, f"{name}.label", longest=_LONGEST_LABEL)
        action = read_text(settings, f"{name}.action", longest=_LONGEST_ACTION)
        if shown and is_page(action):
            keys.append(ScreenKey(name, label, action))
    return tuple(keys)
