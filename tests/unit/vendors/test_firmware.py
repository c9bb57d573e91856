"""The file that has a phone with too old a firmware fetch another one: vendors/firmware.py."""

from __future__ import annotations

import re

import pytest

from chalicelib.vendors.catalogue import Identity, Model, Vendor, incompatible_reason, vendors
from chalicelib.vendors.firmware import firmware_folder, render_upgrade
from chalicelib.vendors.preview import preview_upgrade
from tests.unit.vendors.audiocodes_format import parse_audiocodes, wrong_settings
from tests.unit.vendors.cisco_format import allowed_values as cisco_values
from tests.unit.vendors.cisco_format import parse_cisco
from tests.unit.vendors.poly_format import MasterFile, parse_master
from tests.unit.vendors.yealink_format import parse_yealink

MIRROR = "https://firmware.example/phones"
STAGE_ONE = "https://gateway.example/lang_de/"
MODELS = [(known, model) for known in vendors().values() for model in known.models.values()]


def upgrade_of(vendor: str, model: str) -> str:
    known = vendors()[vendor]
    file = render_upgrade(MIRROR, known, known.models[model], STAGE_ONE, "asked.cfg")
    assert file is not None
    return file.body


@pytest.mark.parametrize(("known", "model"), MODELS, ids=lambda item: item.name)
def test_every_model_is_sent_to_its_own_folder_and_told_nothing_more(known: Vendor, model: Model) -> None:
    named = set(re.findall(r"https://[^\s\"<]+", upgrade_of(known.name, model.name)))

    assert firmware_folder(MIRROR, known, model) in {url.rpartition("/")[0] + "/" for url in named}
    assert all(url == STAGE_ONE or url.startswith(firmware_folder(MIRROR, known, model)) for url in named)


@pytest.mark.parametrize(("known", "model"), MODELS, ids=lambda item: item.name)
def test_what_it_is_sent_to_is_onboarded_then(known: Vendor, model: Model) -> None:
    assert "" == incompatible_reason(Identity(known.name, model.name, model.approved_firmware, None))


def test_a_folder_is_named_without_blanks() -> None:
    known = vendors()["poly"]

    assert f"{MIRROR}/poly/Trio_8800/7.2.4.0185/" == firmware_folder(MIRROR, known, known.models["Trio 8800"])


@pytest.mark.parametrize("name", ["static.firmware.url", "firmware.url"])
def test_a_yealink_reads_the_name_of_its_time(name: str) -> None:
    settings = parse_yealink(upgrade_of("yealink", "T21P"))

    assert {"static.firmware.url", "firmware.url"} == set(settings)
    assert f"{MIRROR}/yealink/T21P/34.72.0.75/firmware.rom" == settings[name]


def test_a_poly_gets_a_master_file_without_configuration() -> None:
    text = upgrade_of("poly", "VVX450")

    assert MasterFile((), {}) == parse_master(text)
    assert f'APP_FILE_PATH="{MIRROR}/poly/VVX450/6.4.3.5814/sip.ld"' in text


@pytest.mark.parametrize(
    ("model", "file"), [("8841", "12-0-3MPP/firmware.loads"), ("ATA192-MPP", "11-2-2MPP0101-013/firmware.bin")]
)
def test_a_cisco_is_given_a_rule_and_may_follow_it(model: str, file: str) -> None:
    settings = parse_cisco(upgrade_of("cisco", model))

    assert {"Upgrade_Enable": "Yes", "Upgrade_Rule": f"{MIRROR}/cisco/{model}/{file}"} == settings
    assert all(cisco_values()[name].fullmatch(value) for name, value in settings.items())


def test_an_audiocodes_asks_where_it_asked_before() -> None:
    settings = parse_audiocodes(upgrade_of("audiocodes", "C450HD"))

    assert {} == wrong_settings(settings)
    assert {
        "provisioning/method": "STATIC",
        "provisioning/configuration/url": STAGE_ONE,
        "provisioning/firmware/url": f"{MIRROR}/audiocodes/C450HD/3.4.8.808/C450HD.img",
    } == settings


def test_without_a_mirror_there_is_no_file() -> None:
    known = vendors()["yealink"]

    assert render_upgrade("", known, known.models["T46S"], STAGE_ONE, "asked.cfg") is None


def test_the_golden_file_has_the_name_that_the_model_asks_for() -> None:
    names = [file.name for model in ("8841", "ATA192-MPP") for file in [preview_upgrade("cisco", model)] if file]

    assert ["8841-3PCC.xml", "00562b123456.cfg"] == names
