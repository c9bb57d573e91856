"""Who is asking, by User-Agent and path, and whether it is compatible: vendors/catalogue.py."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Mac
from chalicelib.vendors.catalogue import Identity, identify, incompatible_reason, vendor, vendors
from tests.unit.vendors.yealink_format import read_table

REAL = read_table("user_agents.tsv")
T46S = "Yealink SIP-T46S 66.86.0.15"
MAC = "805ec0123456"


def spelled(row: dict[str, str]) -> str:
    return row["user_agent"]


@pytest.mark.parametrize("row", REAL, ids=spelled)
def test_a_real_user_agent_is_identified(row: dict[str, str]) -> None:
    expected = Identity("yealink", row["model"], row["firmware"], Mac(row["mac"]) if row["mac"] else None)

    assert expected == identify(row["user_agent"])


@pytest.mark.parametrize("row", [row for row in REAL if row["mac"]], ids=spelled)
def test_path_and_user_agent_may_name_the_same_mac(row: dict[str, str]) -> None:
    found = identify(row["user_agent"], f"/d/x/lang_de/{row['mac'].upper()}.cfg")

    assert row["mac"] == (found and found.mac)


@pytest.mark.parametrize(
    ("user_agent", "model", "firmware", "mac"),
    [
        ("yealink SIP-T28P 2.70.0.140 00:15:65:13:ae:0b", "T28P", "2.70.0.140", "00156513ae0b"),
        ("Yealink SIP-T38G  38.70.0.125 00:15:65:2f:c3:5e", "T38G", "38.70.0.125", "0015652fc35e"),
        ("Yealink SIP-T56A  58.83.0.15  805ec0123456", "T56A", "58.83.0.15", MAC),
        ("Yealink SIP VP-T49G 51.80.0.100 00:15:65:9b:5b:22", "T49G", "51.80.0.100", "0015659b5b22"),
        ("Yealink SIP-T21P_E2 52.84.0.15 80:5E:C0:12:34:56", "T21P_E2", "52.84.0.15", MAC),
        ("W52P 25.30.0.2 00:15:65:40:ae:35", "W52P", "25.30.0.2", "00156540ae35"),
        ("VP530P 23.70.0.40 00:15:65:31:4b:c0", "VP530P", "23.70.0.40", "001565314bc0"),
        ("Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0", "T46G", "28.71.0.81", None),
        ("Yealink T58 58.83.0.15", "T58", "58.83.0.15", None),
        ("Yealink SIP-T57W 96.86.5.1 80:5e:c0:12:34:56", "T57W", "96.86.5.1", MAC),
    ],
)
def test_every_form_that_phones_have_had_is_identified(user_agent: str, model: str, firmware: str, mac: str | None) -> None:
    assert Identity("yealink", model, firmware, Mac(mac) if mac else None) == identify(user_agent)


@pytest.mark.parametrize(
    "path",
    [
        "/805ec0123456.cfg",
        "/805EC0123456.cfg",
        "/805eC0123456.boot",
        "/lang_de/805ec0123456.cfg",
        "/d/TOKEN/lang_de/805ec0123456-local.cfg",
        "805ec0123456.cfg",
    ],
)
def test_a_mac_that_the_user_agent_does_not_tell_is_read_from_the_path(path: str) -> None:
    assert Identity("yealink", "T46S", "66.86.0.15", Mac(MAC)) == identify(T46S, path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/y000000000066.cfg",
        "/y000000000000.boot",
        "/000000000000.cfg",
        "/805ec0123456/other.cfg",
        "/805ec01234567.cfg",
        "/805ec012345.cfg",
    ],
)
def test_a_path_without_a_mac_names_none(path: str) -> None:
    assert Identity("yealink", "T46S", "66.86.0.15", None) == identify(T46S, path)


def test_the_common_file_does_not_hide_the_user_agents_mac() -> None:
    assert Mac(MAC) == (identify(f"{T46S} {MAC}", "/y000000000066.cfg") or Identity("", None, None, None)).mac


def test_a_path_that_contradicts_the_user_agent_leaves_no_mac() -> None:
    assert Identity("yealink", "T46S", "66.86.0.15", None) == identify(f"{T46S} {MAC}", "/805ec0999999.cfg")


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "curl/8.5.0",
        "Yealink",
        "Yealink SIP-T46S",
        "Yealink SIP-T46S 66.86",
        "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34",
        "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56:78",
        "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56 (evil)",
        "Yealink SIP-T46S 66.86.0.15\n",
        "Yealink SIP-T46S 66.86.0.15\r\nX-Header: 1",
        " Yealink SIP-T46S 66.86.0.15",
        "xYealink SIP-T46S 66.86.0.15",
        "YEALINK SIP-T46S 66.86.0.15",
        "Yealink SIP-T46S<b> 66.86.0.15",
        "VP530P 23.70.0.40",
    ],
)
def test_what_is_no_phone_is_nobody(user_agent: str) -> None:
    assert identify(user_agent, f"/{MAC}.cfg") is None


@pytest.mark.parametrize(
    "user_agent",
    [
        "Yealink SIP-" + "A" * 10_000,
        "Yealink SIP-T46S 66.86.0.15 " + "80:" * 3_400,
        "Yealink SIP-T46S " + "1." * 5_000,
        "Yealink" + " " * 10_000 + "x",
        "Yealink SIP-T46S" + " " * 10_000 + "66.86.0.15",
        T46S + " " * 10_000,
    ],
)
def test_ten_kilobytes_of_user_agent_are_nobody(user_agent: str) -> None:
    assert identify(user_agent) is None


@pytest.mark.parametrize("piece", ["A", " ", "1.", "80:", "SIP-", "SIP VP-", "1", "1.1.1.1 ", "0"])
def test_no_user_agent_takes_long_to_refuse(piece: str) -> None:
    worst = f"Yealink SIP-T46S {piece * 240}"[:255] + "!"
    path = "/" + (piece * 10_000)[:10_000]
    started = time.process_time()
    for _ in range(100):
        identify(worst, path)

    assert 1.0 > time.process_time() - started


@given(st.text(max_size=300) | st.text("Yealink SIP-T46S.:0123456789abcdef", max_size=80), st.text(max_size=80))
def test_any_text_is_a_phone_or_nobody(user_agent: str, path: str) -> None:
    found = identify(user_agent, path)

    assert found is None or found.vendor in vendors()


@given(st.sampled_from(REAL), st.text("0123456789abcdef", min_size=12, max_size=12))
def test_two_different_macs_are_never_believed(row: dict[str, str], other: str) -> None:
    found = identify(row["user_agent"], f"/{other}.cfg")

    assert (found and found.mac) in ({None, other} if other == row["mac"] or not row["mac"] else {None, row["mac"]})


# --- compatibility ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("firmware", ["66.83.0.35", "66.84.0.15", "66.86.5.1", "66.100.0.1"])
@pytest.mark.parametrize("model", ["T41S", "T42S", "T46S", "T48S"])
def test_a_listed_model_from_firmware_83_on_is_compatible(model: str, firmware: str) -> None:
    assert "" == incompatible_reason(Identity("yealink", model, firmware, None))


@pytest.mark.parametrize(
    ("model", "firmware", "expected"),
    [
        ("T46S", "66.82.0.30", "Firmware 66.82.0.30 is older than 83; upgrade to 66.86.5.1"),
        ("T46S", "66.9.0.1", "Firmware 66.9.0.1 is older than 83; upgrade to 66.86.5.1"),
        ("T46S", "66", "Firmware 66 is older than 83; upgrade to 66.86.5.1"),
        ("T46S", "66.x.0.1", "Firmware 66.x.0.1 is older than 83; upgrade to 66.86.5.1"),
        ("T46S", "", "Firmware  is older than 83; upgrade to 66.86.5.1"),
        ("T46S", None, "Yealink T46S does not tell its firmware; 83 or later is needed"),
        ("T19P_E2", "53.84.0.15", "Yealink T19P_E2 is not a compatible model"),
        (None, "66.86.5.1", "Yealink phone of unknown model is not a compatible model"),
    ],
)
def test_the_reason_says_what_to_do(model: str | None, firmware: str | None, expected: str) -> None:
    assert expected == incompatible_reason(Identity("yealink", model, firmware, None))


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_model_and_firmware_has_a_reason_or_none(model: str, firmware: str) -> None:
    assert isinstance(incompatible_reason(Identity("yealink", model, firmware, None)), str)


@pytest.mark.parametrize("name", vendors())
def test_every_approved_firmware_is_compatible(name: str) -> None:
    reasons = {
        incompatible_reason(Identity(name, model.name, model.approved_firmware, None)) for model in vendor(name).models.values()
    }

    assert {""} == reasons


def test_a_vendor_that_no_folder_has_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        vendor("nokia")
