"""What differs by vendor: one Protocol, implemented once per vendor, and the words in which all of them answer.

A device says who it is, asks for its files in its firmware's order, reads them, and knows what they mean. It keeps nothing:
the flash is provisioning.py's, and power, keys and SIP are phone.py's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, TypeVar

from local.virtual_phone.account import PhoneAccount
from local.virtual_phone.errors import PhoneFileError
from local.virtual_phone.http_client import mask_url
from local.virtual_phone.screens import Screen
from local.virtual_phone.settings import Settings

T = TypeVar("T")

_MAC = re.compile(r"[0-9a-f]{12}")


class RestartRule(StrEnum):
    """What a NOTIFY that asks for the files does: restart as its parameter says, whatever it says, or never."""

    AS_ASKED = "as asked"
    ALWAYS = "always"
    NEVER = "never"


class Order(StrEnum):
    """What a NOTIFY is to the device."""

    NOTHING = "nothing"
    REFETCH = "refetch"
    RESTART = "restart"


@dataclass(frozen=True)
class ScreenKey:
    """A key that opens a screen."""

    name: str
    label: str
    url: str


@dataclass(frozen=True)
class DialKey:
    """A key that dials."""

    name: str
    label: str
    number: str


@dataclass(frozen=True)
class DeviceSettings:
    """All of a device's settings that the virtual phone acts on. Certificates come as URLs or, Poly's, as PEM."""

    account: PhoneAccount | None
    provisioning_url: str
    dhcp_decides: bool  # whether DHCP's URL goes before the stored one at power on
    language: str
    time_zone: str
    restart_rule: RestartRule = RestartRule.NEVER
    certificate_urls: tuple[str, ...] = ()
    certificates: tuple[bytes, ...] = ()
    screen_keys: tuple[ScreenKey, ...] = ()
    dial_keys: tuple[DialKey, ...] = ()


@dataclass(frozen=True)
class Served:
    """What one round of files said. `overwrite`: settings that are not served any more return to the factory's value."""

    settings: dict[str, tuple[str, ...]]
    overwrite: bool = False


class Fetch(Protocol):
    """One file: its content, or None for 404. With another program's User-Agent nothing is cached."""

    def __call__(self, url: str, *, user_agent: str = "") -> bytes | None: ...


class Device(Protocol):
    """One device of one vendor."""

    notify_events: ClassVar[tuple[str, ...]]  # the Event headers that it obeys
    lasting_prefix: ClassVar[str]  # settings that begin so outlive an overwriting round

    @property
    def mac(self) -> str:
        """12 lower-case hex digits."""

    @property
    def model(self) -> str:
        """As the list of compatible devices spells it."""

    @property
    def firmware(self) -> str: ...

    @property
    def http_user_agent(self) -> str:
        """Fresh from the factory."""

    @property
    def sip_user_agent(self) -> str: ...

    def http_user_agent_with(self, settings: Settings) -> str:
        """As what was served makes it."""

    def resolve_url(self, url: str) -> str:
        """A provisioning URL as it is asked: a folder with its slash, or a file with its macros filled in."""

    def account_url(self, url: str) -> str:
        """Where the file with the account is, for a provisioning URL."""

    def fetch_files(self, url: str, fetch: Fetch, *, booting: bool) -> Served | None:
        """Asks for one round of files in the firmware's order. None where nothing is there. Raises PhoneFileError."""

    def read_settings(self, settings: Settings) -> DeviceSettings:
        """What the device does with all it was served so far. Raises PhoneFileError that names the setting."""

    def parse_screen(self, content: bytes, *, content_type: str, url: str) -> Screen:
        """A served document. Raises ScreenError that says what the device would stumble over."""

    def obey(self, event: str, rule: RestartRule) -> Order:
        """What the Event header of a NOTIFY makes the device do."""


def check_mac(mac: str) -> None:
    """Raises ValueError unless these are 12 lower-case hex digits."""
    if not _MAC.fullmatch(mac):
        raise ValueError(f"the MAC {mac!r} must be 12 lower-case hex digits")


def as_folder(url: str) -> str:
    """The URL with its closing slash."""
    return url if url.endswith("/") else f"{url}/"


def parse_served(url: str, content: bytes, parse: Callable[[bytes], T]) -> T:
    """What `parse` makes of a served file; its refusal names the file."""
    try:
        return parse(content)
    except PhoneFileError as error:
        raise PhoneFileError(f"{mask_url(url)}: {error}") from None
