"""Feature codes: what a person dials to talk to the gateway."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FEATURE_CODE = re.compile(r"\*([0-9]{2})(?:\*(\+?[0-9]{1,20})?)?#?")
ENROLL = "55"
SIGN_IN = "50"
SIGN_OUT = "51"


@dataclass(frozen=True)
class FeatureCode:
    """`*55*123456` has code `55` and argument `123456`."""

    code: str
    argument: str


def parse_feature_code(dialled: str) -> FeatureCode | None:
    """The feature code in what was dialled, or None where it is none."""
    found = _FEATURE_CODE.fullmatch(dialled)
    return FeatureCode(found.group(1), found.group(2) or "") if found else None
