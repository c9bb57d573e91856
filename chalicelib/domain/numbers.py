"""Telephone numbers as people dial them, read as E.164 where that is sure.

How a number is dialled inside a country is known for the countries below, by the number of the one who dials. Anything else,
such as a short number or one of another country's plan, stays as it was dialled: the trunk knows it, or says that it does not.
"""

from __future__ import annotations

import re

from chalicelib.contracts.frozen import dataclass

LONGEST_NUMBER = 15  # digits: ITU-T E.164 section 6
SHORTEST_NUMBER = 3
_SEPARATORS = re.compile(r"[\s().\-/]")
_E164 = re.compile(r"\+[1-9][0-9]{5,14}")
_AS_DIALLED = re.compile(rf"[0-9]{{{SHORTEST_NUMBER},{LONGEST_NUMBER}}}")


@dataclass(frozen=True)
class DiallingPlan:
    """`international` is dialled before a country code. `national` matches a whole national call; its group goes abroad too."""

    international: str
    national: str


# ITU-T Operational Bulletin annex "Dialling procedures" (E.164D) and the national plans that countries communicate under E.129.
_PLANS: dict[str, DiallingPlan] = {
    "1": DiallingPlan("011", r"1?([2-9][0-9]{2}[2-9][0-9]{6})"),  # North America
    "31": DiallingPlan("00", r"0([1-9][0-9]{8})"),
    "32": DiallingPlan("00", r"0([1-9][0-9]{7,8})"),
    "33": DiallingPlan("00", r"0([1-9][0-9]{8})"),
    "34": DiallingPlan("00", r"([5-9][0-9]{8})"),
    "351": DiallingPlan("00", r"([2-9][0-9]{8})"),
    "39": DiallingPlan("00", r"(0[0-9]{5,10}|3[0-9]{8,9})"),  # Italy keeps its nought
    "41": DiallingPlan("00", r"0([1-9][0-9]{8})"),
    "43": DiallingPlan("00", r"0([1-9][0-9]{3,12})"),
    "44": DiallingPlan("00", r"0([1-9][0-9]{8,9})"),
    "45": DiallingPlan("00", r"([2-9][0-9]{7})"),
    "46": DiallingPlan("00", r"0([1-9][0-9]{6,9})"),
    "47": DiallingPlan("00", r"([2-9][0-9]{7})"),
    "48": DiallingPlan("00", r"([1-9][0-9]{8})"),
    "49": DiallingPlan("00", r"0([1-9][0-9]{4,12})"),
    "61": DiallingPlan("0011", r"0([1-9][0-9]{8})"),
    "81": DiallingPlan("010", r"0([1-9][0-9]{8,9})"),
}
_LONGEST_COUNTRY_CODE = 3


def read_number(dialled: str, own_number: str = "") -> str:
    """As E.164 with its plus where that is sure, else its digits as dialled; empty where it is no number.

    `own_number` is that of whoever dials, E.164: it says by which country's plan.
    """
    text = _SEPARATORS.sub("", dialled)
    if text.startswith("+"):
        return text if _E164.fullmatch(text) else ""
    if not _AS_DIALLED.fullmatch(text) and not text.startswith("0"):
        return ""
    code = country_code_of(own_number)
    if code:
        plan = _PLANS[code]
        if text.startswith(plan.international) and _E164.fullmatch("+" + text.removeprefix(plan.international)):
            return "+" + text.removeprefix(plan.international)
        found = re.fullmatch(plan.national, text)
        if found and _E164.fullmatch(f"+{code}{found[1]}"):
            return f"+{code}{found[1]}"
    return text if _AS_DIALLED.fullmatch(text) else ""


def is_e164(number: str) -> bool:
    """Whether this is an E.164 number with its plus."""
    return _E164.fullmatch(number) is not None


def country_code_of(number: str) -> str:
    """The country code of an E.164 number whose dialling plan is known here, else empty."""
    if not is_e164(number):
        return ""
    codes = (number[1 : 1 + length] for length in range(1, _LONGEST_COUNTRY_CODE + 1))
    return next((code for code in codes if code in _PLANS), "")
