"""Every vendor and model that the gateway knows, read once from the vendors' folders, and who is asking for a file.

Adding a vendor is adding a folder: nothing here names one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.domain.identifiers import Mac, find_mac

FOLDER = Path(__file__).parent
_MAC_IN_NAME = re.compile(r"(?<![0-9A-Fa-f])([0-9A-Fa-f]{12})(?![0-9A-Fa-f])")
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


@dataclass(frozen=True)
class ServedFile:
    """A file that the vendor's phones ask for under their own URL; `name` has `{mac}` or `{common}` in it."""

    name: str
    template: str = ""
    carries_account: bool = False
    trust_anchor: bool = False


@dataclass(frozen=True)
class Vendor:
    """One vendor's folder."""

    name: str
    label: str
    models: dict[str, Model]
    user_agents: tuple[re.Pattern[str], ...]
    ouis: frozenset[str]
    firmware_part: int
    bootstrap: str
    serve: tuple[ServedFile, ...]
    content_type: str
    screen_template: str
    screen_content_type: str
    longest_screen: int
    notify: dict[str, str]
    challenges_notify: bool
    languages: dict[str, str]
    time_zones: dict[str, str]

    def is_bootstrap_file(self, file_name: str, mac: str) -> bool:
        """Whether stage 1 answers this file name, compared without case."""
        return file_name.lower() == self.bootstrap.format(mac=mac).lower()

    def find_file(self, file_name: str, mac: str, model: str) -> ServedFile | None:
        """The file of one phone with this name, compared without case; None for anybody else's."""
        common = self.models[model].common if model in self.models else ""
        wanted = file_name.lower()
        return next((file for file in self.serve if file.name.format(mac=mac, common=common).lower() == wanted), None)


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
            match = pattern.match(user_agent) if len(user_agent) <= _LONGEST_USER_AGENT else None
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
    parts = identity.firmware.split(".")
    line = parts[known.firmware_part - 1] if len(parts) >= known.firmware_part else ""
    if not line.isdecimal() or int(line) < int(model.minimum_firmware):
        return f"Firmware {identity.firmware} is older than {model.minimum_firmware}; upgrade to {model.approved_firmware}"
    return ""


def _identity(known: Vendor, groups: dict[str, str | None], path_mac: Mac | None) -> Identity:
    agent_mac = find_mac(groups.get("mac") or "")
    agrees = agent_mac is None or path_mac is None or agent_mac == path_mac
    return Identity(
        vendor=known.name,
        model=groups.get("model"),
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
        firmware_part=data["compatibility"]["firmware_part"],
        bootstrap=files["bootstrap"],
        serve=tuple(ServedFile(**file) for file in files["serve"]),
        content_type=files["content_type"],
        screen_template=data["screens"]["template"],
        screen_content_type=data["screens"]["content_type"],
        longest_screen=data["screens"]["longest"],
        notify=data["notify"],
        challenges_notify=data["challenges_notify"],
        languages=data["languages"],
        time_zones=data["time_zones"],
    )
