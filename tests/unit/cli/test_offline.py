from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.failures import Failure
from cli.offline import save_files
from tests.unit.cli.conftest import Sipgw


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
