"""Cisco phones by User-Agent, path and firmware: vendors/cisco/vendor.toml and models.toml."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Mac
from chalicelib.vendors.catalogue import Identity, identify, incompatible_reason, vendor
from tests.unit.vendors.cisco_format import read_cisco_table

REAL = read_cisco_table("cisco_user_agents.tsv")
CISCO = vendor("cisco")
MAC = "00562b123456"
UUIDS = "d4e6994b-60bc-4fba-a490-fe5f8e74ceea_dcf719f3-9350-4fba-a490-fe5f8e74ceea"


@pytest.mark.parametrize("row", REAL, ids=lambda row: row["user_agent"])
def test_a_real_user_agent_is_identified(row: dict[str, str]) -> None:
    expected = Identity("cisco", row["model"], row["firmware"], Mac(row["mac"]) if row["mac"] else None)

    assert expected == identify(row["user_agent"])


@pytest.mark.parametrize(
    ("user_agent", "model", "firmware", "mac"),
    [
        (f"Cisco-CP-7811-3PCC/11.1.1 ({MAC})", "7811", "11.1.1", MAC),
        (f"Cisco-CP-8832-3PCC/12.0.3 ({MAC.upper()})", "8832", "12.0.3", MAC),
        ("Cisco-CP-8861-3PCC/12.0.7 (00:56:2b:12:34:56)", "8861", "12.0.7", MAC),
        ("Cisco-CP-8861-3PCC/12.0.7 (FCH2140E0MJ)", "8861", "12.0.7", None),
        (f"Cisco-CP-8845-3PCC/11.3.7_MPP_0001 ({MAC})", "8845", "11.3.7", MAC),
        (f"Cisco-CP-8845-3PCC/11.3.1MPP0001-389 ({MAC})", "8845", "11.3.1", MAC),
        (f"Cisco-CP-8845-3PCC/11-2-3MSR1-1 ({MAC})", "8845", "11-2-3", MAC),
        (f"Cisco-CP-6821-3PCC/12.0.1(SR3) ({MAC})", "6821", "12.0.1", MAC),
        ("Cisco-CP-6871-3PCC/12.0.3", "6871", "12.0.3", None),
        (f"Cisco-CP-7861-3PCC/12.0.2_{MAC}_{UUIDS}", "7861", "12.0.2", MAC),
        (f"Cisco-CP-7861-3PCC/12.0.2_{MAC}", "7861", "12.0.2", MAC),
        (f"Cisco-CP-8851NR-3PCC/12.0.3 ({MAC})", "8851NR", "12.0.3", MAC),
        (f"Cisco/ATA192-12.0.1(SR3) ({MAC})", "ATA192-MPP", "12.0.1", MAC),
        ("Cisco/ATA192-MPP-11-2-2MPP0101-013 (FCH2443D9R4)", "ATA192-MPP", "11-2-2", None),
    ],
)
def test_every_form_that_phones_have_is_identified(user_agent: str, model: str, firmware: str, mac: str | None) -> None:
    assert Identity("cisco", model, firmware, Mac(mac) if mac else None) == identify(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "Cisco",
        "Cisco-CP-8841-3PCC",
        "Cisco-CP-8841-3PCC/",
        "Cisco-CP-8841/12.0.3",
        "Cisco-CP-8841-3PCC/x.0.3",
        "Cisco-CP-8841-3PCC/12.0.3 (evil) (evil)",
        "Cisco-CP-8841-3PCC/12.0.3 <b>",
        "Cisco-CP-8841-3PCC/12.0.3\n",
        "xCisco-CP-8841-3PCC/12.0.3",
        "Cisco-CP8841/9.3.1",
        "Cisco/SPA504G-7.6.2 (00562b123456)",
    ],
)
def test_what_is_no_multiplatform_phone_is_nobody(user_agent: str) -> None:
    assert identify(user_agent, f"/{MAC}.xml") is None


@pytest.mark.parametrize("path", ["/8841-3PCC.xml", "/lang_ja/8841-3PCC.xml", f"/d/x/lang_de/{MAC}.xml", f"/{MAC.upper()}.xml"])
def test_the_path_may_name_the_same_mac_or_none(path: str) -> None:
    assert Mac(MAC) == (identify(f"Cisco-CP-8841-3PCC/12.0.3 ({MAC})", path) or Identity("", None, None, None)).mac


def test_two_different_macs_are_not_believed() -> None:
    found = identify(f"Cisco-CP-8841-3PCC/12.0.3 ({MAC})", "/d/x/00562b999999.xml")

    assert Identity("cisco", "8841", "12.0.3", None) == found


@pytest.mark.parametrize("piece", ["1", "1.", "-1", "_", "a", "(", "_a", "00562b123456_", "A", " (", "00:", "MPP0001-"])
@pytest.mark.parametrize("head", ["Cisco-CP-8841-3PCC/12.0.3", "Cisco-CP-8841-3PCC/", "Cisco/ATA191-MPP-", "Cisco-CP-"])
def test_no_user_agent_takes_long_to_refuse(head: str, piece: str) -> None:
    worst = f"{head}{piece * 240}"[:255] + "!"
    started = time.process_time()
    for _ in range(50):
        identify(worst)

    assert 0.5 > time.process_time() - started


@given(
    st.text("Cisco-P/3ATA.:_() 0123456789abcdefMS", max_size=80) | st.sampled_from(REAL).map(lambda row: row["user_agent"][:-2])
)
def test_any_text_is_a_phone_or_nobody(user_agent: str) -> None:
    found = identify(user_agent)

    assert found is None or "cisco" == found.vendor


# --- models -------------------------------------------------------------------------------------------------------------


def test_every_listed_model_is_here_with_its_firmware() -> None:
    listed = {(row["model"], row["minimum"], row["approved"]) for row in read_cisco_table("cisco_models.tsv")}

    assert listed == {(model.name, model.minimum_firmware, model.approved_firmware) for model in CISCO.models.values()}


@pytest.mark.parametrize("model", [name for name, model in CISCO.models.items() if model.minimum_firmware == "11.1.1MPP"])
@pytest.mark.parametrize("firmware", ["11.1.1", "11-1-1", "11.3.7", "12.0", "12-0-3MPP", "12.0.7"])
def test_a_listed_phone_from_its_minimum_on_is_compatible(model: str, firmware: str) -> None:
    assert "" == incompatible_reason(Identity("cisco", model, firmware, None))


@pytest.mark.parametrize(
    ("model", "firmware", "expected"),
    [
        ("8841", "11.0", "Firmware 11.0 is older than 11.1.1MPP; upgrade to 12-0-3MPP"),
        ("8841", "11.1", "Firmware 11.1 is older than 11.1.1MPP; upgrade to 12-0-3MPP"),
        ("8832", "11.3.4", "Firmware 11.3.4 is older than 11.3.5MPP; upgrade to 12-0-3MPP"),
        ("ATA191-MPP", "11-1-0", "Firmware 11-1-0 is older than 11.2.2MPP; upgrade to 11-2-2MPP0101-013"),
        ("7832", "12.0.3", "Cisco 7832 is not a compatible model"),
        ("8851NR", "12.0.3", "Cisco 8851NR is not a compatible model"),
        ("8841", None, "Cisco 8841 does not tell its firmware; 11.1.1MPP or later is needed"),
    ],
)
def test_the_reason_says_what_to_do(model: str, firmware: str | None, expected: str) -> None:
    assert expected == incompatible_reason(Identity("cisco", model, firmware, None))


# --- file table ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["8841-3PCC.xml", "8841-3pcc.XML", "CP-8841-3PCC.xml", f"{MAC}.xml", f"{MAC.upper()}.xml"])
def test_stage_one_answers_the_product_name_and_the_mac(name: str) -> None:
    assert CISCO.is_bootstrap_file(name, MAC, "8841")


@pytest.mark.parametrize("name", ["", "8845-3PCC.xml", "$PSN.xml", "00562b999999.xml", f"{MAC}.txt", "ca.pem", "{common}.xml"])
def test_stage_one_answers_nothing_else(name: str) -> None:
    assert not CISCO.is_bootstrap_file(name, MAC, "8841")


@pytest.mark.parametrize("name", [f"{MAC}.xml", f"{MAC.upper()}.XML", "ca.pem"])
def test_a_phone_finds_its_own_files_in_any_case(name: str) -> None:
    assert CISCO.find_file(name, MAC, "8841") is not None


@given(
    st.text(max_size=40)
    | st.sampled_from(["8841-3PCC.xml", "00562b999999.xml", "device.xml.j2", "../ca.pem", "$MA.xml", ".xml"])
)
def test_no_other_name_is_served(name: str) -> None:
    assert (name.lower() in {f"{MAC}.xml", "ca.pem"}) == (CISCO.find_file(name, MAC, "8841") is not None)


def test_only_the_mac_file_carries_the_account() -> None:
    assert ["{mac}.xml"] == [file.name for file in CISCO.serve if file.carries_account]


@pytest.mark.parametrize(
    ("name", "taken"),
    [(f"prt-{MAC}.tar.gz", True), ("prt-00562b999999.tar.gz", False), (f"prt-{MAC}xtar.gz", False), (f"{MAC}.xml", False)],
)
def test_a_phone_sends_its_own_problem_report_only(name: str, taken: bool) -> None:  # noqa: FBT001 - the table's column
    assert taken == CISCO.takes_upload(name, MAC)
