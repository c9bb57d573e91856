"""AudioCodes' configuration format, read strictly: `path/of/name=value`, one a line, and an error for anything doubtful."""

from __future__ import annotations

import re

from tests.unit.vendors.yealink_format import read_table

_SETTING = re.compile(r"([A-Za-z0-9_]+(?:/[A-Za-z0-9_]+)+)=(.*)")
_COMMENT = ";"
LONGEST_FILE = 64 * 1024  # the full export of a 405HD is 58 KiB


class NotAudioCodes(ValueError):
    """The text is not an AudioCodes configuration file; the message names the line."""


def parse_audiocodes(text: str) -> dict[str, str]:
    """The settings by name. Raises NotAudioCodes. A line ends where any reader might end it (U+2028, form feed, …)."""
    if len(text.encode()) > LONGEST_FILE:
        raise NotAudioCodes("too long")
    if not text.endswith("\n"):
        raise NotAudioCodes("the last line has no end")
    settings: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith(_COMMENT):
            continue
        found = _SETTING.fullmatch(line)
        if found is None:
            raise NotAudioCodes(f"not a setting: {line!r}")
        name, value = found.groups()
        if name in settings:
            raise NotAudioCodes(f"twice: {name}")
        if value != value.strip():
            raise NotAudioCodes(f"blanks around the value: {line!r}")
        settings[name] = value
    return settings


def wrong_settings(settings: dict[str, str]) -> dict[str, str]:
    """The settings that AudioCodes has no name for, or no such value, by audiocodes_parameters.tsv."""
    allowed = {row["name"]: re.compile(row["value"]) for row in read_table("audiocodes_parameters.tsv")}
    return {name: value for name, value in settings.items() if name not in allowed or not allowed[name].fullmatch(value)}
