"""Names of things, and the one place where each is read from text. A `parse_` gives the value or raises BadRequest."""

from __future__ import annotations

import re
import uuid
from enum import StrEnum
from typing import Annotated, NewType

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.errors import BadRequest

Mac = NewType("Mac", str)  # 12 lower-case hex digits; a further port has its number behind: `805ec0123456:002`
TenantId = NewType("TenantId", str)  # lower-case GUID of the Entra tenant
Upn = NewType("Upn", str)  # user principal name, lower case
InstallationId = NewType("InstallationId", str)  # 26 characters of a-z2-7, from the hash of the token
SipUsername = NewType("SipUsername", str)  # digest user name: INSTALLATION.VERSION
CommandId = NewType("CommandId", str)


class Language(StrEnum):
    """The languages of screens, soft keys and pages, as `lang_xx` names them."""

    EN = "en"
    ES = "es"
    JA = "ja"
    DE = "de"
    FR = "fr"
    PT = "pt"


_MAC_SEPARATORS = re.compile(r"[\s:.\-]")
_MAC = re.compile(r"[0-9a-f]{12}")
_PORT = re.compile(r"(.+):([0-9]{3})", re.DOTALL)
_MAC_LENGTH = 12
_E164 = re.compile(r"\+[1-9][0-9]{5,14}")  # ITU-T E.164: at most 15 digits
_UPN = re.compile(r"[^\s\x00-\x1f\x7f-\x9f@\"<>;,\\/]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")

# What the functions below read, as the API describes it.
MacText = Annotated[
    str,
    Keywords(
        "A MAC address in any usual spelling; the number of a port may follow, as in `80:5e:c0:12:34:56:002`.",
        pattern=r"^[\s:.\-]*([0-9A-Fa-f][\s:.\-]*){12}(:(00[1-9]|0[1-9][0-9]|[1-9][0-9]{2})\s*)?$",
        example="80:5e:c0:12:34:56",
    ),
]
UpnText = Annotated[
    str,
    Keywords(
        "A user principal name; case does not matter.",
        pattern=r"^\s*[^\s\x00-\x1f\x7f-\x9f@\"<>;,\\/]{1,64}@[A-Za-z0-9]([A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?\s*$",
        example="anna@example.com",
    ),
]
NumberText = Annotated[
    str,
    Keywords(
        "A phone number in E.164 with its plus; empty for none.",
        pattern=r"^([\s().\-]*\+[\s().\-]*[1-9][\s().\-]*([0-9][\s().\-]*){5,14})?$",
        example="+4989123401",
    ),
]


def find_mac(text: str) -> Mac | None:
    """The MAC address in any usual spelling (`80:5E:C0:12:34:56`, `805e.c012.3456`, …), or None."""
    digits = _MAC_SEPARATORS.sub("", text).lower()
    return Mac(digits) if _MAC.fullmatch(digits) else None


def find_hardware_id(text: str) -> Mac | None:
    """As find_mac, or with a port behind it (`80-5E-C0-12-34-56:002`). Ports count from 001, which is the device itself."""
    found = _PORT.fullmatch(text.strip())
    base = find_mac(found.group(1)) if found else None
    if found is None or base is None:
        return find_mac(text)
    number = int(found.group(2))
    return port_mac(base, number) if number else None


def port_mac(base: Mac, number: int) -> Mac:
    """The hardware id of one port."""
    return base if number == 1 else Mac(f"{base}:{number:03}")


def base_mac(mac: Mac) -> Mac:
    """The MAC of the device that has this port; its own where it is no further port."""
    return Mac(mac[:_MAC_LENGTH])


def port_number(mac: Mac) -> int:
    """1 for a device itself."""
    return int(mac[_MAC_LENGTH + 1 :] or 1)


def is_port(mac: Mac) -> bool:
    """Whether it names a further port of a device."""
    return len(mac) > _MAC_LENGTH


def parse_mac(text: str, pointer: str = "/mac") -> Mac:
    """As find_hardware_id; raises BadRequest."""
    mac = find_hardware_id(text)
    if mac is None:
        detail = "must be a MAC address of 12 hex digits, such as 80:5e:c0:12:34:56; a port, counted from 001, may follow: :002"
        raise BadRequest(f"{text[:40]!r} is not a MAC address.", (Problem(pointer, detail),))
    return mac


def parse_tenant_id(text: str) -> TenantId | None:
    """A GUID in its 36-character form, in lower case; None where it is not one."""
    try:
        value = str(uuid.UUID(text))
    except ValueError:
        return None
    return TenantId(value) if value == text.lower() else None


def parse_upn(text: str, pointer: str = "/upn") -> Upn:
    """A user principal name in lower case (Entra compares them without case); raises BadRequest."""
    upn = text.strip().lower()
    if not _UPN.fullmatch(upn):
        raise BadRequest(
            f"{text[:60]!r} is not a user name.", (Problem(pointer, "must be a user principal name such as anna@example.com"),)
        )
    return Upn(upn)


def parse_number(text: str, pointer: str = "/number") -> str:
    """A phone number in E.164 with its plus; blanks, hyphens, dots and brackets are dropped; raises BadRequest."""
    number = re.sub(r"[\s().\-]", "", text)
    if not _E164.fullmatch(number):
        raise BadRequest(f"{text[:40]!r} is not a phone number.", (Problem(pointer, "must be E.164, such as +4989123401"),))
    return number


def find_language(text: str | None) -> Language | None:
    """The language named by `de`, `lang_de` or `de-AT`, or None."""
    code = (text or "").lower().removeprefix("lang_").split("-")[0]
    return next((language for language in Language if language.value == code), None)
