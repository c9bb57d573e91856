"""Netstrings (https://cr.yp.to/proto/netstrings.txt), the frames on Kamailio's evapi link: `5:hello,`."""

from __future__ import annotations

from dataclasses import dataclass

MAX_FRAME_BYTES = 1 << 20
_MAX_DIGITS = 7


class BrokenFraming(ValueError):
    """The bytes are no netstrings; the link has to be made anew."""


@dataclass(frozen=True)
class Split:
    """The complete frames found, and the bytes that begin the next one."""

    frames: tuple[bytes, ...]
    rest: bytes


def render_netstring(payload: bytes) -> bytes:
    """`b"hello"` as `b"5:hello,"`."""
    return b"%d:%b," % (len(payload), payload)


def split_netstrings(data: bytes) -> Split:
    """All complete frames at the beginning of `data`. Raises BrokenFraming where no netstring can begin."""
    frames: list[bytes] = []
    position = 0
    while True:
        colon = data.find(b":", position, position + _MAX_DIGITS + 1)
        head = data[position : colon if colon >= 0 else position + _MAX_DIGITS + 1]
        if (head and not head.isdigit()) or (colon >= 0 and not head) or len(head) > _MAX_DIGITS:
            raise BrokenFraming(f"a length was expected, not {head[:20]!r}")
        end = colon + 1 + int(head) if colon >= 0 else len(data)
        if end >= len(data):
            return Split(tuple(frames), data[position:])
        if data[end : end + 1] != b"," or int(head) > MAX_FRAME_BYTES:
            raise BrokenFraming(f"a frame of {int(head)} bytes does not end with a comma")
        frames.append(data[colon + 1 : end])
        position = end + 1
