"""SIP messages for the tests' phones: written byte by byte, read just well enough. No retransmissions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SipMessage:
    """A request or response. Header names are lower case; `first_line` tells which it is."""

    first_line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def status(self) -> int:
        return int(self.first_line.split(" ")[1]) if self.first_line.startswith("SIP/2.0 ") else 0

    @property
    def phrase(self) -> str:
        return self.first_line.split(" ", 2)[2]

    @property
    def method(self) -> str:
        return "" if self.status else self.first_line.split(" ")[0]

    @property
    def uri(self) -> str:
        return self.first_line.split(" ")[1]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name.lower()), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]


def render_message(first_line: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    lines = [first_line, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


def take_message(data: bytes) -> tuple[SipMessage | None, bytes]:
    """The first whole message in `data`, and what follows it."""
    data = data.lstrip(b"\r\n")
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        return None, data
    first_line, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    pairs = tuple((name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    message = SipMessage(first_line, pairs)
    length = int(message.header("content-length") or 0)
    if len(rest) < length:
        return None, data
    return SipMessage(first_line, pairs, rest[:length]), rest[length:]


def digest_parameters(header: str) -> dict[str, str]:
    """`Digest a="b", c=d` as a dictionary."""
    _, _, rest = header.partition(" ")
    pairs = (item.strip().partition("=") for item in rest.split(","))
    return {name: value.strip('"') for name, _, value in pairs}
