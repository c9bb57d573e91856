"""Every setting comes from one environment, and a wrong one is named: chalicelib/settings.py."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from chalicelib.settings import BadSetting, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings() == Settings.from_environment({})


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_every_field_has_its_variable(item: object) -> None:
    name = str(getattr(item, "name", ""))
    samples = {
        "firmware_mirror_url": "http://mirror.example",
        "store": "dynamodb",
        "directory": "graph",
        "public_url": "https://gw.example",
        "people_url": "https://people.example",
        "registration_expiry_seconds": "60",
        "sip_port": "5071",
        "sip_second": "sip2.example:5071",
    }
    text = samples.get(name, "a value")

    assert text == str(getattr(Settings.from_environment({f"SIPGW_{name.upper()}": text}), name))


def test_a_url_loses_its_trailing_slash() -> None:
    assert "https://gw.example" == Settings.from_environment({"SIPGW_PUBLIC_URL": "https://gw.example//"}).public_url


def test_variables_of_others_are_left_alone() -> None:
    assert Settings() == Settings.from_environment({"PUBLIC_URL": "https://x", "sipgw_store": "dynamodb", "SIPGW_OTHER": "1"})


@pytest.mark.parametrize("seconds", ["60", "120", "300"])
def test_a_registration_lasts_60_to_300_seconds(seconds: str) -> None:
    settings = Settings.from_environment({"SIPGW_REGISTRATION_EXPIRY_SECONDS": seconds})

    assert int(seconds) == settings.registration_expiry_seconds


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SIPGW_STORE", "postgres"),
        ("SIPGW_STORE", ""),
        ("SIPGW_DIRECTORY", "ldap"),
        ("SIPGW_REGISTRATION_EXPIRY_SECONDS", "59"),
        ("SIPGW_REGISTRATION_EXPIRY_SECONDS", "301"),
        ("SIPGW_REGISTRATION_EXPIRY_SECONDS", "-120"),
        ("SIPGW_REGISTRATION_EXPIRY_SECONDS", "two minutes"),
        ("SIPGW_REGISTRATION_EXPIRY_SECONDS", ""),
        ("SIPGW_SIP_PORT", "5061/tcp"),
        ("SIPGW_SIP_SECOND", "sips:sip2.example"),
        ("SIPGW_SIP_SECOND", "sip2.example:0"),
        ("SIPGW_PUBLIC_URL", "http://gateway.example"),
        ("SIPGW_PUBLIC_URL", "gateway.example"),
        ("SIPGW_PUBLIC_URL", ""),
        ("SIPGW_FIRMWARE_MIRROR_URL", "mirror.example"),
        ("SIPGW_PEOPLE_URL", "http://people.example"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"^{variable} "):
        Settings.from_environment({variable: text})


def test_settings_stay_as_they_were_read() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().store = "dynamodb"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ("", 5061)), ("sip2.example", ("sip2.example", 5061)), ("sip2.example:5071", ("sip2.example", 5071))],
)
def test_the_second_sip_server_has_the_first_ones_port_where_it_names_none(text: str, expected: tuple[str, int]) -> None:
    assert expected == Settings(sip_second=text).second_sip_server
