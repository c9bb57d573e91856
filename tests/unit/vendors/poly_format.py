"""Poly's configuration format, read strictly: well-formed XML whose attributes are the parameters, each at most once."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from tests.unit.vendors.yealink_format import read_table

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
MASTER = "APPLICATION"
MASTER_ATTRIBUTES = {
    "APP_FILE_PATH",
    "CONFIG_FILES",
    "MISC_FILES",
    "LOG_FILE_DIRECTORY",
    "OVERRIDES_DIRECTORY",
    "CONTACTS_DIRECTORY",
    "LICENSE_DIRECTORY",
    "USER_PROFILES_DIRECTORY",
    "CALL_LISTS_DIRECTORY",
    "COREFILE_DIRECTORY",
}
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_-]+)+")
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY|\[CDATA)")


class NotPoly(ValueError):
    """The text is not a Poly configuration file; the message says why."""


@dataclass(frozen=True)
class MasterFile:
    """`config_files` in the order in which the phone asks; `parameters` stand in the master file itself."""

    config_files: tuple[str, ...]
    parameters: dict[str, str]


def parse_poly(text: str) -> dict[str, str]:
    """The parameters of a configuration file by name. Raises NotPoly."""
    root = _parse(text)
    if root.tag != "polycomConfig" or root.attrib:
        raise NotPoly(f"the root is {root.tag} with {list(root.attrib)}")
    return _parameters(root)


def parse_master(text: str) -> MasterFile:
    """The master file. Raises NotPoly."""
    root = _parse(text)
    if root.tag != MASTER or root.attrib.keys() != MASTER_ATTRIBUTES:
        raise NotPoly(f"the root is {root.tag} with {list(root.attrib)}")
    names = tuple(name.strip() for name in root.attrib["CONFIG_FILES"].split(",") if name.strip())
    root.attrib.clear()
    return MasterFile(names, _parameters(root))


def problems(parameters: dict[str, str]) -> dict[str, str]:
    """The parameters that Poly's lists do not have, or whose value is of the wrong type."""
    known = [(re.compile(row["name"]), re.compile(row["value"])) for row in read_table("poly_parameters.tsv")]
    wrong = {}
    for name, value in parameters.items():
        types = [type_ for pattern, type_ in known if pattern.fullmatch(name)]
        if len(types) != 1 or not types[0].fullmatch(value):
            wrong[name] = value
        if (
            name.startswith("device.")
            and name != "device.set"
            and not name.endswith(".set")
            and f"{name}.set" not in parameters
        ):
            wrong[name] = "no .set beside it"
    if any(name.startswith("device.") for name in parameters) and parameters.get("device.set") != "1":
        wrong["device.set"] = "missing"
    return wrong


def _parse(text: str) -> ET.Element:
    if not text.startswith(f"{DECLARATION}\n") or not text.endswith(">\n"):
        raise NotPoly("the first line is not the declaration, or the last line has no end")
    if _DOCTYPE.search(text):
        raise NotPoly("a document type, an entity or a CDATA section")
    try:
        return ET.fromstring(text.encode())  # noqa: S314 - our own document, without a document type
    except ET.ParseError as error:
        raise NotPoly(str(error)) from None


def _parameters(root: ET.Element) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for element in root.iter():
        if (element.text or "").strip() or (element.tail or "").strip():
            raise NotPoly(f"text in {element.tag}")
        for name, value in element.attrib.items():
            if name in parameters:
                raise NotPoly(f"twice: {name}")
            if not _PARAMETER.fullmatch(name):
                raise NotPoly(f"not a parameter: {name}")
            parameters[name] = value
    return parameters
