"""Cisco's flat-profile format, read strictly: what a careful phone would take, and an error for anything doubtful."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from pathlib import Path

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
NESTED = "router-configuration"  # of adapters: parts within parts, without ua
_LINE = re.compile(r"_([2-9]|1[0-6])_$")


class NotCisco(ValueError):
    """The text is not a flat-profile; the message names the element."""


def parse_cisco(text: str) -> dict[str, str]:
    """The parameters by name, or by path where they are nested. Raises NotCisco."""
    if text.splitlines()[:1] != [DECLARATION] or not text.endswith("\n"):
        raise NotCisco(f"no declaration or no last line end: {text[:40]!r}")
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 - our own document
    except ET.ParseError as problem:
        raise NotCisco(str(problem)) from None
    if root.tag != "flat-profile" or root.attrib or (root.text or "").strip():
        raise NotCisco(f"not a flat-profile: {root.tag} {root.attrib}")
    parameters: dict[str, str] = {}
    for element in root:
        found = _nested(element, element.tag) if element.tag == NESTED else [(element.tag, _value(element, {"ua": "na"}))]
        for name, value in found:
            if name in parameters:
                raise NotCisco(f"twice: {name}")
            parameters[name] = value
    return parameters


def allowed_values() -> dict[str, re.Pattern[str]]:
    """The pattern of each parameter's value, by name."""
    return {row["name"]: re.compile(row["value"]) for row in read_cisco_table("cisco_parameters.tsv")}


def find_pattern(name: str, allowed: dict[str, re.Pattern[str]]) -> re.Pattern[str] | None:
    """The pattern for this parameter, whichever line it is of; None for a name that nothing documents."""
    return allowed.get(name) or allowed.get(re.sub(r"_\d+_$", "_N_", name))


def without_further_lines(parameters: dict[str, str]) -> dict[str, str]:
    """What models with different numbers of lines have in common."""
    return {name: value for name, value in parameters.items() if not _LINE.search(name)}


def read_cisco_table(name: str) -> list[dict[str, str]]:
    """The rows of a .tsv file beside this module, without its comments."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE))


def _nested(element: ET.Element, path: str) -> list[tuple[str, str]]:
    if not len(element):
        return [(path, _value(element, {}))]
    if element.attrib or (element.text or "").strip() or (element.tail or "").strip():
        raise NotCisco(f"attributes or text beside the parts: {path}")
    return [pair for part in element for pair in _nested(part, f"{path}/{part.tag}")]


def _value(element: ET.Element, attributes: dict[str, str]) -> str:
    value = element.text or ""
    if element.attrib != attributes or len(element) or (element.tail or "").strip():
        raise NotCisco(f"attributes, children or text beside it: {element.tag}")
    if value != value.strip() or len(value.splitlines()) > 1:
        raise NotCisco(f"blanks or lines in the value: {element.tag} {value!r}")
    return value
