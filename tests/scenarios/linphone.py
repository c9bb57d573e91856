"""Debian's linphonec (belle-sip, mediastreamer). It plays and records files in place of a sound card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from tests.scenarios.clients import HOST, Client, Line, Room, Seen, find_program
from tests.sip.messages import take_message

MUSIC = 1500  # Hz: what a party hears that linphone keeps on hold

_ENTRY = re.compile(  # local/virtual_phone/linphone_log.py has samples
    rb"channel \[(0x[0-9a-f]+)\]: "
    rb"(?:message sent to \[[^\]\n]*\], size: \[(\d+)\] bytes|received \[(\d+)\] new bytes from[^\n]*)\n"
)
# Two things that its makers advise against, and that make it work where loopback is the only network: it does not watch the
# network, and registers although nobody told it that there is one.
_SETTINGS = """[sip]
ipv6_migration_done=1
use_ipv6=0
auto_net_state_mon=0
register_only_when_network_is_up=0
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
supported=replaces,timer
default_proxy=0
root_ca={line.trust_anchor}
verify_server_certs=1
verify_server_cn=1
guess_hostname=1
media_encryption={encryption}
srtp_crypto_suites=AES_CM_128_HMAC_SHA1_80,AES_CM_128_HMAC_SHA1_32
media_encryption_mandatory={mandatory}
{more}
[net]
dns_srv_enabled=0

[misc]
add_missing_audio_codecs=0

[audio_codec_0]
mime=PCMU
rate=8000
channels=1
enabled=1

[rtp]
audio_rtp_port=-1
video_rtp_port=-1
text_rtp_port=-1

[auth_info_0]
username={line.number}
userid={line.account.username}
passwd={line.account.password}

[proxy_0]
reg_proxy=<{line.server}>
reg_identity=<sip:{line.number}@{host}>
reg_expires=120
reg_sendregister=1
publish=0
reg_route=<{line.server};lr>
"""


class Linphone(Client):
    """`more`: further lines of its settings' section `sip`. With `early` it says its tone before the call is taken (183)."""

    def __init__(self, line: Line, room: Room, *, encrypted: bool = True, early: bool = False, more: str = "") -> None:
        super().__init__(room, line.number)
        self._music = room.sound(MUSIC)
        self._heard, self._output = self.folder / "heard.wav", self.folder / "output"
        self._options = ["--real-early-media"] if early else []
        more += "\nincoming_calls_early_media=1" if early else ""
        encryption = "srtp" if encrypted else "none"
        settings = _SETTINGS.format(line=line, host=HOST, encryption=encryption, mandatory=int(encrypted), more=more)
        (self.folder / "linphonerc").write_text(settings, encoding="utf-8")

    def start(self) -> Self:
        (self.folder / ".local/share/linphone").mkdir(parents=True)  # it does not make its own
        program = find_program("linphonec", "linphone-cli")
        files = ["-c", str(self.folder / "linphonerc"), "-l", str(self.log)]
        self.spawn([program, *files, "-d", "6", *self._options], self._output)
        self.wait_for(self._prompts, "its prompt")
        for line in ("soundcard use files", f"play {self.said}", f"record {self._heard}"):
            self._tell(line)
        return self

    def dial(self, number: str) -> None:
        self._tell(f"play {self.said}")
        self._tell(f"call {number}")

    def answer(self) -> None:
        self._tell(f"play {self.said}")
        self._tell(f"answer {self._latest_call()}")

    def hang_up(self) -> None:
        self._tell(f"terminate {self._latest_call()}")

    def hold(self) -> None:
        """The other side hears MUSIC."""
        self._tell(f"play {self._music}")
        self._tell("pause")

    def resume(self, call: int = 0) -> None:
        """The call of that number, counted from 1; the latest by default."""
        self._tell(f"play {self.said}")
        self._tell(f"resume {call or self._latest_call()}")

    def transfer(self, number: str) -> None:
        self._tell(f"transfer {number}")

    def join(self, one: int, other: int) -> None:
        """Attended transfer: the other side of call `one` goes to the other side of call `other`; calls are counted from 1."""
        self._tell(f"transfer {one} --to-call {other}")

    def press(self, digit: str) -> None:
        self._tell(digit)

    def digits(self) -> str:
        return "".join(re.findall(r"Receiving tone (\S) from", self._text()))

    def seen(self) -> list[Seen]:
        data = self.log.read_bytes() if self.log.exists() else b""
        streams: dict[tuple[bytes, bool], bytes] = {}  # what was received is logged as TCP cut it
        found: list[Seen] = []
        for entry in _ENTRY.finditer(data):
            channel, sent, received = entry.groups()
            key = channel, sent is not None
            streams[key] = streams.get(key, b"") + data[entry.end() : entry.end() + int(sent or received)]
            message, rest = take_message(streams[key])
            while message is not None:
                streams[key] = rest
                found.append(Seen(sent is not None, message))
                message, rest = take_message(rest)
        return found

    def recordings(self) -> list[Path]:
        return [self._heard]

    def _tell(self, line: str) -> None:
        """Returns when it asks for the next line: of several at once, Debian 13's linphone loses some."""
        before = self._prompts()
        self.write_line(line)
        self.wait_for(lambda: self._prompts() > before, f"its prompt after {line}")

    def _prompts(self) -> int:
        return self._text().count("linphonec> ")

    def _latest_call(self) -> int:
        numbers = re.findall(r"assigned id (\d+)", self._text())
        return int(numbers[-1]) if numbers else 1

    def _text(self) -> str:
        return self._output.read_text(errors="replace")
