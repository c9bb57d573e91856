"""Turns linphone's log into the SIP messages that were on the wire, while the log is being written.

`LogParser` is pure: bytes in, messages out. `LogFollower` reads a growing file and lets others wait for what they expect.
It knows SIP's framing (RFC 3261 section 18.3) and nothing of calls or registrations. Digests and credentials are masked.

Samples (liblinphone 5.1.65, tests/unit/virtual_phone/samples):
    2026-11-22 10:40:52:880 belle-sip-message-channel [0x7fd3]: message sent to [TLS://localhost:5063], size: [592] bytes
    2026-11-22 10:40:52:901 belle-sip-message-channel [0x7fd3]: received [476] new bytes from [TLS://localhost:5063]:
Both lines are followed by exactly that many bytes as they went over the wire, and a line feed.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local.virtual_phone.errors import NotSeenError

_ENTRY = re.compile(
    rb"channel \[(?P<channel>0x[0-9a-f]+)\]: (?:message sent to \[(?P<out>[A-Z]+)://[^\]\n]*\], size: \[(?P<sent>\d+)\] bytes"
    rb"|received \[(?P<received>\d+)\] new bytes from \[(?P<in>[A-Z]+)://[^\]\n]*\]:)\n"
)
# Lines that explain why nothing was seen: `…Channel [0x7f]: SSL handshake failed : X509 - Certificate verification failed…`
_TROUBLE = re.compile(rb"(SSL handshake failed[^\n]*|Cannot connect to [^\n]*|Cannot resolve [^\n]*|Could not connect[^\n]*)\n")
_STATUS_LINE = re.compile(r"SIP/2\.0 (?P<status>[1-6]\d\d)(?: (?P<reason>.*))?")
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization"})
_POLL_SECONDS = 0.02
_MAXIMUM_MESSAGE = 65_536


class Direction(StrEnum):
    """As the phone sees it."""

    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True)
class SeenMessage:
    """One SIP message on the wire, without its body."""

    direction: Direction
    transport: str
    first_line: str
    headers: tuple[tuple[str, str], ...]

    @property
    def status(self) -> int | None:
        match = _STATUS_LINE.fullmatch(self.first_line)
        return int(match["status"]) if match else None

    @property
    def reason_phrase(self) -> str:
        match = _STATUS_LINE.fullmatch(self.first_line)
        return (match["reason"] or "") if match else ""

    @property
    def method(self) -> str:
        """The request's method; for a response, of the request that it answers."""
        return self.header("CSeq").rpartition(" ")[2] if self.status else self.first_line.partition(" ")[0]

    @property
    def transaction(self) -> tuple[str, str]:
        """Call-ID and CSeq: what a request and its responses have in common."""
        return self.header("Call-ID"), self.header("CSeq")

    def header(self, name: str) -> str:
        """A header's first value, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def __str__(self) -> str:
        return f"{self.direction} {self.first_line} ({self.header('CSeq')})"


class LogParser:
    """Feed it the log in pieces of any size; it returns the messages that became whole."""

    def __init__(self) -> None:
        self.last_trouble = ""
        self._log = b""
        self._streams: dict[tuple[bytes, Direction], bytes] = {}

    def feed(self, data: bytes) -> list[SeenMessage]:
        self._log += data
        messages: list[SeenMessage] = []
        position = 0
        while (entry := _ENTRY.search(self._log, position)) is not None:
            size = int(entry["sent"] or entry["received"])
            if len(self._log) < entry.end() + size:
                self._note_trouble(self._log[position : entry.start()])
                self._log = self._log[entry.start() :]
                return messages
            self._note_trouble(self._log[position : entry.start()])
            position = entry.end() + size
            messages += self._read_stream(entry, self._log[entry.end() : position])
        # Only the last line may still become an entry; what is before it has been read.
        rest = self._log.rfind(b"\n", position) + 1 or position
        self._note_trouble(self._log[position:rest])
        self._log = self._log[rest:]
        return messages

    def _note_trouble(self, text: bytes) -> None:
        found = _TROUBLE.findall(text)
        if found:
            self.last_trouble = found[-1].decode("utf-8", "replace")

    def _read_stream(self, entry: re.Match[bytes], chunk: bytes) -> list[SeenMessage]:
        direction = Direction.SENT if entry["sent"] else Direction.RECEIVED
        transport = (entry["out"] or entry["in"]).decode("ascii")
        key = (entry["channel"], direction)
        # What was sent is logged whole; what was received comes as TCP cut it.
        stream = chunk if direction is Direction.SENT else self._streams.get(key, b"") + chunk
        messages = []
        while (cut := _message_end(stream)) is not None:
            first_line, headers = _parse_head(stream[:cut].lstrip(b"\r\n"))
            messages.append(SeenMessage(direction, transport, first_line, headers))
            stream = stream[cut:]
        keep = direction is Direction.RECEIVED and len(stream) <= _MAXIMUM_MESSAGE
        self._streams[key] = stream.lstrip(b"\r\n") if keep else b""
        return messages


class LogFollower:
    """Reads the log of a running linphone in a thread; `wait_for` finds messages, past ones included."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = LogParser()
        self._messages: list[SeenMessage] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"follow {path.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Reads what is left, then ends the thread."""
        self._stopping.set()
        self._thread.join(timeout=5)

    @property
    def messages(self) -> tuple[SeenMessage, ...]:
        with self._changed:
            return tuple(self._messages)

    def wait_for(
        self, find: Callable[[tuple[SeenMessage, ...]], SeenMessage | None], *, expected: str, timeout_seconds: float
    ) -> SeenMessage:
        """The message that `find` picks out of all seen so far, as soon as it picks one.

        Raises NotSeenError that says what was expected and what came last.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while True:
                found = find(tuple(self._messages))
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or self._stopping.is_set():
                    raise NotSeenError(f"expected {expected} within {timeout_seconds:g} s; {self.describe_last()}")
                self._changed.wait(timeout=min(left, 0.5))

    def describe_last(self) -> str:
        """What was seen last, for messages."""
        last = f"last seen: {self._messages[-1]}" if self._messages else "no SIP message was seen"
        return f"{last}; trouble: {self._parser.last_trouble}" if self._parser.last_trouble else last

    def _follow(self) -> None:
        while not self._path.exists():
            if self._stopping.wait(_POLL_SECONDS):
                return
        with self._path.open("rb") as log:
            while True:
                ending = self._stopping.is_set()
                data = log.read()
                if data:
                    messages = self._parser.feed(data)
                    with self._changed:
                        self._messages += messages
                        self._changed.notify_all()
                elif ending:
                    return
                else:
                    self._stopping.wait(_POLL_SECONDS)


def _message_end(stream: bytes) -> int | None:
    """Where the first message ends, its body included; None while it is not whole."""
    lead = len(stream) - len(stream.lstrip(b"\r\n"))  # keep-alives between messages (RFC 5626 section 4.4.1)
    blank = stream.find(b"\r\n\r\n", lead)
    if blank < 0:
        return None
    length = re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r?$", stream[lead : blank + 2])
    end = blank + 4 + (int(length[1]) if length else 0)
    return end if end <= len(stream) else None


def _parse_head(message: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    head = message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    first_line, *rest = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    headers = []
    for line in rest:
        name, _, value = line.partition(":")
        headers.append((name.strip(), "***" if name.strip().lower() in _SECRET_HEADERS else value.strip()))
    return first_line, tuple(headers)
