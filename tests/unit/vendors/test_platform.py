"""What a vendor's folder must hold: schema.json, the check of it, and the errors that name file and key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.port import MOST_PORTS
from chalicelib.vendors import catalogue
from chalicelib.vendors.catalogue import FOLDER, identify, read_vendors, told_firmware, vendors
from chalicelib.vendors.schema import KEYWORDS, find_problems, read_folder
from chalicelib.vendors.tables import COMPILED, BadVendor, compile_tables, read_tables
from tests.unit.vendors.yealink_format import read_table

SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
A_MODEL = {"family": "b", "common": "", "lines": 2, "minimum_firmware": "1.0", "approved_firmware": "1.1"}
NAMES_OF_KEYS = {"properties", "$defs"}  # what is in these is named by us


def keywords(schema: dict[str, Any]) -> Iterator[str]:
    for keyword, value in schema.items():
        yield keyword
        inner = value.values() if keyword in NAMES_OF_KEYS else [value]
        for item in inner:
            if isinstance(item, dict):
                yield from keywords(item)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of Yealink's folder, to break."""
    shutil.copytree(FOLDER / "yealink", tmp_path / "yealink")
    return tmp_path


def complaint(copy: Path, old: str, new: str, name: str = "vendor.toml") -> str:
    """What is said of the copy after a change to one of its files."""
    path = copy / "yealink" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadVendor) as caught:
        read_vendors((copy,))
    return str(caught.value)


@pytest.mark.parametrize("name", vendors())
def test_every_vendors_folder_fits_the_schema(name: str) -> None:
    vendor, models = read_folder(FOLDER / name)

    assert ([], []) == (find_problems("vendor", vendor), find_problems("models", models))


def test_every_folder_is_a_vendor() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/*.toml")} == set(vendors())


def test_the_check_knows_every_keyword_of_the_schema() -> None:
    assert set() == set(keywords(SCHEMA)) - KEYWORDS


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('label = "Yealink"\n', "", "yealink/vendor.toml: label: is missing"),
        ('label = "Yealink"', "label = 7", "yealink/vendor.toml: label: must be of type string"),
        ('label = "Yealink"', 'label = "Yealink"\ncolour = 1', "yealink/vendor.toml: colour: is not a key here; the keys are "),
        ('name = "yealink"', 'name = "acme"', "yealink/vendor.toml: name: must be yealink, as the folder is called"),
        (
            "challenges_notify = false",
            "challenges_notify = 0",
            "yealink/vendor.toml: challenges_notify: must be of type boolean",
        ),
        ('scheme = "line"', 'scheme = "guess"', "yealink/vendor.toml: compatibility.scheme: must be one of line, version"),
        ("part = 2", "part = 0", "yealink/vendor.toml: compatibility.part: must be at least 1"),
        ('"001565"', '"00:15:65"', "yealink/vendor.toml: identification.ouis[0]: must match "),
        (
            "user_agents = [",
            "user_agents = ['(', ",
            "yealink/vendor.toml: identification.user_agents[0]: is not a regular expr",
        ),
        ("{mac}.boot", "{serial}.boot", "yealink/vendor.toml: files.serve[0].name: must match "),
        (
            'template = "boot.cfg.j2"',
            'template = "x.j2"',
            "yealink/vendor.toml: files.serve[0].template: there is no templates/x",
        ),
        (", trust_anchor = true", "", "yealink/vendor.toml: files.serve[3]: needs either template or trust_anchor = true"),
        (", carries_account = true", "", "yealink/vendor.toml: files.serve: one file must say carries_account = true"),
        ('restart = "check-sync', '# restart = "check-sync', "yealink/vendor.toml: notify.restart: is missing"),
        ('en = "English"', "", "yealink/vendor.toml: languages.en: is missing"),
        ("[overrides]", "[overrides]\nmost = 3 #", "yealink/vendor.toml: overrides.most: is not a key here"),
        ("[files]", "[files", "yealink/vendor.toml: is not TOML: "),
    ],
)
def test_a_broken_folder_is_refused_by_file_and_key(copy: Path, old: str, new: str, expected: str) -> None:
    assert complaint(copy, old, new).startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[T29G]\nfamily", "[T29G]\nkin", "yealink/models.toml: T29G.family: is missing; T29G.kin: is not a key here"),
        ("[T29G]\n", "[T29G]\ndata = 3\n", "yealink/models.toml: T29G.data: must be of type object"),
        ("lines = 16", 'lines = "16"', "yealink/models.toml: "),
        ("lines = 16", "lines = true", "yealink/models.toml: "),
    ],
)
def test_broken_models_are_refused_by_file_and_key(copy: Path, old: str, new: str, expected: str) -> None:
    assert complaint(copy, old, new, "models.toml").startswith(expected)


def test_a_folder_without_models_is_refused(copy: Path) -> None:
    (copy / "yealink" / "models.toml").unlink()

    with pytest.raises(BadVendor, match=r"yealink/models\.toml: is missing"):
        read_vendors((copy,))


def test_two_folders_of_one_name_are_refused(copy: Path) -> None:
    with pytest.raises(BadVendor, match="there is a vendor yealink already"):
        read_vendors((FOLDER, copy))


def test_a_model_may_have_any_data(copy: Path) -> None:
    path = copy / "yealink" / "models.toml"
    text = path.read_text(encoding="utf-8").replace("[T29G]\n", "[T29G]\ndata = { a = 1.5, b = [true], c = 2026-01-01 }\n", 1)
    path.write_text(text, encoding="utf-8")

    assert 1.5 == read_vendors((copy,))["yealink"].models["T29G"].data["a"]


def test_no_model_has_more_ports_than_change_hands_in_one_save() -> None:
    ports = SCHEMA["$defs"]["models"]["additionalProperties"]["properties"]["ports"]

    assert MOST_PORTS == ports["maximum"]
    assert ["B100.ports: must be at most 16"] == find_problems("models", {"B100": {**A_MODEL, "ports": 17}})


def test_one_vendors_phone_is_known_without_reading_another() -> None:
    catalogue._find_vendor.cache_clear()
    catalogue._read_vendor.cache_clear()

    assert "Yealink" == catalogue.vendor("yealink").label
    assert 1 == catalogue._read_vendor.cache_info().currsize


@pytest.mark.parametrize("name", ["", "acme", "yealink/templates"])
def test_a_vendor_without_a_folder_is_not_known(name: str) -> None:
    with pytest.raises(KeyError):
        catalogue.vendor(name)


@pytest.mark.parametrize("table", ["user_agents", "cisco_user_agents", "poly_user_agents", "audiocodes_user_agents"])
def test_a_user_agent_tells_its_firmware_to_its_own_vendor_alone(table: str) -> None:
    for row in read_table(f"{table}.tsv"):
        found = identify(row["user_agent"])
        told = {name for name in vendors() if told_firmware(name, row["user_agent"])}

        assert found is not None
        assert (found.firmware, {found.vendor}) == (told_firmware(found.vendor, row["user_agent"]), told)


def test_what_the_packaging_makes_of_the_tables_is_what_they_say(copy: Path) -> None:
    from_toml = read_folder(copy / "yealink")
    compile_tables(copy)
    (copy / "yealink" / "models.toml").write_text("no TOML", encoding="utf-8")

    assert (copy / COMPILED / "yealink.json").is_file()
    assert from_toml == read_tables(copy / "yealink")


def test_the_packaging_makes_nothing_of_a_broken_table(copy: Path) -> None:
    (copy / "yealink" / "models.toml").write_text("no TOML", encoding="utf-8")
    with pytest.raises(BadVendor, match=r"yealink/models.toml: is not TOML"):
        compile_tables(copy)

    assert not (copy / COMPILED / "yealink.json").exists()
