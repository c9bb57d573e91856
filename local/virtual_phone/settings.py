"""Reads typed values out of the settings that were served, whatever the vendor's names are; an odd value names its setting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from local.virtual_phone.errors import PhoneFileError

T = TypeVar("T")

Settings = Mapping[str, tuple[str, ...]]  # a name's values; more than one only where a name may stand on several lines

_NUMBER = re.compile(r"[0-9]{1,9}")


def read_text(settings: Settings, name: str, default: str = "", *, longest: int = 0) -> str:
    """The value, or the factory's where none or an empty one was served. Raises PhoneFileError where it is too long."""
    values = settings.get(name, ())
    text = values[-1] or default if values else default
    if longest and len(text) > longest:
        raise PhoneFileError(f"{name} has {len(text)} characters; a device takes {longest}")
    return text


def read_required(settings: Settings, name: str) -> str:
    """The value. Raises PhoneFileError where there is none."""
    value = read_text(settings, name)
    if not value:
        raise PhoneFileError(f"{name} is missing or empty, but what was served needs it")
    return value


def read_number(settings: Settings, name: str, default: int) -> int:
    """A whole number. Raises PhoneFileError for anything else."""
    text = read_text(settings, name, str(default))
    if not _NUMBER.fullmatch(text):
        raise PhoneFileError(f"{name} is {text!r}; it must be a whole number")
    return int(text)


def read_flag(settings: Settings, name: str, *, default: str, words: tuple[str, str] = ("0", "1")) -> bool:
    """`words`: how the vendor spells no and yes."""
    return read_choice(settings, name, {words[0]: False, words[1]: True}, default)


def read_choice(settings: Settings, name: str, meanings: Mapping[str, T], default: str) -> T:
    """What the value means. Raises PhoneFileError for a value that is none of `meanings`."""
    text = read_text(settings, name, default)
    if text not in meanings:
        raise PhoneFileError(f"{name} is {text!r}; this phone knows {', '.join(meanings)}")
    return meanings[text]
