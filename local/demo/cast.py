"""Who is in the demo: its users, one phone of each vendor with a desk to stand on, and what they all share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.demo.administrator import Administrator
from local.demo.browser import Computer
from local.demo.steps import Steps
from local.virtual_phone.audiocodes import AudioCodesDevice
from local.virtual_phone.cisco import CiscoDevice
from local.virtual_phone.device import Device
from local.virtual_phone.phone import Reaction, VirtualPhone
from local.virtual_phone.poly import PolyDevice
from local.virtual_phone.yealink import YealinkDevice


@dataclass(frozen=True)
class User:
    """Somebody of the development tenant (local/seed.py)."""

    first_name: str
    upn: str
    number: str


ANNA = User("Anna", "anna@example.com", "+4989123401")
BEN = User("Ben", "ben@example.com", "+4989123402")


@dataclass(frozen=True)
class Role:
    """A phone and what it is for. `dhcp_file` is what the vendor's URL in DHCP has behind the language.

    `on_restart`: what the vendor's documents promise of the gateway's restart command; a Poly or AudioCodes phone is only known
    to fetch its files anew.
    """

    vendor: str
    device: Device
    location: str
    user: User
    dhcp_file: str = ""
    on_restart: Reaction = Reaction.REFETCHED
    has_full_life: bool = False


ROLES = (
    Role("Yealink", YealinkDevice("805ec0123456"), "Reception", ANNA, on_restart=Reaction.RESTARTED, has_full_life=True),
    Role("Poly", PolyDevice("64167f123456"), "Anna's office", ANNA),
    Role("Cisco", CiscoDevice("00562b123456"), "Ben's office", BEN, "$PSN.xml", Reaction.RESTARTED),
    Role("AudioCodes", AudioCodesDevice("00908f123456"), "Workshop", ANNA),
)


@dataclass(frozen=True)
class Desk:
    """A role and the phone that plays it."""

    role: Role
    phone: VirtualPhone

    def __str__(self) -> str:
        return f"{self.role.vendor} {self.role.device.model}"

    @property
    def mac(self) -> str:
        return self.role.device.mac

    @property
    def user(self) -> User:
        return self.role.user


@dataclass(frozen=True)
class Cast:
    """Everybody else."""

    steps: Steps
    administrator: Administrator
    computer: Computer
    public_url: str
    trust: Path
