"""Templates to text, with escaping by construction: no value can add a setting, an element or a line.

Two kinds: configuration files, where a value becomes one clean line; and XML, where it is escaped (templates.py).
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.vendors.catalogue import vendor as vendor_of

LONGEST_VALUE = 512
_NOT_ON_ONE_LINE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}  # controls, formats, line and paragraph separators, no text


def clean(value: object) -> str:
    """One line of printable text, blanks trimmed, at most 512 characters."""
    text = "".join(" " if unicodedata.category(letter) in _NOT_ON_ONE_LINE else letter for letter in str(value))
    return text.strip()[:LONGEST_VALUE].rstrip()


def render(vendor: str, template: str, **values: Any) -> str:
    """A document from the vendor's folder: XML where the template's name says so (`.xml.j2`), else lines of settings."""
    from chalicelib.vendors.templates import vendor_environment  # noqa: PLC0415 - Jinja2 is loaded by the first file

    environment = vendor_environment(vendor_of(vendor).folder.parent, xml=is_xml(template))
    return environment.get_template(f"{vendor}/templates/{template}").render(**values)


def is_xml(template: str) -> bool:
    """Whether the template's name says that it makes XML."""
    return template.endswith(".xml.j2")


def choose_template(vendor: str, template: str, family: str, model: str) -> str:
    """The most particular template that the folder has: the model's, the family's, or the vendor's own."""
    return _most_particular(vendor_of(vendor).folder / "templates", template, family, model)


@cache
def _most_particular(folder: Path, template: str, family: str, model: str) -> str:
    return next((name for name in (f"{model}/{template}", f"{family}/{template}") if (folder / name).is_file()), template)
