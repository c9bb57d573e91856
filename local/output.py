"""Where the children's lines go: to the terminal with their names in front, and to a log file each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

MAX_LOG_BYTES = 5_000_000  # then the file becomes NAME.log.1, and the one before that is gone
_NAME_WIDTH = 9
_COLOURS = {"gateway": "1", "identity": "35", "functions": "36", "kamailio": "33", "agent": "32"}  # SGR codes


class LogFile:
    """A child's log, rotated by size. One former file is kept."""

    def __init__(self, path: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file = path.open("ab")
        self._size = self._file.tell()

    def write(self, line: bytes) -> None:
        """One line without its end."""
        if self._size > self._max_bytes:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = self._path.open("ab")
            self._size = 0
        self._size += self._file.write(line + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class Console:
    """The terminal. A closed one (a pipe whose reader is gone) silences us and stops nothing."""

    def __init__(self, stream: TextIO | None = None, *, colour: bool | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colour = self._stream.isatty() if colour is None else colour
        self._open = True

    def say(self, line: str, name: str = "gateway") -> None:
        """One line with its speaker's name in front."""
        label = name.ljust(_NAME_WIDTH)
        if self._colour:
            label = f"\x1b[{_COLOURS.get(name, '0')}m{label}\x1b[0m"
        self._write(f"{label} | {line}\n")

    def show(self, text: str) -> None:
        """A block of text as it is."""
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        if not self._open:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._open = False


def printable(line: bytes) -> str:
    """A child's line as text that cannot steer the terminal."""
    text = line.decode("utf-8", "replace")
    return "".join(mark if mark.isprintable() or mark == "\t" else "?" for mark in text)
