"""What a person or a program reads: JSON and tables on stdout; progress, notes and failures on stderr.

Text from outside is never markup, and its control characters never reach the terminal.
"""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli.connection import JsonObject
from cli.failures import Failure

_WIDTH_OF_A_FILE = 4000  # columns: what goes into a pipe is never cut
_DIRECTION_MARKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # they reorder what is read
_NEVER_BROKEN = {"mac", "otp", "dial", "pairing_code"}  # a person copies them
_FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+(?=Z$)")  # of a second, which nobody reads; --json has it
_ROW_KEYS = ("items", "rows", "results", "devices", "policies")


def print_json(value: Any) -> None:
    """JSON as the API gave it, indented."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def print_text(text: str) -> None:
    """Lines of our own, or a file's text as it is."""
    print(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def print_table(rows: Sequence[Any], columns: Sequence[str] = (), *, empty: str = "Nothing found.") -> None:
    """One line per row. Without `columns`, every field that any row has."""
    objects = [row if isinstance(row, Mapping) else {"value": row} for row in rows]
    if not objects:
        print_note(empty)
        return
    names = list(columns) or list(dict.fromkeys(str(name) for row in objects for name in row))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(clean(name.replace("_", " ")), overflow="fold", no_wrap=name in _NEVER_BROKEN)
    for row in objects:
        table.add_row(*(Text(cell(row.get(name))) for name in names))
    _print(table)


def print_fields(values: JsonObject) -> None:
    """One line per field; the fields of an object inside one another are joined by dots."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    for name, value in _flatten(values):
        table.add_row(Text(clean(name.replace("_", " "))), Text(cell(value)))
    _print(table)


def print_note(text: str) -> None:
    """A remark to the person, on stderr."""
    _console(sys.stderr).print(Text(clean(text)))


def print_failure(failure: Failure) -> None:
    """Title, detail, every line and what to do, on stderr."""
    console = _console(sys.stderr)
    console.print(Text.assemble(("sipgw: ", "bold red"), (clean(failure.title), "bold")))
    for line in (failure.detail, *failure.lines):
        if line:
            console.print(Text(f"  {clean(line)}"))
    if failure.advice:
        console.print(Text(clean(failure.advice)))


@contextmanager
def progress(label: str, total: float | None = None) -> Iterator[tuple[Progress, TaskID]]:
    """A bar on stderr while the block runs; silent where stderr is no terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console(sys.stderr), transient=True, disable=not sys.stderr.isatty()) as bar:
        yield bar, bar.add_task(clean(label), total=total)


def rows_of(answer: JsonObject) -> list[Any]:
    """The list of an answer, under whichever of its usual names; else the first list of objects in it."""
    named = [answer[key] for key in _ROW_KEYS if isinstance(answer.get(key), list)]
    lists = [value for value in answer.values() if isinstance(value, list) and value and isinstance(value[0], Mapping)]
    return next(iter(named + lists), [])


def cell(value: Any) -> str:
    """A value in one line: nothing as "-", lists by commas, objects as name=value, times to the second."""
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, Mapping):
        return " ".join(f"{clean(str(name))}={cell(item)}" for name, item in value.items())
    return _FRACTION.sub("", clean(str(value)))


def clean(text: str) -> str:
    """The text on one line, without control characters and direction marks: a device's name cannot steer the terminal."""
    return "".join(mark if _is_harmless(mark) else "�" for mark in " ".join(text.split()))


def _is_harmless(mark: str) -> bool:
    return unicodedata.category(mark) not in {"Cc", "Cs"} and unicodedata.bidirectional(mark) not in _DIRECTION_MARKS


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _print(table: Table) -> None:
    """A table on stdout; its lines end where their text does, however long another is."""
    console = _console(sys.stdout)
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    print_text("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _console(stream: Any) -> Console:
    width = None if stream.isatty() else _WIDTH_OF_A_FILE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
