from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.failures import Failure
from cli.offline import save_files
from cli.options import parse_mac
from tests.unit.cli.conftest import Sipgw

MAC = "805ec0123456"


@dataclass(frozen=True)
class File:
    name: str
    content_type: str
    body: str


def test_rendered_files_are_written_byte_for_byte_below_the_folder(tmp_path: Path) -> None:
    files = [File("805ec0123456.cfg", "text/plain", "a = 1\r\nb = ü\n"), File("/lang_de/ui.xml", "text/xml", "<x/>")]
    paths = save_files(files, tmp_path / "out")
    assert [tmp_path / "out" / "805ec0123456.cfg", tmp_path / "out" / "lang_de" / "ui.xml"] == paths
    assert "a = 1\r\nb = ü\n".encode() == paths[0].read_bytes()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "", "/"])
def test_no_file_is_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Failure):
        save_files([File(name, "text/plain", "x")], tmp_path / "out")
    assert [] == list(tmp_path.iterdir())


def test_render_takes_only_the_states_of_the_contract(sipgw: Sipgw) -> None:
    assert sipgw("render", "--vendor", "yealink", "--model", "T46U", "--state", "asleep").code == 2


def test_identify_prints_vendor_model_firmware_and_mac(sipgw: Sipgw) -> None:
    pytest.importorskip("chalicelib.vendors.catalogue")
    outcome = sipgw("identify", "Yealink SIP-T54W 96.86.0.100 80:5e:c0:00:e2:e2", "--json")
    assert {"vendor": "yealink", "model": "T54W", "firmware": "96.86.0.100", "mac": "805ec000e2e2"} == outcome.json


def test_identify_of_a_stranger_is_all_null(sipgw: Sipgw) -> None:
    pytest.importorskip("chalicelib.vendors.catalogue")
    outcome = sipgw("identify", "curl/8.0", "--json")
    assert {"vendor": None, "model": None, "firmware": None, "mac": None} == outcome.json


def test_render_of_an_unknown_model_is_a_usage_error(sipgw: Sipgw) -> None:
    pytest.importorskip("chalicelib.vendors.catalogue")
    assert sipgw("render", "--vendor", "yealink", "--model", "T0", "--state", "bootstrap").code == 2


def test_render_shows_a_base_with_the_ports_in_use(sipgw: Sipgw) -> None:
    base = ("render", "--vendor", "yealink", "--model", "W70B", "--state", "signed_in", "--json")
    enabled = [
        [line for line in file["body"].splitlines() if line.startswith("account.2.enable")]
        for outcome in (sipgw(*base), sipgw(*base, "--ports", "2"))
        for file in outcome.json
        if "account.1.enable" in file["body"]
    ]
    assert [["account.2.enable = 0"], ["account.2.enable = 1"]] == enabled


@pytest.mark.parametrize(
    ("model", "ports", "said"), [("W70B", "11", "A W70B has 10 ports."), ("T46S", "2", "no further ports")]
)
def test_render_of_more_ports_than_there_are_says_how_many_there_are(sipgw: Sipgw, model: str, ports: str, said: str) -> None:
    outcome = sipgw("render", "--vendor", "yealink", "--model", model, "--state", "enrolled", "--ports", ports)
    assert outcome.code == 2
    assert said in outcome.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [("80-5E-C0-12-34-56:002", "805ec0123456:002"), ("80:5e:c0:12:34:56:010", "805ec0123456:010"), ("805:ec0:123:456", MAC)],
)
def test_a_port_is_named_behind_its_mac(text: str, expected: str) -> None:
    assert expected == parse_mac(text)


def test_render_lists_the_languages_that_there_are(sipgw: Sipgw) -> None:
    outcome = sipgw("render", "--vendor", "yealink", "--model", "T46S", "--state", "signed_in", "--lang", "xx")

    assert (2, True) == (
        outcome.code,
        "'en', 'es', 'ja', 'de', 'fr', 'pt'" in " ".join(outcome.stderr.replace("│", "").split()),
    )
