"""The files of every model family, state and language, byte for byte. `make golden` rewrites them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pytest

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.preview import UnknownModel, preview
from tests.golden.write import read_all, render_all
from tests.unit.vendors.yealink_format import allowed_values, parse_yealink

RENDERED = render_all()
STORED = read_all()
YEALINK = [name for name in sorted(STORED) if name.startswith("yealink/") and not name.endswith(".pem")]


def phones_of(names: Iterable[str]) -> list[str]:
    """`VENDOR/MODEL/STATE` of each name, once."""
    return sorted({"/".join(name.split("/")[:3]) for name in names})


def files_of(phone: str, files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items() if name.startswith(f"{phone}/")}


@pytest.mark.parametrize("phone", phones_of(RENDERED))
def test_a_phone_gets_its_golden_files(phone: str) -> None:
    assert files_of(phone, STORED) == files_of(phone, RENDERED)


def test_no_golden_file_is_missing_or_left_over() -> None:
    assert set(STORED) == set(RENDERED)


def test_rendering_again_gives_the_same_bytes() -> None:
    assert RENDERED == render_all()


@pytest.mark.parametrize("phone", phones_of(YEALINK))
def test_a_yealink_phone_could_read_its_golden_files(phone: str) -> None:
    allowed = allowed_values()
    files = [parse_yealink(STORED[name].decode()) for name in YEALINK if name.startswith(f"{phone}/")]
    settings = [pair for file in files for pair in file.items()]

    assert [] == [(key, value) for key, value in settings if key not in allowed or not allowed[key].fullmatch(value)]


def test_golden_files_call_made_up_hosts_only() -> None:
    hosts = {host for content in STORED.values() for host in re.findall(r"https://([^/\s\"<]+)", content.decode())}

    assert {"gateway.example"} == hosts


@pytest.mark.parametrize(("vendor", "model"), [("nokia", "3310"), ("yealink", "T99"), ("", "")])
def test_what_no_folder_describes_cannot_be_previewed(vendor: str, model: str) -> None:
    with pytest.raises(UnknownModel, match="There are: "):
        preview(vendor, model, PhoneState.BOOTSTRAP, Language.EN)
