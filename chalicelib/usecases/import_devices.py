"""Many devices join the inventory by a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chalicelib.contracts.codec import Problem
from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.identifiers import Mac, is_port, parse_mac
from chalicelib.usecases.add_device import LONGEST_LOCATION, add_device, check_location
from chalicelib.usecases.ports import Caller, Gateway

MOST_ROWS = 10_000


@dataclass(frozen=True)
class ImportRow:
    """What became of one line: `result` is added, known or refused, and then `detail` says why."""

    line: int
    mac: str
    location: str
    result: str
    detail: str = ""


def import_devices(gateway: Gateway, caller: Caller, text: str) -> tuple[ImportRow, ...]:
    """Rows of `MAC id,Location` (Teams admin center's template). All are read before any is added: nothing is half done."""
    return add_rows(gateway, caller, list(_read_rows(text)))


def add_rows(gateway: Gateway, caller: Caller, rows: Sequence[ImportRow]) -> tuple[ImportRow, ...]:
    """Adds every row that could be read, bases before their ports; the result of each, in order."""
    results = {row.line: row for row in rows}
    readable = [row for row in rows if row.result != "refused"]
    for row in sorted(readable, key=lambda row: is_port(Mac(row.mac))):
        results[row.line] = _add_row(gateway, caller, row)
    return tuple(results.values())


def _add_row(gateway: Gateway, caller: Caller, row: ImportRow) -> ImportRow:
    try:
        _, new = add_device(gateway, caller, Mac(row.mac), row.location)
    except (NotFound, BadRequest) as refusal:  # of a port: its base is not there, or has no such port
        return replace(row, result="refused", detail=refusal.detail)
    return replace(row, result="added" if new else "known")


def _read_rows(text: str) -> Iterator[ImportRow]:
    """Every line as a row. Raises BadRequest where the text is no such table at all."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [cell.strip().lower() for cell in next(_cells(reader), [])]
    if header != ["mac id", "location"]:
        detail = "the first line must be: MAC id,Location"
        raise BadRequest("The table cannot be read.", (Problem("", detail),))
    seen: set[str] = set()
    for line, cells in enumerate(_cells(reader), start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if line > MOST_ROWS + 1:
            raise BadRequest(f"A table may have at most {MOST_ROWS} rows; cut it into several.")
        yield _read_row(line, cells, seen)


def _cells(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as wrong:
        raise BadRequest("The table cannot be read.", (Problem("", f"must be CSV: {wrong}"),)) from None


def _read_row(line: int, cells: list[str], seen: set[str]) -> ImportRow:
    mac_text, location = cells[0].strip(), cells[1].strip() if len(cells) > 1 else ""
    try:
        mac = parse_mac(mac_text)
        check_location(location)
    except BadRequest as refusal:
        return ImportRow(line, mac_text[:40], location[:LONGEST_LOCATION], "refused", refusal.detail)
    if mac in seen:
        return ImportRow(line, mac, location, "refused", "This MAC address stands in the table twice.")
    seen.add(mac)
    return ImportRow(line, mac, location, "pending")
