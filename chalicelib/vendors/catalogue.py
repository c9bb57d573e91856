"""Every vendor and model that the gateway knows, read once from the vendors' folders, and who is asking for a file.

Adding a vendor is adding a folder: nothing here names one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.domain.identifiers import Mac, find_mac

FOLDER = Path(__file__).parent
_MAC_IN_NAME = re.compile(r"(?<![0-9A-Fa-f])(?!0{8})([0-9A-Fa-f]{12})(?![0-9A-Fa-f])")  # y000000000066.cfg names no MAC
_NUMBER = re.compile(r"[0-9]{1,9}")
_LONGEST_USER_AGENT = 256


@dataclass(frozen=True)
class Model:
    """One model of a vendor, as models.toml describes it."""

    name: str
    family: str
    common: str  # stem of the file that all phones of the model share
    lines: int
    minimum_firmware: str
    approved_firmware: str
    minimum_by_line: dict[str, str] = field(default_factory=dict)  # where firmware of another first number has its own
    limits: str = ""  # what this model cannot do, with its source
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

    name: str
    label: str
    models: dict[str, Model]
    user_agents: tuple[re.Pattern[str], ...]
    model_names: tuple[tuple[re.Pattern[str], str], ...]
    ouis: frozenset[str]
    compatibility: Compatibility
    bootstrap: tuple[str, ...]
    bootstrap_template: str
    unchanged_template: str
    serve: tuple[ServedFile, ...]
    uploads: tuple[str, ...]  # patterns of the names that phones send, with `{mac}` in them
    content_type: str
    screen: ScreenFormat | None
    notify: dict[str, str]
    challenges_notify: bool
    languages: dict[str, str]
    time_zones: dict[str, str]
    names: NameRule = field(default_factory=NameRule)

    @property
    def longest_screen(self) -> int:
        """In bytes; 0 for phones without a browser."""
        return self.screen.longest if self.screen else 0

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
    """Who asks, as far as it is told. Unknown parts are None."""

    vendor: str
    model: str | None
    firmware: str | None
    mac: Mac | None


@cache
def vendors() -> dict[str, Vendor]:
    """Every vendor by name."""
    return {vendor.name: vendor for vendor in map(_read_vendor, sorted(FOLDER.glob("*/vendor.toml")))}


def vendor(name: str) -> Vendor:
    """One vendor. Raises KeyError for a name that no folder has."""
    return vendors()[name]


def identify(user_agent: str, path: str = "") -> Identity | None:
    """The phone behind a User-Agent (HTTP or SIP) and the path it asks for; None for no phone that is known here.

    The MAC address comes from both: where they name different ones it is None, so that such a request gets nothing.
    """
    named = _MAC_IN_NAME.search(path.rsplit("/", maxsplit=1)[-1])
    path_mac = find_mac(named.group(1)) if named else None
    for candidate in vendors().values():
        for pattern in candidate.user_agents:
            match = pattern.fullmatch(user_agent) if len(user_agent) <= _LONGEST_USER_AGENT else None
            if match:
                return _identity(candidate, match.groupdict(), path_mac)
    return None


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


def _identity(known: Vendor, groups: dict[str, str | None], path_mac: Mac | None) -> Identity:
    agent_mac = find_mac(groups.get("mac") or "")
    agrees = agent_mac is None or path_mac is None or agent_mac == path_mac
    return Identity(
        vendor=known.name,
        model=known.model_name(told) if (told := groups.get("model")) else None,
        firmware=groups.get("firmware"),
        mac=(agent_mac or path_mac) if agrees else None,
    )


def _read_vendor(path: Path) -> Vendor:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    models = tomllib.loads((path.parent / "models.toml").read_text(encoding="utf-8"))
    files: dict[str, Any] = data["files"]
    return Vendor(
        name=data["name"],
        label=data["label"],
        models={name: Model(name=name, **model) for name, model in models.items()},
        user_agents=tuple(re.compile(pattern) for pattern in data["identification"]["user_agents"]),
        ouis=frozenset(data["identification"]["ouis"]),
        model_names=tuple((re.compile(told), spelling) for told, spelling in data["identification"].get("model_names", ())),
        compatibility=Compatibility(**data["compatibility"]),
        bootstrap=tuple(files["bootstrap"]),
        bootstrap_template=files["bootstrap_template"],
        unchanged_template=files["unchanged_template"],
        serve=tuple(ServedFile(**file) for file in files["serve"]),
        uploads=tuple(files.get("uploads", ())),
        content_type=files["content_type"],
        screen=ScreenFormat(**data["screens"]) if "screens" in data else None,
        notify=data["notify"],
        challenges_notify=data["challenges_notify"],
        languages=data["languages"],
        time_zones=data.get("time_zones", {}),
        names=NameRule(**data.get("names", {})),
    )
