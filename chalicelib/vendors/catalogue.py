"""Every vendor and model that the gateway knows, read once from the vendors' folders, and who is asking for a file.

Adding a vendor is adding a folder (docs/add-a-vendor.md): nothing here names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import Mac, find_mac
from chalicelib.domain.overrides import OverrideRule, parse_rule
from chalicelib.vendors.certificates import macs_in_subject
from chalicelib.vendors.tables import BadVendor, read_tables

FOLDER = Path(__file__).parent
_MAC_IN_NAME = re.compile(r"(?<![0-9A-Fa-f])(?!0{8})([0-9A-Fa-f]{12})(?![0-9A-Fa-f])")  # y000000000066.cfg names no MAC
_NUMBER = re.compile(r"[0-9]{1,9}")
_LONGEST_USER_AGENT = 256
_folders: ContextVar[tuple[Path, ...]] = ContextVar("folders", default=(FOLDER,))


@dataclass(frozen=True)
class Model:
    """One model of a vendor, as models.toml describes it."""

    name: str
    family: str
    common: str  # stem of the file that all phones of the model share
    lines: int
    minimum_firmware: str
    approved_firmware: str
    ports: int = 1  # accounts for a user each: handsets of a base, sockets of an adapter
    bootstrap: str = ""  # the file that it asks for first, where that is not the last of vendor.toml
    minimum_by_line: dict[str, str] = field(default_factory=dict)  # where firmware of another first number has its own
    limits: str = ""  # what this model cannot do, with its source
    emergency_refusal: str = ""  # "sign in to make an emergency call" as far as the screen has room, in every language
    data: dict[str, Any] = field(default_factory=dict)  # what the vendor's templates need to know of the model

    def minimum_for(self, firmware: str) -> str:
        """The minimum in this firmware's own line: AudioCodes has 2.x and 3.x side by side for the same model."""
        return self.minimum_by_line.get(firmware.partition(".")[0], self.minimum_firmware)


@dataclass(frozen=True)
class ServedFile:
    """A file that the vendor's phones ask for under their own URL; `name` has `{mac}`, `{common}` or `{model}` in it."""

    name: str
    template: str = ""
    content_type: str = ""  # the vendor's, where it is empty
    carries_account: bool = False
    trust_anchor: bool = False


@dataclass(frozen=True)
class ScreenFormat:
    """How the vendor's phones read a screen. `refresh`: they obey an HTTP Refresh header."""

    template: str
    content_type: str
    longest: int  # bytes
    refresh: bool = False


@dataclass(frozen=True)
class NameRule:
    """What the vendor's phones take as the label and the display name of an account."""

    longest: int = 512  # characters
    without: str = ""  # characters that they refuse

    def fit(self, text: str) -> str:
        """The text without what is refused, cut to the length."""
        kept = text.translate(dict.fromkeys(map(ord, self.without), " "))
        return (" ".join(kept.split()) if kept != text else text)[: self.longest].strip()

    def label(self, name: str, number: str) -> str:
        """Name and number; where both are too long, the name is cut."""
        room = max(self.longest - len(number) - 1, 0)
        return self.fit(f"{self.fit(name)[:room].strip()} {number}")


@dataclass(frozen=True)
class Compatibility:
    """How firmware is compared: `line` compares its part number `part` alone, `version` all its numbers in order."""

    scheme: str
    part: int = 1


@dataclass(frozen=True)
class Vendor:
    """One vendor's folder."""

    folder: Path
    name: str
    label: str
    models: dict[str, Model]
    user_agents: tuple[re.Pattern[str], ...]
    model_names: tuple[tuple[re.Pattern[str], str], ...]
    ouis: frozenset[str]
    compatibility: Compatibility
    bootstrap: tuple[str, ...]
    bootstrap_template: str
    unchanged_template: str  # empty where a 404 leaves the vendor's phones as they are
    upgrade_template: str  # empty where a file cannot make the vendor's phones fetch firmware
    serve: tuple[ServedFile, ...]
    uploads: tuple[str, ...]  # patterns of the names that phones send, with `{mac}` in them
    content_type: str
    screen: ScreenFormat | None
    notify: dict[str, str]
    challenges_notify: bool
    languages: dict[str, str]
    time_zones: dict[str, str]
    names: NameRule = field(default_factory=NameRule)
    overrides: OverrideRule | None = None  # None: organisations set nothing of their own on these phones
    certificate: tuple[str, ...] = ("CN",)  # attributes of a client certificate's subject that hold the MAC
    ouis_complete: bool = True

    @property
    def longest_screen(self) -> int:
        """In bytes; 0 for phones without a browser."""
        return self.screen.longest if self.screen else 0

    def is_foreign(self, mac: str) -> bool:
        """Whether the MAC lies in none of the vendor's blocks, as far as they are known."""
        return self.ouis_complete and bool(self.ouis) and mac[:6] not in self.ouis

    def file_name(self, pattern: str, mac: str, model: str) -> str:
        """A name of vendor.toml for one phone."""
        known = self.models.get(model)
        return pattern.format(mac=mac, common=known.common if known else "", model=model)

    def is_bootstrap_file(self, file_name: str, mac: str, model: str = "") -> bool:
        """Whether stage 1 answers this file name, compared without case."""
        return any(file_name.lower() == self.file_name(pattern, mac, model).lower() for pattern in self.bootstrap)

    def find_file(self, file_name: str, mac: str, model: str) -> ServedFile | None:
        """The file of one phone with this name, compared without case; None for anybody else's."""
        wanted = file_name.lower()
        return next((file for file in self.serve if self.file_name(file.name, mac, model).lower() == wanted), None)

    def takes_upload(self, file_name: str, mac: str) -> bool:
        """Whether the vendor's phones send a file of this name, compared without case."""
        return any(re.fullmatch(pattern.replace("{mac}", mac), file_name.lower()) for pattern in self.uploads)

    def model_name(self, told: str) -> str:
        """The model as the list of compatible devices spells it: `VVX_450` is VVX450."""
        for pattern, spelling in self.model_names:
            if pattern.fullmatch(told):
                return pattern.sub(spelling, told)
        return told


@dataclass(frozen=True)
class Identity:
    """Who asks, as far as it is told. Unknown parts are None. `named` is each MAC that was told, by where it stood."""

    vendor: str
    model: str | None
    firmware: str | None
    mac: Mac | None
    named: tuple[tuple[str, Mac], ...] = field(default=(), compare=False)
    updater: bool = field(default=False, compare=False)  # `firmware` is that of a program beside the phone's own

    @property
    def disagrees(self) -> bool:
        """Whether the path, the User-Agent and the certificate name different phones."""
        return len({mac for _, mac in self.named}) > 1

    @property
    def certified(self) -> bool:
        """Whether a manufacturer's certificate names the MAC."""
        return not self.disagrees and any(place == "certificate" for place, _ in self.named)


@cache
def read_vendors(folders: tuple[Path, ...]) -> dict[str, Vendor]:
    """Every vendor by name, from folders that hold a folder for each. Raises BadVendor, which names file and key."""
    read: dict[str, Vendor] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*/vendor.toml"))):
        vendor = _read_vendor(path.parent)
        if vendor.name in read:
            raise BadVendor(f"{path}: name: there is a vendor {vendor.name} already")
        read[vendor.name] = vendor
    return read


def emergency_refusal(vendor_name: str, model_name: str) -> str:
    """What this model shows where it may not call for help; empty where the edge's own words fit, or nobody knows the model."""
    model = vendor(vendor_name).models.get(model_name)
    return model.emergency_refusal if model else ""


@contextmanager
def use_folders(*folders: Path) -> Iterator[dict[str, Vendor]]:
    """Vendors come from these folders until the block ends: for tests that bring a vendor of their own."""
    token = _folders.set(folders)
    try:
        yield vendors()
    finally:
        _folders.reset(token)


def vendors() -> dict[str, Vendor]:
    """Every vendor by name."""
    return read_vendors(_folders.get())


def vendor(name: str) -> Vendor:
    """One vendor; no other's folder is read for it. Raises KeyError for a name that no folder has."""
    return _find_vendor(_folders.get(), name)


def identify(user_agent: str, path: str = "", certificate_subject: str = "") -> Identity | None:
    """The phone behind a User-Agent (HTTP or SIP) and the path it asks for; None for no phone that is known here.

    The MAC address comes from both, and from the subject of a manufacturer's client certificate where there is one: where they
    name different ones it is None, so that such a request gets nothing.
    """
    named = _MAC_IN_NAME.search(path.rsplit("/", maxsplit=1)[-1])
    path_mac = find_mac(named.group(1)) if named else None
    for candidate in vendors().values():
        told = _told_by(candidate, user_agent)
        if told is not None:
            return _identity(candidate, told, path_mac, certificate_subject)
    return None


def told_firmware(vendor_name: str, user_agent: str) -> str | None:
    """The firmware in the User-Agent of a phone of this vendor; None where it tells none, or is none of the vendor's."""
    return (_told_by(vendor(vendor_name), user_agent) or {}).get("firmware")


def incompatible_reason(identity: Identity) -> str:
    """Why this phone is not onboarded, for its administrator; empty where it is compatible."""
    known = vendor(identity.vendor)
    model = known.models.get(identity.model or "")
    if model is None:
        return f"{known.label} {identity.model or 'phone of unknown model'} is not a compatible model"
    if identity.firmware is None:
        return f"{known.label} {model.name} does not tell its firmware; {model.minimum_firmware} or later is needed"
    minimum = model.minimum_for(identity.firmware)
    if _is_older(known.compatibility, identity.firmware, minimum):
        return f"Firmware {identity.firmware} is older than {minimum}; upgrade to {model.approved_firmware}"
    return ""


def _is_older(compatibility: Compatibility, firmware: str, minimum: str) -> bool:
    """Whether `firmware` comes before `minimum`. What cannot be read is older."""
    if compatibility.scheme == "line":
        parts = firmware.split(".")
        line = parts[compatibility.part - 1] if len(parts) >= compatibility.part else ""
        return not line.isdecimal() or int(line) < int(minimum)
    numbers = tuple(int(number) for number in _NUMBER.findall(firmware))
    return numbers < tuple(int(number) for number in _NUMBER.findall(minimum))


def _told_by(candidate: Vendor, user_agent: str) -> dict[str, str | None] | None:
    """What a User-Agent of the vendor's phones tells, by its groups; None for any other."""
    if len(user_agent) > _LONGEST_USER_AGENT:
        return None
    matches = (pattern.fullmatch(user_agent) for pattern in candidate.user_agents)
    return next((match.groupdict() for match in matches if match), None)


def _identity(known: Vendor, groups: dict[str, str | None], path_mac: Mac | None, subject: str) -> Identity:
    told_macs = [("user_agent", find_mac(groups.get("mac") or "")), ("path", path_mac)]
    told_macs += [("certificate", mac) for mac in macs_in_subject(subject, known.certificate)]
    named = tuple((place, mac) for place, mac in told_macs if mac)
    return Identity(
        vendor=known.name,
        model=known.model_name(told) if (told := groups.get("model")) else None,
        firmware=groups.get("firmware"),
        mac=named[0][1] if len({mac for _, mac in named}) == 1 else None,
        named=named,
        updater=bool(groups.get("updater")),
    )


@cache
def _find_vendor(folders: tuple[Path, ...], name: str) -> Vendor:
    found = next((folder / name for folder in folders if (folder / name / "vendor.toml").is_file()), None)
    if found is None:
        raise KeyError(name)
    return _read_vendor(found)


@cache
def _read_vendor(folder: Path) -> Vendor:
    data, models = read_tables(folder)
    files, identification = data["files"], data["identification"]
    return Vendor(
        folder=folder,
        name=data["name"],
        label=data["label"],
        models={name: Model(name=name, **model) for name, model in models.items()},
        user_agents=tuple(re.compile(pattern) for pattern in identification["user_agents"]),
        ouis=frozenset(identification["ouis"]),
        model_names=tuple((re.compile(told), spelling) for told, spelling in identification.get("model_names", ())),
        compatibility=Compatibility(**data["compatibility"]),
        bootstrap=tuple(files["bootstrap"]),
        bootstrap_template=files["bootstrap_template"],
        unchanged_template=files.get("unchanged_template", ""),
        upgrade_template=files.get("upgrade_template", ""),
        serve=tuple(ServedFile(**file) for file in files["serve"]),
        uploads=tuple(files.get("uploads", ())),
        content_type=files["content_type"],
        screen=ScreenFormat(**data["screens"]) if "screens" in data else None,
        notify=data["notify"],
        challenges_notify=data["challenges_notify"],
        languages=data["languages"],
        time_zones=data.get("time_zones", {}),
        names=NameRule(**data.get("names", {})),
        overrides=parse_rule(**data["overrides"]) if "overrides" in data else None,
        certificate=tuple(identification.get("certificate", ("CN",))),
        ouis_complete=identification.get("ouis_complete", True),
    )
