"""The languages' catalogues: collects the gateway's texts, brings chalicelib/locales up to date, and checks it.

    python -m local.catalogues extract    prints every text
    python -m local.catalogues update     collects the texts, keeps what is translated, compiles
    python -m local.catalogues compile    writes the .mo files again after a .po file was edited
    python -m local.catalogues check      says what is missing or wrong; fails where there is something

Which files hold texts stands in babel.cfg. Nothing here translates: people write into the .po files. Equal texts give equal
bytes: no date, no place and no version is written.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from chalicelib.domain.identifiers import Language

ROOT = Path(__file__).parent.parent
LANGUAGES = tuple(language.value for language in Language if language is not Language.EN)
SOFT_KEY = "Soft key: at most 14 characters."
REASON = "SIP reason: at most 120 characters."
LONGEST = {SOFT_KEY: 14, REASON: 120}  # a T46S shows 9 to 10 characters of a key; sip_edge cuts a reason at 120
_ERRORS = "chalicelib.domain.errors"
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{[^{}]*\}")
_WIDTH = 128

Found = tuple[int, str | None, str, list[str]]  # line, None, text, notes for the translator


# --- from code and templates to texts ----------------------------------------------------------------------------------


def extract_python(file: BinaryIO, _keywords: object, _comment_tags: object, options: Mapping[str, str]) -> Iterator[Found]:
    """Texts in `_("…")`, `.say("…")` and `translator(…)("…")`; with `titles` and `details`, those of errors.

    An f-string has no fixed text: it stays English, except where it is said to be a text, and there it raises ValueError.
    """
    tree = ast.parse(file.read())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    keys = {id(call.args[0]) for call in calls if _name(call.func) == "SoftKey"}
    for call in calls:
        if _is_translation(call.func):
            yield from _text(call.args[0], [SOFT_KEY] if id(call) in keys else [REASON] if "reasons" in options else [])
    if "titles" in options:
        yield from _titles(tree)
    if "details" in options:
        errors = _error_names(tree)
        for call in calls:
            if _name(call.func) in errors and not isinstance(call.args[0], ast.JoinedStr):
                yield from _text(call.args[0], [])


def extract_templates(
    file: BinaryIO, keywords: Sequence[str], comment_tags: Sequence[str], options: Mapping[str, str]
) -> Iterator[Found]:
    """As Jinja's own extraction; a template that cannot be read is an error. `key_lines` marks the lines that set a key."""
    source = file.read()
    lines = source.decode().splitlines()
    mark = options.get("key_lines")
    for line, _function, text, _ in babel_extract(BytesIO(source), keywords, comment_tags, {"silent": "false"}):
        if isinstance(text, str):
            yield line, None, text, [SOFT_KEY] if mark and mark in lines[line - 1] else []


def _is_translation(function: ast.expr) -> bool:
    if isinstance(function, ast.Call):
        return _name(function.func) == "translator"
    return _name(function) == "_" or (isinstance(function, ast.Attribute) and function.attr == "say")


def _text(node: ast.expr, notes: list[str]) -> Iterator[Found]:
    if isinstance(node, ast.JoinedStr):
        problem = f"line {node.lineno}: an f-string cannot be translated; give its fixed text"
        raise ValueError(problem)  # noqa: TRY004 - the type is right for Python and wrong for a translator
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, None, node.value, notes


def _titles(tree: ast.Module) -> Iterator[Found]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for line in (line for node in classes for line in node.body if isinstance(line, ast.Assign | ast.AnnAssign)):
        target = line.targets[0] if isinstance(line, ast.Assign) else line.target
        if _name(target) == "title" and line.value:
            yield from _text(line.value, [REASON])


def _error_names(tree: ast.Module) -> Collection[str]:
    """The domain's errors that a module imports, and those that it derives from them."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == _ERRORS]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_name(base) in names for base in node.bases):
            names.add(node.name)
    return names


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


# --- catalogues --------------------------------------------------------------------------------------------------------


class FixedCatalogue(Catalog):
    """A catalogue whose header depends on its language alone."""

    def __init__(self, language: str, messages: Iterator[Message]) -> None:
        comment = "# Translations are written here by hand; then: python -m local.catalogues update"
        super().__init__(locale=language, header_comment=comment, fuzzy=False)
        for message in messages:
            if message.id:
                self[message.id] = message

    def __iter__(self) -> Iterator[Message]:
        headers = {
            "Language": self.locale_identifier,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
        }
        yield Message("", "".join(f"{name}: {value}\n" for name, value in headers.items()))
        yield from (message for message in super().__iter__() if message.id)


def collect_texts(root: Path = ROOT) -> Catalog:
    """Every text of the gateway, with notes for translators."""
    with (root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    code = str(root / "chalicelib")
    found = extract_from_dir(root, methods, options, directory_filter=lambda folder: folder.startswith(code))
    texts = Catalog(fuzzy=False)
    for _path, _line, text, notes, _context in found:
        texts.add(text, auto_comments=notes)
    return texts


def load_translations(root: Path, language: str) -> Catalog:
    """What people have translated into one language; empty where nobody has."""
    path = po_path(root, language)
    if not path.exists():
        return Catalog(locale=language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def po_path(root: Path, language: str) -> Path:
    """Where a language's translations are; the compiled file stands beside it."""
    return root / "chalicelib" / "locales" / language / "LC_MESSAGES" / "gateway.po"


def render_po(catalogue: Catalog, language: str) -> bytes:
    """The .po file's bytes, in the order of the texts."""
    file = BytesIO()
    fixed = FixedCatalogue(language, iter(catalogue))
    write_po(file, fixed, width=_WIDTH, no_location=True, sort_output=True, ignore_obsolete=True)
    return file.getvalue().rstrip(b"\n") + b"\n"


def render_mo(catalogue: Catalog, language: str) -> bytes:
    """The .mo file's bytes. What is fuzzy or missing is left out, and so is English."""
    file = BytesIO()
    write_mo(file, FixedCatalogue(language, iter(catalogue)))
    return file.getvalue()


# --- commands ----------------------------------------------------------------------------------------------------------


def update_catalogues(root: Path = ROOT) -> None:
    """New texts come in untranslated, or fuzzy where one is alike; texts that are gone go; then compiles."""
    texts = collect_texts(root)
    for language in LANGUAGES:
        path = po_path(root, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render_po(_merged(root, language, texts), language))
    compile_catalogues(root)


def compile_catalogues(root: Path = ROOT) -> None:
    """Writes every .mo file."""
    for language in LANGUAGES:
        po_path(root, language).with_suffix(".mo").write_bytes(render_mo(load_translations(root, language), language))


def find_problems(root: Path = ROOT) -> list[str]:
    """A line for everything that is missing, doubtful, too long, out of date or not compiled."""
    texts = collect_texts(root)
    problems: list[str] = []
    for language in LANGUAGES:
        path = po_path(root, language)
        merged = _merged(root, language, texts)
        if not path.exists() or path.read_bytes() != render_po(merged, language):
            problems.append(f"{language}: gateway.po is not what `python -m local.catalogues update` writes")
        compiled = path.with_suffix(".mo")
        if not compiled.exists() or compiled.read_bytes() != render_mo(load_translations(root, language), language):
            problems.append(f"{language}: gateway.mo is not what `python -m local.catalogues compile` writes")
        found = ((message, problem) for message in merged if message.id for problem in _problems_of(message))
        problems += [f"{language}: {message.id!r} {problem}" for message, problem in found]
    return problems


def _merged(root: Path, language: str, texts: Catalog) -> Catalog:
    merged = load_translations(root, language)
    merged.update(texts)
    return merged


def _problems_of(message: Message) -> Iterator[str]:
    text, translation = str(message.id), str(message.string or "")
    if not translation.strip():
        yield "is not translated"
        return
    if message.fuzzy:
        yield "is fuzzy: look at its translation, then remove the mark"
    if sorted(_PLACEHOLDER.findall(text)) != sorted(_PLACEHOLDER.findall(translation)):
        yield "and its translation have different placeholders"
    if translation != translation.strip() or "\n" in translation:
        yield "has a translation with blanks around it or a line break in it"
    for note in message.auto_comments:
        if len(translation) > LONGEST.get(note, len(translation)):
            yield f"has a translation of {len(translation)} characters. {note}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.catalogues", description="The languages' catalogues.")
    parser.add_argument("command", choices=("extract", "update", "compile", "check"))
    command = parser.parse_args(arguments).command
    if command == "extract":
        print(render_po(collect_texts(), Language.EN.value).decode(), end="")
    elif command == "update":
        update_catalogues()
    elif command == "compile":
        compile_catalogues()
    problems = find_problems() if command in {"update", "check"} else []
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems and command == "check" else 0


if __name__ == "__main__":
    sys.exit(main())
