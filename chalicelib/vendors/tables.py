"""The two tables of a vendor's folder: JSON where the packaging has checked them, else the TOML itself, checked here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COMPILED = "compiled"  # what the packaging has made of a folder's sources, beside them

Tables = tuple[dict[str, Any], dict[str, Any]]  # of vendor.toml and of models.toml


class BadVendor(ValueError):
    """A vendor's folder that cannot be used; the message names its file and the key."""


def read_tables(folder: Path) -> Tables:
    """Those of one vendor. Raises BadVendor."""
    compiled = _compiled(folder)
    if compiled.is_file():
        vendor, models = json.loads(compiled.read_text(encoding="utf-8"))
        return vendor, models
    from chalicelib.vendors.schema import read_folder  # noqa: PLC0415 - in the zip nothing is left to check

    return read_folder(folder)


def compile_tables(folder: Path) -> None:
    """For the packaging: those of every vendor in `folder`. Raises BadVendor."""
    tables = {vendor.parent: read_tables(vendor.parent) for vendor in sorted(folder.glob("*/vendor.toml"))}
    (folder / COMPILED).mkdir(exist_ok=True)
    for vendor, read in tables.items():
        _compiled(vendor).write_text(json.dumps(read, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _compiled(folder: Path) -> Path:
    return folder.parent / COMPILED / f"{folder.name}.json"
