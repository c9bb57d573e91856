"""Jinja2, as the vendors' files and the pages for people use it. In the zip the templates are Python already.

Imported by the first file or page (docs/architecture.md, "A quick start"): loading Jinja2 is a tenth of a start. Where the
packaging has not compiled a folder's templates, Jinja2 reads their source.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import BaseLoader, Environment, FileSystemLoader, ModuleLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from chalicelib.vendors.rendering import clean, is_xml
from chalicelib.vendors.tables import COMPILED


def loader_of(folder: Path) -> BaseLoader:
    """The folder's templates, compiled where the packaging has done so."""
    compiled = folder / COMPILED
    return ModuleLoader(compiled) if compiled.is_dir() else FileSystemLoader(folder)


@cache
def vendor_environment(folder: Path, *, xml: bool) -> Environment:
    """For the templates of the vendors in `folder`: XML, where a value is escaped, or settings, where it is one clean line."""
    return Environment(
        loader=loader_of(folder),
        autoescape=select_autoescape(("j2",) if xml else ()),
        finalize=_finalize_xml if xml else clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def compile_templates(environment: Environment, target: Path, wanted: Callable[[str], bool]) -> None:
    """Writes each wanted template of the environment into `target`, as a Python module."""
    environment.compile_templates(target, filter_func=wanted, zip=None, ignore_errors=False)


def compile_vendor_templates(folder: Path) -> None:
    """For the packaging: every template of the vendors in `folder`, each with the environment that renders it."""
    environments = {xml: vendor_environment(folder, xml=xml) for xml in (True, False)}
    compile_templates(environments[True], folder / COMPILED, is_xml)
    compile_templates(environments[False], folder / COMPILED, lambda name: name.endswith(".j2") and not is_xml(name))


def _finalize_xml(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape(clean(value))
