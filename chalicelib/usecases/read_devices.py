"""Tables of devices as they come: CSV `MAC id,Location`, or JSON lines `{"mac": …, "location": …}`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from chalicelib.contracts.codec import InvalidInput, from_json
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import BadRequest
from chalicelib.usecases.table_job import MOST_ROWS, read_cells

HEADER = ("MAC id", "Location")  # Teams admin center's template


@dataclass(frozen=True)
class ReadDevice:
    """One row as it stands there; `problem` says why it cannot be read."""

    line: int
    mac: str
    location: str
    problem: str = ""


@dataclass(frozen=True)
class _DeviceLine:
    mac: str
    location: str = ""


def read_device_table(text: str) -> Iterator[ReadDevice]:
    """Every row. Raises BadRequest where the text is no such table at all, or has too many."""
    for line, cells in read_cells(text, HEADER):
        yield ReadDevice(line, cells[0].strip(), cells[1].strip() if len(cells) > 1 else "")


def read_device_lines(text: str) -> Iterator[ReadDevice]:
    """Every line that is not empty. Raises BadRequest for too many."""
    rows = 0
    for line, content in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not content.strip():
            continue
        rows += 1
        if rows > MOST_ROWS:
            raise BadRequest(f"An import may have at most {MOST_ROWS} lines; cut it into several.")
        yield _read_line(line, content)


def _read_line(line: int, content: str) -> ReadDevice:
    try:
        read = from_json(_DeviceLine, json.loads(content), strict=True)
    except InvalidInput as wrong:
        return ReadDevice(line, "", "", str(wrong))
    except (ValueError, RecursionError):
        return ReadDevice(line, "", "", 'This is not JSON such as {"mac": "805ec0123456", "location": "Room 1"}.')
    return ReadDevice(line, read.mac, read.location.strip())
