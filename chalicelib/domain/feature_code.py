"""Feature codes: what a person dials to talk to the gateway."""

from __future__ import annotations

import re

from chalicelib.contracts.frozen import dataclass

_FEATURE_CODE = re.compile(r"\*([0-9]{2})(?:\*(\+?[0-9]{1,20})?)?#?")
DO_NOT_DISTURB = "30"
DISTURB = "31"
RESET_FORWARDING = "32"
FORWARD = "33"
FORWARD_ON_TIMEOUT = "34"
ALSO_RING = "35"
SIGN_IN = "50"
SIGN_OUT = "51"
ENROLL = "55"
VOICEMAIL = "99"
FOR_THE_USER = frozenset({DO_NOT_DISTURB, DISTURB, RESET_FORWARDING, FORWARD, FORWARD_ON_TIMEOUT, ALSO_RING, VOICEMAIL})


@dataclass(frozen=True)
class FeatureCode:
    """`*55*123456` has code `55` and argument `123456`."""

    code: str
    argument: str


def parse_feature_code(dialled: str) -> FeatureCode | None:
    """The feature code in what was dialled, or None where it is none."""
    found = _FEATURE_CODE.fullmatch(dialled)
    return FeatureCode(found.group(1), found.group(2) or "") if found else None
