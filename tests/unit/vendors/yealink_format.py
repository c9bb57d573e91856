"""Yealink's configuration format, read strictly: what a careful phone would take, and an error for anything doubtful."""

from __future__ import annotations

import csv
import re
from pathlib import Path

FIRST_LINE = "#!version:1.0.0.1"
_SETTING = re.compile(r"([a-z0-9_]+(?:\.[A-Za-z0-9_]+)*) = ?(.*)")
_INCLUDE = re.compile(r'include:config "[0-9a-z]+\.cfg"')


class NotYealink(ValueError):
    """The text is not a Yealink configuration file; the message names the line."""


def parse_yealink(text: str) -> dict[str, str]:
    """The settings by name. Raises NotYealink. A line ends where any reader might end it (U+2028, form feed, …)."""
    lines = text.splitlines()
    if not lines or lines[0] != FIRST_LINE:
        raise NotYealink(f"the first line is {lines[:1]}")
    if not text.endswith("\n"):
        raise NotYealink("the last line has no end")
    settings: dict[str, str] = {}
    for line in lines[1:]:
        if not line or line.startswith("#") or _INCLUDE.fullmatch(line):
            continue
        found = _SETTING.fullmatch(line)
        if found is None:
            raise NotYealink(f"not a setting: {line!r}")
        name, value = found.groups()
        if name in settings:
            raise NotYealink(f"twice: {name}")
        if value != value.strip():
            raise NotYealink(f"blanks around the value: {line!r}")
        settings[name] = value
    return settings


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a .tsv file beside this module, without its comments."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE))


def allowed_values() -> dict[str, re.Pattern[str]]:
    """The pattern of each parameter's value, by name; what is there of the first account or handset is there of each."""
    patterns = {row["name"]: re.compile(row["value"]) for row in read_table("yealink_parameters.tsv")}
    of_each = [name for name in patterns if name.startswith(("account.1.", "handset.1.", "voice_mail.number.1"))]
    return patterns | {name.replace(".1", f".{port}", 1): patterns[name] for name in of_each for port in range(2, 31)}
