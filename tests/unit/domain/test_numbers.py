"""Telephone numbers as people dial them: domain/numbers.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.numbers import country_code_of, is_e164, read_number
from tests.unit.domain.samples import ANNA, ANY_TEXT, SOME_DIGITS

E164 = st.from_regex(r"\+[1-9][0-9]{5,14}", fullmatch=True)


@pytest.mark.parametrize(
    ("dialled", "own_number", "read"),
    [
        ("+4989123402", "", "+4989123402"),
        ("+49 (89) 123-402", "", "+4989123402"),
        ("+49/89.123402", "", "+4989123402"),
        ("089123402", "+4989123401", "+4989123402"),
        ("004989123402", "+4989123401", "+4989123402"),
        ("0012025550123", "+4989123401", "+12025550123"),
        ("116117", "+4989123401", "116117"),
        ("123402", "+4989123401", "123402"),  # the same town: which one, a mobile would not know
        ("089123402", "", "089123402"),
        ("2025550123", "+12025550100", "+12025550123"),
        ("12025550123", "+12025550100", "+12025550123"),
        ("0114989123402", "+12025550100", "+4989123402"),
        ("5550123", "+12025550100", "5550123"),
        ("911", "+12025550100", "911"),
        ("02079460000", "+442079460001", "+442079460000"),
        ("0142685301", "+33142685300", "+33142685301"),
        ("910123456", "+34910123455", "+34910123456"),
        ("210123456", "+351210123455", "+351210123456"),
        ("0612345678", "+390612345677", "+390612345678"),
        ("0312345678", "+81312345677", "+81312345678"),
        ("0104989123402", "+81312345677", "+4989123402"),
        ("0011 49 89 123402", "+61212345678", "+4989123402"),
        ("88005550123", "+74951234567", "88005550123"),  # a country whose plan is not known here
    ],
)
def test_a_number_is_read_as_e164_where_that_is_sure(dialled: str, own_number: str, read: str) -> None:
    assert read == read_number(dialled, own_number)


@pytest.mark.parametrize(
    "text", ["", "1", "12", "+", "+12", "+0123456", "+1234567890123456", "1234567890123456", "12a", "١١٢", "*33", "#"]
)
def test_what_is_no_number_is_empty(text: str) -> None:
    assert "" == read_number(text, ANNA.number)


@given(E164, E164 | st.just(""))
def test_an_e164_number_is_itself_whoever_dials_it(number: str, own_number: str) -> None:
    assert number == read_number(number, own_number)


@given(SOME_DIGITS | ANY_TEXT, E164 | st.just(""))
def test_what_is_read_is_read_again_as_the_same(text: str, own_number: str) -> None:
    read = read_number(text, own_number)

    assert read == "" or re.fullmatch(r"\+[1-9][0-9]{5,14}|[0-9]{3,15}", read)
    assert not is_e164(read) or read == read_number(read, own_number)


@given(st.sampled_from(["112", "110", "911", "999", "000", "119", "113", "144", "15", "17", "18"]), E164)
def test_no_plan_makes_a_telephone_number_of_an_emergency_number(number: str, own_number: str) -> None:
    assert read_number(number, own_number) in {number, ""}


@pytest.mark.parametrize(
    ("number", "code"), [("+4989123401", "49"), ("+12025550100", "1"), ("+351210123455", "351"), ("+352123456", "")]
)
def test_the_country_is_known_by_its_code(number: str, code: str) -> None:
    assert code == country_code_of(number)
