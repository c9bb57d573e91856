"""Options and arguments that several commands share, and what may stand in them."""

import re
from pathlib import Path
from typing import Annotated

import typer

_MAC_SEPARATORS = re.compile(r"[:.\-\s]")
_MAC = re.compile(r"[0-9a-f]{12}")
_PORT = re.compile(r"(.+):([0-9]{3})")
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def parse_mac(text: str) -> str:
    """12 lower-case hex digits from any usual spelling; a port may follow, as in 80:5e:c0:12:34:56:002."""
    found = _PORT.fullmatch(text.strip())
    base = _MAC_SEPARATORS.sub("", found.group(1)).lower() if found else ""
    if found and _MAC.fullmatch(base):
        return f"{base}:{found.group(2)}"
    mac = _MAC_SEPARATORS.sub("", text).lower()
    if not _MAC.fullmatch(mac):
        raise typer.BadParameter(f"{text!r} is no MAC: 12 hex digits, for example 80:5e:c0:12:34:56")
    return mac


def is_port(mac: str) -> bool:
    """Whether it names a further port of a device, as parse_mac writes it."""
    return ":" in mac


def read_upload(path: Path) -> bytes:
    """A text file as UTF-8, also where PowerShell or Excel wrote UTF-16 or a byte order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding).encode()
            except UnicodeDecodeError as error:
                raise typer.BadParameter(f"{path} is no text: {error.reason}") from error
    return content


JsonOption = Annotated[bool, typer.Option("--json", help="Print the API's JSON.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="At most this many; all by default.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait for the outcome and show it.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=0.1, help="With --wait: seconds to wait.")]
MacArgument = Annotated[
    str, typer.Argument(metavar="MAC", parser=parse_mac, help="The device, in any usual spelling; MAC:002 for a port.")
]
