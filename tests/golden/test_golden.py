"""The files of every model family, state and language, byte for byte. `make golden` rewrites them."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.preview import UnknownModel, preview
from tests.golden.write import read_all, render_all
from tests.unit.vendors.yealink_format import allowed_values, parse_yealink

RENDERED = render_all()
STORED = read_all()
YEALINK = [name for name in sorted(STORED) if name.startswith("yealink/") and not name.endswith(".pem")]


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_a_phone_gets_its_golden_file(name: str) -> None:
    assert STORED.get(name, b"").decode() == RENDERED[name].decode()


def test_no_golden_file_is_missing_or_left_over() -> None:
    assert set(STORED) == set(RENDERED)


def test_rendering_again_gives_the_same_bytes() -> None:
    assert RENDERED == render_all()


@pytest.mark.parametrize("name", YEALINK)
def test_a_yealink_phone_could_read_its_golden_file(name: str) -> None:
    allowed = allowed_values()
    settings = parse_yealink(STORED[name].decode())

    assert {} == {key: value for key, value in settings.items() if key not in allowed or not allowed[key].fullmatch(value)}


@pytest.mark.parametrize("name", YEALINK)
def test_a_golden_file_calls_made_up_hosts_only(name: str) -> None:
    hosts = set(re.findall(r"https?://([^/\s]+)", STORED[name].decode()))

    assert {"gateway.example"} >= hosts


@pytest.mark.parametrize(("vendor", "model"), [("nokia", "3310"), ("yealink", "T99"), ("", "")])
def test_what_no_folder_describes_cannot_be_previewed(vendor: str, model: str) -> None:
    with pytest.raises(UnknownModel, match="There are: "):
        preview(vendor, model, PhoneState.BOOTSTRAP, Language.EN)
