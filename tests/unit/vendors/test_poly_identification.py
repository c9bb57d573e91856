"""Who is asking with a Poly User-Agent, which models are known, and which file names they are served."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Mac
from chalicelib.vendors.catalogue import Identity, identify, incompatible_reason, vendor
from tests.unit.vendors.yealink_format import read_table

POLY = vendor("poly")
REAL = read_table("poly_user_agents.tsv")
MAC = "64167f123456"


@pytest.mark.parametrize("row", REAL, ids=lambda row: row["user_agent"])
def test_a_real_user_agent_is_identified(row: dict[str, str]) -> None:
    expected = Identity("poly", row["model"], row["firmware"], Mac(row["mac"]) if row["mac"] else None)

    assert expected == identify(row["user_agent"])


@pytest.mark.parametrize(("kind", "updater"), [("Application", False), ("Updater", True), ("Updaters", False)])
def test_only_the_updater_tells_a_version_that_is_not_the_firmwares(kind: str, updater: bool) -> None:  # noqa: FBT001 - the table's column
    found = identify(f"FileTransport PolycomVVX-VVX_450-UA/5.9.7.47435 (SN:{MAC}) Type/{kind}", "")

    assert updater == (found and found.updater)


@pytest.mark.parametrize("model", POLY.models)
@pytest.mark.parametrize("kind", ["Application", "Updater"])
def test_every_model_is_known_by_its_own_spelling(model: str, kind: str) -> None:
    told = model.replace(" ", "_") if " " in model else model.replace("VVX", "VVX_")
    found = identify(f"FileTransport PolycomVVX-{told}-UA/8.1.0.12774 (SN:{MAC}) Type/{kind}", "/lang_de/000000000000.cfg")

    assert Identity("poly", model, "8.1.0.12774", Mac(MAC)) == found


@pytest.mark.parametrize(
    ("user_agent", "model", "firmware", "mac"),
    [
        ("FileTransport PolycomVVX-VVX_601-UA/6.4.3.5814 (SN:64167F123456) Type/Application", "VVX601", "6.4.3.5814", MAC),
        ("FileTransport PolycomVVX-VVX_601-UA/6.4.3.5814 (SN:64:16:7f:12:34:56)", "VVX601", "6.4.3.5814", MAC),
        ("FileTransport PolyEdge-Edge_E550-UA/8.1.0.12774 (SN:64167f123456) Type/Updater", "Edge E550", "8.1.0.12774", MAC),
        ("FileTransport PolyCCX-CCX_600-UA/7.0.0.1000 Type/Application", "CCX600", "7.0.0.1000", None),
        ("FileTransport PolycomSoundStationIP-SSIP_6000-UA/4.0.13.1445", "SSIP6000", "4.0.13.1445", None),
        ("FileTransport PolyTrio-Trio_C60-UA/7.1.0.1000 Type/Application", "Trio C60", "7.1.0.1000", None),
        ("PolyEdge-Edge_E100-UA/8.2.0.3401_64167f123456", "Edge E100", "8.2.0.3401", MAC),
        ("PolycomVVX-VVX_1500-UA/5.9.7", "VVX1500", "5.9.7", None),
    ],
)
def test_every_form_that_phones_have_is_identified(user_agent: str, model: str, firmware: str, mac: str | None) -> None:
    assert Identity("poly", model, firmware, Mac(mac) if mac else None) == identify(user_agent)


def test_a_mac_that_the_user_agent_does_not_tell_is_read_from_the_path() -> None:
    found = identify("FileTransport PolycomVVX-VVX_450-UA/6.4.3.5814 Type/Application", f"/lang_ja/{MAC}.cfg")

    assert Mac(MAC) == (found and found.mac)


def test_a_path_that_contradicts_the_serial_number_leaves_no_mac() -> None:
    found = identify(f"FileTransport PolycomVVX-VVX_450-UA/6.4.3.5814 (SN:{MAC})", "/64167f999999.cfg")

    assert Identity("poly", "VVX450", "6.4.3.5814", None) == found


@pytest.mark.parametrize(
    "user_agent",
    [
        "FileTransport PolycomVVX-VVX_450-UA",
        "FileTransport PolycomVVX-VVX_450-UA/",
        "FileTransport PolycomVVX-VVX_450-UA/6",
        "FileTransport PolycomVVX-VVX_450-UA/6.4.3.5814 Type/",
        "FileTransport PolycomVVX-VVX_450-UA/6.4.3.5814 evil",
        "FileTransport PolycomVVX-VVX_450-UA/6.4.3.5814\n",
        "FileTransport PolycomVVX-VVX<b>-UA/6.4.3.5814",
        "FileTransport FoolycomVVX-VVX_450-UA/6.4.3.5814",
        " PolycomVVX-VVX_450-UA/6.4.3.5814",
        "PolycomVVX-VVX_450-UA/6.4.3.5814_64167f12345",
        "Mozilla/5.0 (compatible; Polycom)",
        "Poly",
    ],
)
def test_what_is_no_poly_phone_is_nobody(user_agent: str) -> None:
    assert identify(user_agent, f"/{MAC}.cfg") is None


@pytest.mark.parametrize("piece", ["A", "_A", "A_", "1.", "Poly", "Polycom/1.1 ", "-UA/", "(SN:", "0", "FileTransport "])
def test_no_user_agent_takes_long_to_refuse(piece: str) -> None:
    worst = f"FileTransport PolycomVVX-VVX{piece * 240}"[:255] + "!"
    started = time.process_time()
    for _ in range(100):
        identify(worst)

    assert 1.0 > time.process_time() - started


@given(st.text("FileTransport PolycomVVX-VVX_450-UA/6.4.3()SN:Type/", max_size=120))
def test_any_text_is_a_poly_phone_or_nobody(user_agent: str) -> None:
    found = identify(user_agent)

    assert found is None or "poly" == found.vendor


# --- models and compatibility --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", POLY.models)
def test_a_model_is_compatible_from_its_minimum_on(model: str) -> None:
    firmware = POLY.models[model].minimum_firmware

    assert "" == incompatible_reason(Identity("poly", model, f"{firmware}.1", None))


@pytest.mark.parametrize(
    ("model", "firmware", "expected"),
    [
        ("VVX450", "5.9.4.9999", "Firmware 5.9.4.9999 is older than 5.9.5; upgrade to 6.4.3.5814"),
        ("VVX500", "5.10.0.1", ""),
        ("Trio 8800", "5.9.5.3181", "Firmware 5.9.5.3181 is older than 5.9.5.3182; upgrade to 7.2.4.0185"),
        ("Edge E450", "8.0.9.20000", "Firmware 8.0.9.20000 is older than 8.1.0.12774; upgrade to 8.1.0.12774"),
        ("SPIP450", "5.9.5", "Poly SPIP450 is not a compatible model"),
        ("VVX101", "6.4.3.5814", "Poly VVX101 is not a compatible model"),
    ],
)
def test_the_reason_says_what_to_do(model: str, firmware: str, expected: str) -> None:
    assert expected == incompatible_reason(Identity("poly", model, firmware, None))


def test_every_desk_and_conference_phone_of_the_list_is_there() -> None:
    vvx = {f"VVX{number}" for number in (150, 201, 250, 301, 311, 350, 401, 411, 450, 501, 601, 300, 310, 400, 410, 500, 600)}
    edge = {f"Edge E{number}" for number in (100, 220, 300, 320, 350, 400, 450, 500, 550)}

    assert vvx | edge | {"Trio 8500", "Trio 8800"} == set(POLY.models)


# --- file names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "template"),
    [
        (f"{MAC}.cfg", "master.xml.j2"),
        (f"{MAC.upper()}.CFG", "master.xml.j2"),
        (f"{MAC}-user.cfg", "user.xml.j2"),
        (f"{MAC}-site.cfg", "site.xml.j2"),
    ],
)
def test_a_phone_finds_its_own_files_in_any_case(name: str, template: str) -> None:
    file = POLY.find_file(name, MAC, "VVX450")

    assert template == (file and file.template)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "000000000000.cfg",
        "64167f999999.cfg",
        f"{MAC}-phone.cfg",
        f"{MAC}-web.cfg",
        f"{MAC}-directory.xml",
        f"{MAC}-calls.xml",
        f"{MAC}-license.cfg",
        "000000000000-license.cfg",
        "000000000000-directory.xml",
        "sip.ld",
        "3111-44500-001.sip.ld",
        f"../{MAC}.cfg",
        f"{MAC}.cfg\x00",
        "[PHONE_MAC_ADDRESS]-user.cfg",
        "{mac}.cfg",
        "site.xml.j2",
    ],
)
def test_a_foreign_file_is_none(name: str) -> None:
    assert POLY.find_file(name, MAC, "VVX450") is None


@given(st.text(max_size=40))
def test_no_other_name_is_served(name: str) -> None:
    served = {f"{MAC}.cfg", f"{MAC}-user.cfg", f"{MAC}-site.cfg"}

    assert (name.lower() in served) == (POLY.find_file(name, MAC, "VVX450") is not None)


def test_only_the_user_file_carries_the_account() -> None:
    assert ["{mac}-user.cfg"] == [file.name for file in POLY.serve if file.carries_account]


@pytest.mark.parametrize("name", ["", f"{MAC}-user.cfg", "000000000000.cfg", "64167f999999.cfg", "{mac}.cfg"])
def test_stage_one_answers_the_master_file_alone(name: str) -> None:
    assert (True, False) == (POLY.is_bootstrap_file(f"{MAC}.cfg", MAC), POLY.is_bootstrap_file(name, MAC))


@pytest.mark.parametrize(
    "name",
    ["boot.log", "app.log", "now-boot.log", "now-app.log", "phone.cfg", "web.cfg", "directory.xml", "calls.xml"],
)
def test_a_phone_sends_its_logs_overrides_and_lists(name: str) -> None:
    assert (True, True, False) == (
        POLY.takes_upload(f"{MAC}-{name}", MAC),
        POLY.takes_upload(f"{MAC}-{name}".upper(), MAC),
        POLY.takes_upload(f"64167f999999-{name}", MAC),
    )


@pytest.mark.parametrize(
    "name", ["", f"{MAC}.cfg", f"{MAC}-user.cfg", f"{MAC}-site.cfg", f"{MAC}-applog", f"{MAC}-app.log.exe"]
)
def test_a_phone_sends_nothing_else(name: str) -> None:
    assert not POLY.takes_upload(name, MAC)
