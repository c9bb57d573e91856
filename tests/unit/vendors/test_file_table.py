"""Which file names a phone is served: the table in vendor.toml."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.vendors.catalogue import vendor

YEALINK = vendor("yealink")
MAC = "805ec0123456"


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("805ec0123456.boot", "boot.cfg.j2"),
        ("805EC0123456.boot", "boot.cfg.j2"),
        ("y000000000066.cfg", "common.cfg.j2"),
        ("Y000000000066.CFG", "common.cfg.j2"),
        ("805ec0123456.cfg", "device.cfg.j2"),
        ("805EC0123456.CFG", "device.cfg.j2"),
        ("ca.pem", ""),
    ],
)
def test_a_phone_finds_its_own_files_in_any_case(name: str, template: str) -> None:
    file = YEALINK.find_file(name, MAC, "T46S")

    assert template == (file and file.template)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "805ec0999999.cfg",
        "805ec0999999.boot",
        "y000000000000.boot",
        "y000000000065.cfg",
        "y000000000066.boot",
        "805ec0123456",
        "805ec0123456.cfg ",
        "805ec0123456.cfg/",
        "../805ec0123456.cfg",
        "%2e%2e/805ec0123456.cfg",
        "805ec0123456.cfg\x00",
        "80:5e:c0:12:34:56.cfg",
        "{mac}.cfg",
        "{common}.cfg",
        "device.cfg.j2",
        "vendor.toml",
        "805ec0123456-local.cfg",
    ],
)
def test_a_foreign_file_is_none(name: str) -> None:
    assert YEALINK.find_file(name, MAC, "T46S") is None


@given(st.text(max_size=40))
def test_no_other_name_is_served(name: str) -> None:
    served = {f"{MAC}.boot", "y000000000066.cfg", f"{MAC}.cfg", "ca.pem"}

    assert (name.lower() in served) == (YEALINK.find_file(name, MAC, "T46S") is not None)


@pytest.mark.parametrize(
    ("model", "common"),
    [("T41S", "y000000000068"), ("T48U", "y000000000109"), ("T30P", "y000000000127"), ("W70B", "y000000000146")],
)
def test_the_common_file_is_the_models(model: str, common: str) -> None:
    served = [number for number in range(200) if YEALINK.find_file(f"y{number:012}.cfg", MAC, model)]

    assert [int(common[1:])] == served


def test_only_the_mac_file_carries_the_account() -> None:
    carriers = [file.name for file in YEALINK.serve if file.carries_account]

    assert ["{mac}.cfg"] == carriers


@pytest.mark.parametrize("name", ["805ec0123456.cfg", "805EC0123456.cfg", "805ec0123456.CFG"])
def test_stage_one_answers_the_mac_file(name: str) -> None:
    assert YEALINK.is_bootstrap_file(name, MAC)


@pytest.mark.parametrize("name", ["", "805ec0123456.boot", "y000000000066.cfg", "805ec0999999.cfg", "ca.pem", "{mac}.cfg"])
def test_stage_one_answers_nothing_else(name: str) -> None:
    assert not YEALINK.is_bootstrap_file(name, MAC)
