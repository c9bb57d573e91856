"""Writes the golden files: every file that a phone of each model family gets, in each state and language.

Run as `python tests/golden/write.py` (`make golden`), then read the diff as the phone would read it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.catalogue import Vendor, vendors
from chalicelib.vendors.preview import preview, preview_upgrade

FOLDER = Path(__file__).parent / "files"
WITH_PORTS = (("yealink", "W70B"), ("cisco", "ATA192-MPP"))


def representatives(vendor: Vendor) -> list[str]:
    """One model of each family: the first of those with the most lines."""
    models = vendor.models.values()
    families = dict.fromkeys(model.family for model in models)
    return [
        max((model for model in models if model.family == family), key=lambda model: model.lines).name for family in families
    ]


def render_all() -> dict[str, bytes]:
    """Every golden file by its path under `files/`: VENDOR/MODEL/STATE/LANGUAGE/NAME; with two ports in use, MODEL+2.

    STATE is `upgrade` where the firmware is too old.
    """
    rendered = {
        f"{vendor.name}/{model}/{state}/{language}/{file.name}": file.body.encode()
        for vendor in vendors().values()
        for model in representatives(vendor)
        for state in PhoneState
        for language in Language
        for file in preview(vendor.name, model, state, language)
    }
    upgrades = {
        f"{vendor.name}/{model}/upgrade/en/{file.name}": file.body.encode()
        for vendor in vendors().values()
        for model in representatives(vendor)
        for file in [preview_upgrade(vendor.name, model)]
        if file
    }
    return {**rendered, **upgrades} | {
        f"{vendor}/{model}+2/{state}/en/{file.name}": file.body.encode()
        for vendor, model in WITH_PORTS
        for state in (PhoneState.ENROLLED, PhoneState.SIGNED_IN)
        for file in preview(vendor, model, state, Language.EN, ports=2)
    }


def read_all() -> dict[str, bytes]:
    """The golden files as they are stored, by the same paths."""
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}


def write_all() -> int:
    """Replaces the stored files; how many there are now."""
    rendered = render_all()
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, body in rendered.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return len(rendered)


if __name__ == "__main__":
    sys.stdout.write(f"{write_all()} golden files in {FOLDER}\n")
