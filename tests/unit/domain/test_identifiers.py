"""MAC addresses, tenant ids, user names, numbers and languages as people write them: domain/identifiers.py."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.codec import Problem
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import (
    Language,
    Mac,
    base_mac,
    find_hardware_id,
    find_language,
    find_mac,
    is_port,
    parse_mac,
    parse_number,
    parse_tenant_id,
    parse_upn,
    port_mac,
    port_number,
)
from tests.unit.domain.samples import ANY_TEXT, MAC_DIGITS

MAC_SPELLINGS = [
    "805ec0123456",
    "805EC0123456",
    "80:5e:c0:12:34:56",
    "80-5E-C0-12-34-56",
    "805e.c012.3456",
    "80 5e c0 12 34 56",
    "  805ec0123456\r\n",
]
NO_MACS = ["", "805ec012345", "805ec01234567", "805ec012345g", "805ec0123456 805ec0123456", "８０５ec0123456", "٨٠5ec0123456"]
UPN_SPELLINGS = ["anna@example.com", "Anna@Example.COM", "  anna@example.com\n"]
NO_UPNS = [
    "",
    "anna",
    "@example.com",
    "anna@",
    "anna@@example.com",
    "anna berg@example.com",
    "anna@-example.com",
    "anna@example.com-",
    "<anna>@example.com",
    "anna;x@example.com",
    f"{'a' * 65}@example.com",
    f"anna@{'a' * 254}",
    "anna\x00@example.com",
    "anna\x7f@example.com",
]
NUMBER_SPELLINGS = ["+4989123401", "+49 89 1234-01", "+49 (89) 1234.01", "\t+4989123401 "]
NO_NUMBERS = [
    "",
    "+",
    "4989123401",
    "+0989123401",
    "+12345",
    "+1234567890123456",
    "+49a89123401",
    "+49٨٩123401",
    "++4989123401",
]


@pytest.mark.parametrize("text", MAC_SPELLINGS)
def test_a_mac_is_read_in_every_usual_spelling(text: str) -> None:
    assert "805ec0123456" == parse_mac(text)


@pytest.mark.parametrize("text", NO_MACS)
def test_text_that_is_no_mac_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_mac(text)


@pytest.mark.parametrize("text", NO_MACS)
def test_no_mac_is_found_where_there_is_none(text: str) -> None:
    assert find_mac(text) is None


def test_a_refused_mac_names_its_field() -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_mac("printer", "/rows/3/mac")

    detail = "must be a MAC address of 12 hex digits, such as 80:5e:c0:12:34:56; a port, counted from 001, may follow: :002"
    assert (Problem("/rows/3/mac", detail),) == refusal.value.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80-5E-C0-12-34-56:002", "805ec0123456:002"),
        ("805ec0123456:030", "805ec0123456:030"),
        (" 805e.c012.3456:117 ", "805ec0123456:117"),
        ("80:5e:c0:12:34:56:002", "805ec0123456:002"),
        ("80-5E-C0-12-34-56:001", "805ec0123456"),
        ("80:5e:c0:12:34:56", "805ec0123456"),
        ("805:ec0:123:456", "805ec0123456"),
        ("805ec0123456:000", None),
        ("805ec0123456:2", None),
        ("805ec0123456:0002", None),
        ("805ec0123456:00x", None),
        ("805ec012345:002", None),
        (":002", None),
    ],
)
def test_a_port_stands_behind_a_mac(text: str, expected: str | None) -> None:
    assert expected == find_hardware_id(text)


@given(MAC_DIGITS, st.integers(1, 999))
def test_a_port_is_read_as_it_is_written(digits: str, number: int) -> None:
    mac = port_mac(Mac(digits), number)

    assert (mac, digits, number, number > 1) == (parse_mac(mac), base_mac(mac), port_number(mac), is_port(mac))


def test_a_refused_mac_is_quoted_in_part_only() -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_mac("x" * 10_000)

    assert f"'{'x' * 40}' is not a MAC address." == refusal.value.detail


@given(MAC_DIGITS, st.sampled_from(["", ":", "-", " ", "."]), st.booleans())
def test_the_same_mac_is_read_with_every_separator_and_case(digits: str, separator: str, upper: bool) -> None:  # noqa: FBT001
    spelled = separator.join(digits[index : index + 2] for index in range(0, 12, 2))

    assert digits == find_mac(spelled.upper() if upper else spelled)


def test_a_tenant_id_is_read_in_lower_case() -> None:
    assert "d0000000-0000-4000-8000-00000000abcd" == parse_tenant_id("D0000000-0000-4000-8000-00000000ABCD")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d0000000000040008000000000000001",
        "{d0000000-0000-4000-8000-000000000001}",
        "urn:uuid:d0000000-0000-4000-8000-000000000001",
        " d0000000-0000-4000-8000-000000000001",
        "d0000000-0000-4000-8000-00000000000g",
        "d0000000-0000-4000-8000-0000000_0001",
    ],
)
def test_a_tenant_id_in_another_form_is_none(text: str) -> None:
    assert parse_tenant_id(text) is None


@given(st.uuids())
def test_every_guid_is_a_tenant_id(guid: object) -> None:
    assert str(guid) == parse_tenant_id(str(guid).upper())


@pytest.mark.parametrize("text", UPN_SPELLINGS)
def test_a_user_name_is_read_without_case_and_blanks(text: str) -> None:
    assert "anna@example.com" == parse_upn(text)


def test_a_guest_user_name_is_a_user_name() -> None:
    assert "anna_fabrikam.com#ext#@example.com" == parse_upn("anna_fabrikam.com#EXT#@example.com")


@pytest.mark.parametrize("text", NO_UPNS)
def test_text_that_is_no_user_name_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_upn(text)


@pytest.mark.parametrize("text", NUMBER_SPELLINGS)
def test_a_number_is_read_in_every_usual_spelling(text: str) -> None:
    assert "+4989123401" == parse_number(text)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_text_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_number(text)


@given(st.from_regex(r"\+[1-9][0-9]{5,14}", fullmatch=True))
def test_an_e164_number_is_read_as_it_stands(number: str) -> None:
    assert number == parse_number(number)


@pytest.mark.parametrize("parse", [parse_mac, parse_upn, parse_number])
@given(text=ANY_TEXT)
def test_a_parser_gives_a_value_that_it_reads_again_or_a_bad_request(parse: object, text: str) -> None:
    assert callable(parse)
    with suppress(BadRequest):
        value = parse(text)
        assert value == parse(value)


@given(ANY_TEXT)
def test_a_tenant_id_is_found_or_not_in_any_text(text: str) -> None:
    assert parse_tenant_id(text) in {None, text.lower()}


@pytest.mark.parametrize("text", ["de", "DE", "lang_de", "LANG_DE", "de-AT", "lang_de-CH"])
def test_a_language_is_found_in_every_usual_spelling(text: str) -> None:
    assert find_language(text) is Language.DE


@pytest.mark.parametrize("text", [None, "", "xx", "german", "lang_", "d", "de_AT"])
def test_an_unknown_language_is_none(text: str | None) -> None:
    assert find_language(text) is None


@given(ANY_TEXT)
def test_any_text_names_one_language_or_none(text: str) -> None:
    assert find_language(text) in {None, *Language}
