"""Templates to text, with escaping by construction: no value can add a setting, an element or a line.

Two environments: configuration files, where a value becomes one clean line; and XML, where it is escaped.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from chalicelib.vendors.catalogue import vendor as vendor_of

LONGEST_VALUE = 512
_NOT_ON_ONE_LINE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}  # controls, formats, line and paragraph separators, no text


def clean(value: object) -> str:
    """One line of printable text, blanks trimmed, at most 512 characters."""
    text = "".join(" " if unicodedata.category(letter) in _NOT_ON_ONE_LINE else letter for letter in str(value))
    return text.strip()[:LONGEST_VALUE].rstrip()


def render(vendor: str, template: str, **values: Any) -> str:
    """A document from the vendor's folder: XML where the template's name says so (`.xml.j2`), else lines of settings."""
    environment = _environment(vendor_of(vendor).folder.parent, xml=template.endswith(".xml.j2"))
    return environment.get_template(f"{vendor}/templates/{template}").render(**values)


def choose_template(vendor: str, template: str, family: str, model: str) -> str:
    """The most particular template that the folder has: the model's, the family's, or the vendor's own."""
    return _most_particular(vendor_of(vendor).folder / "templates", template, family, model)


@cache
def _most_particular(folder: Path, template: str, family: str, model: str) -> str:
    return next((name for name in (f"{model}/{template}", f"{family}/{template}") if (folder / name).is_file()), template)


@cache
def _environment(folder: Path, *, xml: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(("j2",) if xml else ()),
        finalize=_finalize_xml if xml else clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _finalize_xml(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape(clean(value))
