"""What rtpengine says of a call: protocol, encryption and packets of each side. Asked over its control port (ng, bencode)."""

from __future__ import annotations

import itertools
import socket
from dataclasses import dataclass
from typing import Any

from tests.sip.waiting import GENEROUS_SECONDS

_cookies = itertools.count(1)


@dataclass(frozen=True)
class Flow:
    """How the audio of one side travels; `suite` is empty where nothing encrypts it."""

    protocol: str
    suite: str


ENCRYPTED = Flow("RTP/SAVP", "AES_CM_128_HMAC_SHA1_80")
PLAIN = Flow("RTP/AVP", "")


@dataclass(frozen=True)
class Side:
    """One side of a call: `packets` have come from there."""

    flow: Flow
    packets: int


def sides_of(control: str, call_id: str) -> dict[str, Side]:
    """By tag. Empty where rtpengine does not know the call."""
    answer = _ask(control, {"command": "query", "call-id": call_id})
    found = {}
    for tag, side in answer.get("tags", {}).items():
        for media in side.get("medias", []):
            stream = media["streams"][0]
            suite = stream.get("crypto suite", "")
            found[tag] = Side(Flow(media.get("protocol", ""), suite), stream["stats"]["packets"])
    return found


def _ask(control: str, question: dict[str, str]) -> dict[str, Any]:
    host, _, port = control.rpartition(":")
    cookie = f"scenario{next(_cookies)}".encode()
    with socket.socket(type=socket.SOCK_DGRAM) as connection:
        connection.settimeout(GENEROUS_SECONDS)
        connection.connect((host, int(port)))
        connection.send(cookie + b" " + _bencode(question))
        answer = connection.recv(65_535)
    assert answer.startswith(cookie + b" "), answer
    decoded, _ = _bdecode(answer[len(cookie) + 1 :])
    return dict(decoded)


def _bencode(question: dict[str, str]) -> bytes:
    words = (word.encode() for pair in question.items() for word in pair)
    return b"d" + b"".join(b"%d:%s" % (len(word), word) for word in words) + b"e"


def _bdecode(data: bytes) -> tuple[Any, bytes]:
    """The first value, and what follows it."""
    kind = data[:1]
    if kind == b"i":
        number, _, rest = data[1:].partition(b"e")
        return int(number), rest
    if kind in {b"l", b"d"}:
        items, rest = [], data[1:]
        while not rest.startswith(b"e"):
            item, rest = _bdecode(rest)
            items.append(item)
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2], strict=True))), rest[1:]
    length, _, rest = data.partition(b":")
    return rest[: int(length)].decode("utf-8", "replace"), rest[int(length) :]
