"""An organisation's own settings for its phones: what may be set beside what the gateway decides.

A map of names to values, of a tenant for each vendor and of one device. It is checked when it is given, and once more when a
file is made of it: a name that has become the gateway's since then is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from functools import cache
from typing import Annotated

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords

MOST_OVERRIDES = 50  # of one map
LONGEST_VALUE = 512  # characters; what a line of a phone's file holds (vendors/rendering.py)
LARGEST_MAP = 32 * 1024  # bytes of names and values: tenant, installation and device each stay one item of the store
_SHOWN = 80  # characters of a name in a problem
OverrideMap = Annotated[
    dict[
        Annotated[
            str, Keywords("The vendor's own name of a setting that the gateway does not decide.", format="phone-setting")
        ],
        Annotated[str, Keywords("One line without blanks around it.", format="phone-setting-value", max_length=LONGEST_VALUE)],
    ],
    Keywords("Settings of your own for phones, by name. They replace those given before.", max_properties=MOST_OVERRIDES),
]


@dataclass(frozen=True)
class OverrideRule:
    """What the names of a vendor's settings look like, and which of them the gateway decides."""

    name: re.Pattern[str]
    protected: tuple[str, ...]  # names with `*` for any text
    longest: int = 128

    def is_name(self, name: str) -> bool:
        """Whether it could be the name of a setting."""
        return len(name) <= self.longest and self.name.fullmatch(name) is not None

    def allows(self, name: str) -> bool:
        """Whether an organisation may set it."""
        return self.is_name(name) and not _any_of(self.protected).fullmatch(name)


def parse_rule(name: str, protected: Sequence[str], longest: int = 128) -> OverrideRule:
    """`name` is a regular expression; `protected` are names with `*` for any text, compared without case. Raises re.error."""
    return OverrideRule(re.compile(name), tuple(protected), longest)


def override_problems(values: Mapping[str, str], rule: OverrideRule | None, pointer: str) -> list[Problem]:
    """What is wrong with a map, each entry by its JSON Pointer below `pointer`; `rule` None: the vendor takes none."""
    if rule is None:
        return [Problem(pointer, "must be empty: phones of this vendor take no settings of your own")] if values else []
    if len(values) > MOST_OVERRIDES:
        return [Problem(pointer, f"must have at most {MOST_OVERRIDES} settings")]
    if sum(len(text.encode("utf-8", "replace")) for pair in values.items() for text in pair) > LARGEST_MAP:
        return [Problem(pointer, f"must have at most {LARGEST_MAP} bytes together")]
    found = ((name, _problem(name, value, rule)) for name, value in values.items())
    return [Problem(f"{pointer}/{_escape(name[:_SHOWN])}", problem) for name, problem in found if problem]


def merge_overrides(rule: OverrideRule | None, *layers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Names and values in order of the names; what a later layer says counts. Without what the rule does not allow."""
    merged: dict[str, str] = {}
    for layer in layers:
        merged |= layer
    return tuple((name, merged[name]) for name in sorted(merged) if rule is not None and rule.allows(name))


@cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Made for the first name that is checked: it costs more than the rest of a vendor's folder, and most phones have none."""
    alternatives = "|".join(translate(pattern) for pattern in patterns) or "(?!)"
    return re.compile(alternatives, re.IGNORECASE | re.ASCII)


def _problem(name: str, value: str, rule: OverrideRule) -> str:
    if not rule.is_name(name):
        return "is not the name of a setting of this vendor's phones"
    if not rule.allows(name):
        return "is decided by the gateway and cannot be set here"
    if len(value) > LONGEST_VALUE or not value.isprintable() or value != value.strip():
        return f"must be at most {LONGEST_VALUE} printable characters on one line, without blanks around them"
    return ""


def _escape(name: str) -> str:
    """RFC 6901 section 3."""
    return name.replace("~", "~0").replace("/", "~1")
