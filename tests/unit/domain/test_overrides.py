"""An organisation's own settings: what is taken, what is refused, which layer counts: domain/overrides.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.overrides import (
    LARGEST_MAP,
    LONGEST_VALUE,
    MOST_OVERRIDES,
    OverrideRule,
    merge_overrides,
    override_problems,
    parse_rule,
)
from chalicelib.vendors.catalogue import vendors

RULE = parse_rule(r"[a-z]+(?:[./][a-z0-9]+)+", ["account.*", "*password*"], longest=40)
ANY_TEXT = st.text(max_size=80)


def refused(values: dict[str, str], rule: OverrideRule | None = RULE) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.detail) for problem in override_problems(values, rule, "/overrides")]


def test_a_setting_of_the_vendors_is_taken() -> None:
    assert [] == refused({"features.bluetooth": "0", "ringtone.url": "https://example.com/a b.wav", "led.mode": ""})


@pytest.mark.parametrize("name", ["", "x", "Features.x", "features.x = 1", "features.x\n", "features..x", "a." + "b" * 39])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert [(f"/overrides/{name}", "is not the name of a setting of this vendor's phones")] == refused({name: "1"})


@pytest.mark.parametrize("name", ["account.1.label", "ftp.password", "ftp.password.hint"])
def test_what_the_gateway_decides_is_refused(name: str) -> None:
    assert [(f"/overrides/{name}", "is decided by the gateway and cannot be set here")] == refused({name: "1"})


def test_protection_does_not_depend_on_case() -> None:
    rule = parse_rule(r"[A-Za-z.]+", ["account.*"])

    assert not rule.allows("ACCOUNT.label")


@pytest.mark.parametrize("value", ["a\nb", "\x00", "\u2028", " a", "a ", "\u200b", "x" * (LONGEST_VALUE + 1)])
def test_a_value_is_one_printable_line(value: str) -> None:
    assert ["/overrides/a.b"] == [pointer for pointer, _ in refused({"a.b": value})]


def test_a_value_may_have_512_characters() -> None:
    assert [] == refused({"a.b": "x" * LONGEST_VALUE})


def test_fifty_settings_of_the_longest_are_taken() -> None:
    assert [] == refused({f"a.{number:038}": "x" * LONGEST_VALUE for number in range(MOST_OVERRIDES)})


def test_a_setting_too_many_is_refused_as_a_whole() -> None:
    values = {f"a.b{number}": "x" for number in range(MOST_OVERRIDES + 1)}

    assert [("/overrides", "must have at most 50 settings")] == refused(values)


def test_settings_that_are_too_large_together_are_refused_as_a_whole() -> None:
    values = {f"a.b{number}": "\U0001f600" * LONGEST_VALUE for number in range(20)}

    assert [("/overrides", f"must have at most {LARGEST_MAP} bytes together")] == refused(values)


def test_every_wrong_setting_is_named_at_once() -> None:
    found = refused({"account.1.label": "x", "a.b": "\n", "?": "", "c.d": "fine"})

    assert ["/overrides/account.1.label", "/overrides/a.b", "/overrides/?"] == [pointer for pointer, _ in found]


def test_a_pointer_is_escaped() -> None:
    assert ["/overrides/a~1password~0"] == [pointer for pointer, _ in refused({"a/password~": "x"})]


def test_a_vendor_without_a_rule_takes_none() -> None:
    assert [[], 1] == [refused({}, None), len(refused({"a.b": "1"}, None))]


def test_the_later_layer_counts() -> None:
    merged = merge_overrides(RULE, {"a.b": "tenant", "c.d": "tenant"}, {"c.d": "device", "e.f": "device"})

    assert (("a.b", "tenant"), ("c.d", "device"), ("e.f", "device")) == merged


def test_what_has_become_the_gateways_is_left_out() -> None:
    assert (("a.b", "1"),) == merge_overrides(RULE, {"account.1.label": "x", "a.b": "1"})


def test_without_a_rule_nothing_is_merged() -> None:
    assert () == merge_overrides(None, {"a.b": "1"})


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=5))
def test_what_is_taken_ends_in_one_clean_line(values: dict[str, str]) -> None:
    taken = {name: value for name, value in values.items() if not refused({name: value})}

    assert all(f"{name} = {value}".isprintable() and RULE.allows(name) for name, value in taken.items())


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_is_taken_or_refused_by_every_vendor(name: str, value: str) -> None:
    assert all(len(refused({name: value}, known.overrides)) in {0, 1} for known in vendors().values())
