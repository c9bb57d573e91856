"""A real SIP client as a process: what it is told, what went over the wire, what it heard. Two makes have a module each.

Every client says a tone of its own and records what it hears. What was signalled is read from the wire as the client logs it,
never from the client's own opinion; a wait that fails shows the end of that log. All of it is on loopback: the edge at HOST,
the clients at 127.0.0.1.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from tests.scenarios import sound
from tests.sip.edge import END_WITH_PARENT
from tests.sip.messages import SipMessage
from tests.sip.phone import Account
from tests.sip.waiting import GENEROUS_SECONDS, wait_until

T = TypeVar("T")

HOST = "127.0.0.2"  # an address and no name: baresip asks a name server, and there is none
_PATIENCE = 2 * GENEROUS_SECONDS
_CHALLENGES = {401, 407}
_WAV_HEADER = 44
_WATCH_SECONDS = 1.5


@dataclass(frozen=True)
class Line:
    """What a client needs to be somebody's phone."""

    account: Account
    edge_port: int
    trust_anchor: Path

    @property
    def number(self) -> str:
        return self.account.aor

    @property
    def server(self) -> str:
        return f"sip:{HOST}:{self.edge_port};transport=tls"


@dataclass(frozen=True)
class Room:
    """A client's own `folder`, the `tone` in Hz that it says, and where the files of all tones are."""

    folder: Path
    tone: int
    tones: Path

    def sound(self, hertz: int) -> Path:
        return sound.tone_file(self.tones, hertz)


@dataclass(frozen=True)
class Seen:
    """A message on the wire, as the client sees it."""

    sent: bool
    message: SipMessage

    @property
    def method(self) -> str:
        """The request's method; for a response, of the request that it answers."""
        return self.message.method or self.message.header("CSeq").partition(" ")[2]

    def __str__(self) -> str:
        return f"{'sent' if self.sent else 'received'} {self.message.first_line} ({self.message.header('CSeq')})"


class Client(ABC):
    """`start` it and `stop` it; its process ends with this one at the latest."""

    def __init__(self, room: Room, number: str) -> None:
        self.folder, self.tone, self.number = room.folder, room.tone, number
        self.folder.mkdir()
        self.said = room.sound(room.tone)
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> Self: ...

    @abstractmethod
    def dial(self, number: str) -> None: ...

    @abstractmethod
    def answer(self) -> None: ...

    @abstractmethod
    def hang_up(self) -> None:
        """Ends the call, gives it up, or refuses it while it rings."""

    @abstractmethod
    def hold(self) -> None: ...

    @abstractmethod
    def resume(self) -> None: ...

    @abstractmethod
    def transfer(self, number: str) -> None:
        """Blind: the other side of the call is to call that number."""

    @abstractmethod
    def press(self, digit: str) -> None: ...

    @abstractmethod
    def digits(self) -> str:
        """Those that the other side pressed, as the client told its user."""

    @abstractmethod
    def seen(self) -> list[Seen]:
        """Everything on the wire so far, oldest first."""

    @abstractmethod
    def recordings(self) -> list[Path]:
        """Files of what it has heard so far, oldest first."""

    def stop(self) -> None:
        """At once, as a power cut does."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                with contextlib.suppress(OSError):  # it reads no more
                    process.stdin.close()

    # What went over the wire.

    def requests(self, method: str, *, sent: bool = False) -> list[SipMessage]:
        return [seen.message for seen in self.seen() if seen.sent == sent and seen.message.method == method]

    def answers(self, method: str, *, sent: bool = False) -> list[SipMessage]:
        """To requests of this method, provisional ones and challenges included."""
        return [seen.message for seen in self.seen() if seen.sent == sent and seen.message.status and seen.method == method]

    def final(self, method: str) -> SipMessage:
        """The first final answer that it gets to a request of this method and that is no challenge."""
        finals = lambda: [m for m in self.answers(method) if m.status >= 200 and m.status not in _CHALLENGES]  # noqa: E731
        return self.wait_for(finals, f"the final answer to {method}")[0]

    def is_registered(self) -> Self:
        assert self.final("REGISTER").status == 200, self.describe()
        return self

    def rings(self, *, times: int = 1) -> SipMessage:
        """Waits until that many calls have come in and ring; the latest one's INVITE."""
        self.wait_for(lambda: len(self._ringing()) >= times, "an incoming call that rings")
        return self.requests("INVITE")[-1]

    def calls_so_far(self) -> int:
        """How many have come in and rung."""
        return len(self._ringing())

    def talks(self) -> Self:
        """Waits until its latest INVITE, or re-INVITE, is answered and acknowledged."""
        self.wait_for(self._is_acknowledged, "an answered call")
        return self

    def offers(self, direction: str) -> None:
        """Waits until its latest INVITE offers `sendrecv` or `sendonly`, and is answered and acknowledged."""
        self.wait_for(lambda: [direction] == [_direction(m) for m in self.requests("INVITE", sent=True)[-1:]], f"a {direction}")
        self.talks()

    def is_hung_up_on(self, *, times: int = 1) -> None:
        """Waits until the other side has ended that many calls and this one has confirmed it."""
        ended = lambda: [200] * times == [answer.status for answer in self.answers("BYE", sent=True)]  # noqa: E731
        self.wait_for(ended, "a BYE, and its own 200")

    def call_id(self) -> str:
        """Of its latest call."""
        return self._invites()[-1].message.header("Call-ID")

    def tag(self) -> str:
        """Its own, in its latest call."""
        seen = self._invites()[-1]
        if seen.sent:
            return seen.message.header("From").partition(";tag=")[2]
        return self.answers("INVITE", sent=True)[-1].header("To").partition(";tag=")[2]

    # What it heard.

    def recording(self) -> array[int]:
        """Samples at 8 kHz: the recordings one after the other."""
        samples = array("h")
        for path in self.recordings():
            data = path.read_bytes()[_WAV_HEADER:] if path.exists() else b""
            samples.frombytes(data[: len(data) // 2 * 2])
        return samples

    def mark(self) -> int:
        """Now, as a place in the recording."""
        return len(self.recording())

    def hears(self, tone: int, since: int = 0) -> None:
        """Waits until it has heard half a second of that tone alone, `since` a mark."""
        self.wait_for(lambda: sound.holds_tone(self.recording()[since:], tone), f"a tone of {tone} Hz in its ear")

    def hears_none_of(self, tone: int) -> bool:
        """Waits until what was under way is through, then watches for a while."""
        self.wait_for(lambda: not sound.has_trace_of(self.recording()[-sound.WINDOW :], tone) or self._is_still(), "silence")
        since = self.mark()
        time.sleep(_WATCH_SECONDS)
        return not sound.has_trace_of(self.recording()[since:], tone)

    # Its process.

    def wait_for(self, condition: Callable[[], T], what: str) -> T:
        """The condition's first true value. Raises AssertionError that says who waited for what, with the wire and the log."""

        def while_running() -> T:
            assert self._process is not None
            assert self._process.poll() is None, f"it ended by itself: {self._process.returncode}{self.describe(what)}"
            return condition()

        return wait_until(while_running, seconds=_PATIENCE, describe=lambda: self.describe(what))

    def describe(self, waiting_for: str = "") -> str:
        log = self.log.read_bytes()[-4000:].decode("utf-8", "replace") if self.log.exists() else "(no log)"
        wire = "\n".join(map(str, self.seen()))
        return f"\n{self.folder.name} waited for {waiting_for}; on the wire:\n{wire}\nthe end of its log:\n{log}"

    def spawn(self, command: list[str], output: Path) -> None:
        """Starts it, with `output` for what it says."""
        with output.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [*END_WITH_PARENT, *command],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(self.folder)},
                start_new_session=True,
            )

    def write_line(self, line: str) -> None:
        """To its standard input."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def _is_still(self) -> bool:
        """Whether nothing is being recorded: a stream that has ended."""
        before = self.mark()
        time.sleep(_WATCH_SECONDS / 3)
        return before == self.mark()

    def _ringing(self) -> set[str]:
        return {answer.header("Call-ID") for answer in self.answers("INVITE", sent=True) if answer.status == 180}

    def _invites(self) -> list[Seen]:
        return [seen for seen in self.seen() if seen.message.method == "INVITE"]

    def _is_acknowledged(self) -> bool:
        invites = self._invites()
        if not invites:
            return False
        latest, ours = invites[-1].message, invites[-1].sent
        key = latest.header("Call-ID"), latest.header("CSeq").partition(" ")[0]
        answered = [m for m in self.answers("INVITE", sent=not ours) if m.status == 200 and _key(m) == key]
        return bool(answered) and any(_key(ack) == key for ack in self.requests("ACK", sent=ours))


def find_program(name: str, package: str) -> str:
    """Its path. Raises AssertionError that says which package has it."""
    found = shutil.which(name, path=os.defpath)
    assert found is not None, f"{name} is missing: apt-get install {package}"
    return found


def _direction(message: SipMessage) -> str:
    """Of its offer; `sendrecv` where it says nothing (RFC 8866 section 6.7)."""
    found = re.search(rb"\r\na=(sendonly|recvonly|inactive|sendrecv)\r\n", message.body)
    return found[1].decode() if found else "sendrecv"


def _key(message: SipMessage) -> tuple[str, str]:
    return message.header("Call-ID"), message.header("CSeq").partition(" ")[0]
