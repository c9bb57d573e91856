"""Many devices join the inventory by JSON lines: `{"mac": …, "location": …}`, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.contracts.codec import InvalidInput, from_json
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import Mac, parse_mac
from chalicelib.usecases.add_device import LONGEST_LOCATION, check_location
from chalicelib.usecases.import_devices import MOST_ROWS, ImportRow, add_rows
from chalicelib.usecases.ports import Caller, Gateway

_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class _DeviceLine:
    mac: str
    location: str = ""


def import_device_lines(gateway: Gateway, caller: Caller, text: str) -> tuple[ImportRow, ...]:
    """As import_devices, with the same results. All lines are read before any device is added."""
    return add_rows(gateway, caller, list(_read_lines(text)))


def _read_lines(text: str) -> Iterator[ImportRow]:
    seen: set[Mac] = set()
    rows = 0
    for line, content in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not content.strip():
            continue
        rows += 1
        if rows > MOST_ROWS:
            raise BadRequest(f"An import may have at most {MOST_ROWS} lines; cut it into several.")
        yield _read_line(line, content, seen)


def _read_line(line: int, content: str, seen: set[Mac]) -> ImportRow:
    try:
        read = from_json(_DeviceLine, json.loads(content), strict=True)
    except InvalidInput as wrong:
        return ImportRow(line, "", "", "refused", str(wrong))
    except (ValueError, RecursionError):
        return ImportRow(line, "", "", "refused", 'This is not JSON such as {"mac": "805ec0123456", "location": "Room 1"}.')
    location = read.location.strip()
    try:
        mac = parse_mac(read.mac)
        check_location(location)
    except BadRequest as refusal:
        return ImportRow(line, read.mac[:_LONGEST_SHOWN], location[:LONGEST_LOCATION], "refused", refusal.detail)
    if mac in seen:
        return ImportRow(line, mac, location, "refused", "This MAC address stands in the import twice.")
    seen.add(mac)
    return ImportRow(line, mac, location, "pending")
