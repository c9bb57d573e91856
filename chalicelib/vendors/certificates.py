"""The MAC address in the subject of a phone's manufacturer certificate.

The certificate itself was checked before: API Gateway's mutual TLS trusts the manufacturers' roots alone. Here its subject is
read, in the form of RFC 4514 (`CN=805ec0123456,O=...`) or OpenSSL's (`/O=.../CN=805ec0123456`).
"""

from __future__ import annotations

import re

from chalicelib.domain.identifiers import Mac, find_mac

LONGEST_SUBJECT = 1024
_ATTRIBUTE = re.compile(r"(?:^|[,/+;])\s*([A-Za-z][A-Za-z0-9-]{0,31})\s*=\s*((?:\\.|[^,/+;\\]){0,256})")
_MAC_IN_VALUE = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{12}|(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})(?![0-9A-Fa-f])")


def macs_in_subject(subject: str, attributes: tuple[str, ...]) -> tuple[Mac, ...]:
    """The different MAC addresses that these attributes hold, in the order of the subject. `SEP` before one is skipped."""
    if len(subject) > LONGEST_SUBJECT:
        return ()
    wanted = {name.lower() for name in attributes}
    values = (value.replace("\\", "") for name, value in _ATTRIBUTE.findall(subject) if name.lower() in wanted)
    found = (find_mac(text) for value in values for text in _MAC_IN_VALUE.findall(value))
    return tuple(dict.fromkeys(mac for mac in found if mac))
