"""Which AudioCodes phone is asking, and whether it is compatible."""

from __future__ import annotations

import time

import pytest

from chalicelib.domain.identifiers import Mac
from chalicelib.vendors.catalogue import Identity, identify, incompatible_reason, vendor
from tests.unit.vendors.yealink_format import read_table

AUDIOCODES = vendor("audiocodes")
REAL = read_table("audiocodes_user_agents.tsv")
MAC = Mac("00908f3bbcba")


@pytest.mark.parametrize("row", REAL, ids=lambda row: row["user_agent"])
def test_a_real_user_agent_is_identified(row: dict[str, str]) -> None:
    expected = Identity("audiocodes", row["model"], row["firmware"], Mac(row["mac"]) if row["mac"] else None)

    assert expected == identify(row["user_agent"])


@pytest.mark.parametrize("model", AUDIOCODES.models)
@pytest.mark.parametrize(
    ("form", "mac"),
    [
        ("AUDC-IPPhone/{firmware} ({model}-Rev1; 00908F3BBCBA)", MAC),
        ("AUDC-IPPhone/{firmware} ({model};00:90:8f:3b:bc:ba)", MAC),
        ("AUDC-IPPhone/{firmware} ({model}-Rev0)", None),
        ("AUDC/{firmware} AUDC-IPPhone-{model}_UC_{firmware}/1", None),
        ("AUDC-IPPhone-{model}_UC_{firmware}/1.0.0000.0", None),
        ("AUDC-IPPhone-{model}_SIP_{firmware}", None),
        ("AUDC-IPPhone-{model}_{firmware}", None),
    ],
)
def test_every_compatible_model_is_identified_in_every_form(model: str, form: str, mac: Mac | None) -> None:
    firmware = AUDIOCODES.models[model].approved_firmware

    assert Identity("audiocodes", model, firmware, mac) == identify(form.format(model=model, firmware=firmware))


@pytest.mark.parametrize("path", [f"/{MAC}.cfg", "/lang_de/00908F3BBCBA.cfg", "/d/TOKEN/lang_de/00908f3bbcba.cfg"])
def test_the_path_names_the_mac_of_firmware_3(path: str) -> None:
    found = identify("AUDC/3.4.6.604 AUDC-IPPhone-C450HD_UC_3.4.6.604/1", path)

    assert MAC == (found and found.mac)


@pytest.mark.parametrize(
    "user_agent",
    [
        "AUDC",
        "AUDC/3.4.6.604",
        "AUDC-IPPhone",
        "AUDC-IPPhone/2.2.8.61",
        "AUDC-IPPhone/2.2.8.61 ()",
        "AUDC-IPPhone/2.2.8.61 (440HD; 00908F602A)",
        "AUDC-IPPhone/2.2.8.61 (440HD; 00908F602AAC) x",
        "AUDC-IPPhone/2.2.8.61 (440HD; 00908F602AAC)\n",
        " AUDC-IPPhone-445HD_UC_3.4.8/1.0",
        "AUDC-IPPhone-445HD<b>_UC_3.4.8/1.0",
        "AUDC-IPPhone-445HD_UC_/1.0",
        "Mozilla/5.0 AUDC-IPPhone-445HD_UC_3.4.8/1.0",
    ],
)
def test_what_is_no_phone_is_nobody(user_agent: str) -> None:
    assert identify(user_agent, f"/{MAC}.cfg") is None


@pytest.mark.parametrize("piece", ["A", "1.", "_", "A_", "UC_", "1_", " ", "00:", "; ", "AUDC-IPPhone-", "-Rev0"])
def test_no_user_agent_takes_long_to_refuse(piece: str) -> None:
    started = time.process_time()
    for head in ("AUDC-IPPhone/", "AUDC-IPPhone/1 (4", "AUDC/1 AUDC-IPPhone-", "AUDC-IPPhone-445HD_"):
        worst = f"{head}{piece * 240}"[:255] + "!"
        for _ in range(50):
            assert identify(worst) is None

    assert 1.0 > time.process_time() - started


@pytest.mark.parametrize(
    ("model", "firmware", "expected"),
    [
        ("405", "2.2.8", ""),
        ("405", "2.2.7.99", "Firmware 2.2.7.99 is older than 2.2.8; upgrade to 2.2.16.681"),
        ("405HD", "2.2.16.570", ""),
        ("405HD", "2.2.16.681", ""),
        ("405HD", "3.2.1", ""),
        ("405HD", "3.1.2.89", "Firmware 3.1.2.89 is older than 3.2.1; upgrade to 2.2.16.681"),
        ("420HD", "2.0.0_build_15", "Firmware 2.0.0_build_15 is older than 2.2.8; upgrade to 2.2.16.681"),
        ("445HD", "3.4.8", ""),
        ("445HD", "3.2.0.9", "Firmware 3.2.0.9 is older than 3.2.1; upgrade to 3.4.8.808"),
        ("445HD", "2.2.16.681", "Firmware 2.2.16.681 is older than 3.2.1; upgrade to 3.4.8.808"),
        ("C450HD", "0.0.0", "Firmware 0.0.0 is older than 3.2.1; upgrade to 3.4.8.808"),
        ("440HDG", "2.2.8.61", "AudioCodes 440HDG is not a compatible model"),
    ],
)
def test_firmware_is_compared_within_its_line(model: str, firmware: str, expected: str) -> None:
    assert expected == incompatible_reason(Identity("audiocodes", model, firmware, None))


def test_every_listed_model_is_known_with_its_firmware() -> None:
    listed = {row["model"]: (row["minimum"], row["approved"]) for row in read_table("audiocodes_models.tsv")}

    assert listed == {model.name: (model.minimum_firmware, model.approved_firmware) for model in AUDIOCODES.models.values()}
