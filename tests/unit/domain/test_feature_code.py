"""What a person dials to talk to the gateway: domain/feature_code.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.feature_code import FeatureCode, parse_feature_code
from tests.unit.domain.samples import ANY_TEXT

TWO_DIGITS = st.text("0123456789", min_size=2, max_size=2)
ARGUMENTS = st.text("0123456789", max_size=20)


@pytest.mark.parametrize(
    ("dialled", "code", "argument"),
    [
        ("*55*123456", "55", "123456"),
        ("*55*123456#", "55", "123456"),
        ("*30*", "30", ""),
        ("*33*4989123401", "33", "4989123401"),
        ("*33*+4989123401", "33", "+4989123401"),
        ("*50", "50", ""),
        ("*99*", "99", ""),
    ],
)
def test_a_feature_code_has_a_code_and_an_argument(dialled: str, code: str, argument: str) -> None:
    assert FeatureCode(code, argument) == parse_feature_code(dialled)


@pytest.mark.parametrize(
    "dialled",
    ["", "112", "+4989123401", "55*123456", "*5*1", "*555*1", "*55*12a", "*55*1*2", "**55*1", "*55*1##", "*55*1\n"],
)
def test_what_is_no_feature_code_is_none(dialled: str) -> None:
    assert parse_feature_code(dialled) is None


@pytest.mark.parametrize("dialled", ["*55*١٢٣٤٥٦", "*５５*123456"])
def test_digits_of_other_scripts_are_no_feature_code(dialled: str) -> None:
    assert parse_feature_code(dialled) is None


@given(TWO_DIGITS, ARGUMENTS, st.sampled_from(["", "#"]))
def test_every_code_and_argument_comes_back(code: str, argument: str, end: str) -> None:
    assert FeatureCode(code, argument) == parse_feature_code(f"*{code}*{argument}{end}")


@given(st.text("0123456789", min_size=21, max_size=40))
def test_an_argument_over_twenty_digits_is_no_feature_code(argument: str) -> None:
    assert parse_feature_code(f"*33*{argument}") is None


@given(ANY_TEXT | st.text("*#0123456789", max_size=30))
def test_a_feature_code_is_what_was_dialled(dialled: str) -> None:
    found = parse_feature_code(dialled)

    assert found is None or f"*{found.code}*{found.argument}".rstrip("*") == dialled.removesuffix("#").rstrip("*")
