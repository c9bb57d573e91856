"""What Kamailio's tables hold, as text: fields between bars, free text in hex, so that nothing in it can be taken for a bar.

The other end are the route files: `$(avp(record){s.select,N,|})` reads field N. Fields are only ever added at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from chalicelib.contracts.edge import NO_CALL_SETTINGS, CallSettings, Credentials, Route

MAX_NAME_LENGTH = 64
MAX_LOCATION_LENGTH = 200
MAX_PHRASE_LENGTH = 120
MAX_EMERGENCY_NUMBERS = 20
MAX_ADDRESS_LENGTH = 128
LONGEST_RING_SECONDS = 120

_AOR = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
_HA1_MD5 = re.compile(r"[0-9a-f]{32}")
_HA1_SHA256 = re.compile(r"[0-9a-f]{64}")
_USERNAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAC = re.compile(r"[0-9a-f]{0,12}")
_LANGUAGE = re.compile(r"[a-z-]{2,8}")
_TENANT = re.compile(r"[A-Za-z0-9_.-]{0,64}")
_NUMBER = re.compile(r"(\+[0-9]{3,15})?")
_EMERGENCY_NUMBER = re.compile(r"[0-9*#+]{2,8}")
# What a call can be sent to: a number, a user principal name, or either as a SIP URI.
_ADDRESS = re.compile(r"(sips?:)?[A-Za-z0-9._~!#$&'*+/=?^{}%@;:-]{1,128}")
_UNQUOTABLE = str.maketrans({'"': "'", "\\": "/"})


class UnusableCredentials(ValueError):
    """Credentials from the functions that Kamailio's table could not hold; the message names the field."""


@dataclass(frozen=True)
class CalledUser:
    """Somebody who can be called, from the user's credentials or from a route answer."""

    aor: str
    tenant_id: str
    number: str
    user: str
    display_name: str
    username: str
    voicemail: str
    call_settings: CallSettings = NO_CALL_SETTINGS


def render_record(credentials: Credentials) -> str:
    """The value of Kamailio's `credentials` table. Raises UnusableCredentials.

    `md5|sha256|class|aor|language|mac|emergency|expires_at|display name|tenant|number|user|emergency numbers|location|
    emergency refusal`; class is `user` or `onboarding`; display name, user, location and refusal are in hex, the location
    escaped for XML, name and refusal for a quoted string; emergency numbers have commas around each: `,112,110,`.
    """
    checks = {
        "ha1.md5": (_HA1_MD5, credentials.ha1.md5),
        "ha1.sha256": (_HA1_SHA256, credentials.ha1.sha256),
        "aor": (_AOR, credentials.aor),
        "mac": (_MAC, credentials.mac),
        "tenant_id": (_TENANT, credentials.tenant_id or ""),
        "number": (_NUMBER, credentials.number),
    }
    for field, (pattern, value) in checks.items():
        if not pattern.fullmatch(value):
            raise UnusableCredentials(field)
    numbers = [number for number in credentials.emergency_numbers if _EMERGENCY_NUMBER.fullmatch(number)]
    fields = (
        credentials.ha1.md5,
        credentials.ha1.sha256,
        "user" if credentials.may_call else "onboarding",
        credentials.aor,
        credentials.language if _LANGUAGE.fullmatch(credentials.language) else "en",
        credentials.mac,
        "1" if credentials.emergency else "0",
        str(int(credentials.expires_at.timestamp())),
        _hex(_quoted(_one_line(credentials.display_name)[:MAX_NAME_LENGTH])),
        credentials.tenant_id or "",
        credentials.number,
        _hex(credentials.user.lower()[:MAX_ADDRESS_LENGTH]),
        f",{','.join(numbers[:MAX_EMERGENCY_NUMBERS])},",
        _hex(escape(_one_line(credentials.location)[:MAX_LOCATION_LENGTH])),
        _hex(_one_line(credentials.emergency_refusal)[:MAX_PHRASE_LENGTH].translate(_UNQUOTABLE)),
    )
    return "|".join(fields)


def render_called(called: CalledUser) -> str:
    """The value of Kamailio's `users` table, by AOR.

    `tenant|number|user|display name|username|voicemail|do not disturb|forward to|forward on timeout to|also ring|ring seconds|
    busy on busy`; user, display name (as in a record) and the four addresses are in hex. One that cannot be called is none.
    """
    settings = called.call_settings
    fields = (
        called.tenant_id if _TENANT.fullmatch(called.tenant_id) else "",
        called.number if _NUMBER.fullmatch(called.number) else "",
        _hex(called.user.lower()[:MAX_ADDRESS_LENGTH]),
        _hex(_quoted(_one_line(called.display_name)[:MAX_NAME_LENGTH])),
        called.username,
        _address(called.voicemail),
        "1" if settings.do_not_disturb else "0",
        _address(settings.forward_to),
        _address(settings.forward_on_timeout_to),
        _address(settings.also_ring),
        str(min(max(1, settings.ring_seconds), LONGEST_RING_SECONDS)),
        "1" if settings.busy_on_busy else "0",
    )
    return "|".join(fields)


def called_by_credentials(credentials: Credentials, username: str) -> CalledUser | None:
    """The user whose phone this is; None for a phone without a user, which nobody can call."""
    if not credentials.may_call:
        return None
    return CalledUser(
        aor=credentials.aor,
        tenant_id=credentials.tenant_id or "",
        number=credentials.number,
        user=credentials.user,
        display_name=credentials.display_name,
        username=username,
        voicemail=credentials.voicemail,
        call_settings=credentials.call_settings,
    )


def called_by_route(route: Route) -> CalledUser:
    """The user that a route answer leads to."""
    return CalledUser(
        aor=route.aor,
        tenant_id=route.tenant_id,
        number=route.number,
        user=route.user,
        display_name=route.display_name,
        username=route.username if _USERNAME.fullmatch(route.username) else "",
        voicemail=route.voicemail,
        call_settings=route.call_settings,
    )


def is_aor(text: str) -> bool:
    """Whether this can be the user part of an address of record."""
    return bool(_AOR.fullmatch(text))


def _address(text: str) -> str:
    return _hex(text) if _ADDRESS.fullmatch(text) else ""


def _one_line(text: str) -> str:
    """Without what could end a header or an XML text."""
    return "".join(character if character.isprintable() else " " for character in text)


def _quoted(text: str) -> str:
    """As it stands between quotes (RFC 3261 section 25.1): nothing more, for phones show the backslash of an escaped `'`."""
    return text.replace("\\", r"\\").replace('"', r"\"")


def _hex(text: str) -> str:
    return text.encode("utf-8", "ignore").hex()
