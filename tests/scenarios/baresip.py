"""Debian's baresip (libre), told what to do over its control port (module ctrl_tcp)."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from pathlib import Path
from typing import Any, Self

from tests.ports import free_port
from tests.scenarios.clients import HOST, Client, Line, Room, Seen, find_program
from tests.sip.messages import take_message

_ENTRY = re.compile(rb"TLS ([0-9.]+):\d+ -> [0-9.]+:(\d+)(?:\x1b\[;m)?\r?\n")
# RTP below the ports of tests/ports.py.
_SETTINGS = """poll_method epoll
sip_listen 127.0.0.1:{port}
sip_cafile {trust_anchor}
{certificate}
net_interface 127.0.0.1
rtp_ports 10000-19999
call_local_timeout 300
call_max_calls 4
audio_source aufile,{said}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
ringback_disabled yes
statmode_default off
snd_path {folder}
ctrl_tcp_listen 127.0.0.1:{control}
module_path {modules}
module stdio.so
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module_app account.so
module_app menu.so
module_app mwi.so
module_app ctrl_tcp.so
"""


def phone_account(line: Line) -> str:
    """A phone of the edge: registered, over TLS, with SRTP and nothing else."""
    return (
        f'<sip:{line.number}@{HOST}>;auth_user={line.account.username};auth_pass={line.account.password};outbound="{line.server}"'
        ";mediaenc=srtp-mand;regint=120;audio_codecs=pcmu;mwi=yes"
    )


class Baresip(Client):
    """`account` is its line of baresip's file of accounts.

    A filter records what it hears (module sndfile) until a call is on hold: baresip 1.0 then takes the filter away for good.
    1.1 could write its loudspeaker into a file, but crashes where a call's direction changes: that loudspeaker is opened twice.
    """

    port = 0  # where it listens, for TLS at the next one; 0: anywhere
    certificate = ""  # a setting

    def __init__(self, account: str, trust_anchor: Path, room: Room) -> None:
        super().__init__(room, account.removeprefix("<sip:").partition("@")[0])
        self._control_port = free_port()
        self._control: socket.socket | None = None
        self._unread = b""
        self._events: list[dict[str, Any]] = []
        settings = _SETTINGS.format(
            port=self.port,
            trust_anchor=trust_anchor,
            certificate=self.certificate,
            said=self.said,
            folder=self.folder,
            control=self._control_port,
            modules=_modules(),
        )
        (self.folder / "config").write_text(settings, encoding="utf-8")
        (self.folder / "accounts").write_text(account + "\n", encoding="utf-8")
        (self.folder / "contacts").touch()

    def start(self) -> Self:
        self.spawn([find_program("baresip", "baresip-core"), "-4", "-s", "-f", str(self.folder)], self.log)
        self._control = self.wait_for(self._connect, "its control port")
        self.wait_for(lambda: b"baresip is ready" in self.log.read_bytes(), "its readiness")
        return self

    def stop(self) -> None:
        super().stop()
        if self._control is not None:
            self._control.close()

    def dial(self, number: str) -> None:
        self._order("dial", number)

    def answer(self) -> None:
        self._order("accept")

    def hang_up(self) -> None:
        self._order("hangup")

    def hold(self) -> None:
        """The other side goes on to hear its tone."""
        self._order("hold")

    def resume(self) -> None:
        self._order("resume")

    def transfer(self, number: str) -> None:
        self._order("transfer", f"sip:{number}@{HOST}")

    def press(self, digit: str) -> None:
        self._order("sndcode", digit)

    def digits(self) -> str:
        return "".join(event["param"] for event in self.events("CALL_DTMF_START"))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What it told of itself so far."""
        assert self._control is not None
        with contextlib.suppress(BlockingIOError):
            while received := self._control.recv(65_536, socket.MSG_DONTWAIT):
                self._unread += received
        while (found := re.match(rb"(\d+):", self._unread)) and len(self._unread) > found.end() + int(found[1]):
            end = found.end() + int(found[1])
            self._events.append(json.loads(self._unread[found.end() : end]))
            self._unread = self._unread[end + 1 :]
        return [event for event in self._events if event.get("type") == kind]

    def seen(self) -> list[Seen]:
        data = self.log.read_bytes() if self.log.exists() else b""
        found = []
        for entry in _ENTRY.finditer(data):
            message, _ = take_message(data[entry.end() :])
            if message is not None:
                found.append(Seen(not self._came_in(*entry.groups()), message))
        return found

    def recordings(self) -> list[Path]:
        return sorted(self.folder.glob("dump-*-dec.wav"))

    def _came_in(self, source: bytes, destination_port: bytes) -> bool:
        """From the edge's address; a connection that the edge opened comes from any, to where we listen."""
        return source == HOST.encode() or int(destination_port) == self.port + 1

    def _connect(self) -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", self._control_port))
        return None

    def _order(self, command: str, parameters: str = "") -> None:
        """A netstring of JSON."""
        assert self._control is not None
        data = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._control.sendall(b"%d:%s," % (len(data), data))


def _modules() -> Path:
    return Path(find_program("baresip", "baresip-core")).parents[1] / "lib" / "baresip" / "modules"
