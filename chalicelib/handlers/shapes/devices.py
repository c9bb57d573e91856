"""Bodies and answers of `/v1/devices` and `/v1/commands`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from chalicelib.contracts.edge import CommandType
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.command import CommandState
from chalicelib.domain.identifiers import CommandId, Mac, MacText, UpnText
from chalicelib.usecases.add_device import LocationText

DeviceTable = Annotated[
    str,
    Keywords(
        "A table as the Teams admin center exports it; the first line is `MAC id,Location`. At most 10,000 rows.",
        format="device-table",
        example="MAC id,Location\r\n80:5e:c0:12:34:56,Lobby\r\n",
    ),
]
DeviceLines = Annotated[
    str,
    Keywords("A device a line, as JSON.", format="device-lines", example='{"mac": "80:5e:c0:12:34:56", "location": "Lobby"}\n'),
]
OtpTable = Annotated[
    str,
    Keywords(
        "The technician's list, where the request has `Accept: text/csv`.",
        example="MAC id,Location,Verification code,Valid until\r\n805ec0123456,Lobby,123456,2026-11-23T12:00:00+00:00\r\n",
    ),
]
FileName = Annotated[str, Keywords("As in the list of uploads.", example="805ec0123456-app.log")]
UploadText = Annotated[str, Keywords("The upload as it came, where it is UTF-8.")]
UploadFile = Annotated[str, Keywords("The upload as it came, where it is no UTF-8.", format="binary")]
ReportFile = Annotated[str, Keywords("timeline.json, device.json, files/, uploads/ and README.txt.", format="binary")]


@dataclass(frozen=True)
class NewDevice:
    """A device to be added to the inventory."""

    mac: MacText
    location: LocationText = ""


@dataclass(frozen=True)
class OtpRequest:
    """The devices that get a new one-time password each."""

    macs: Annotated[tuple[MacText, ...], Keywords(min_items=1)]


@dataclass(frozen=True)
class SignInRequest:
    """A common-area account to be signed in; without a user a pairing is started for whoever has the code."""

    user: UpnText | None = None


@dataclass(frozen=True)
class OtpView:
    """A one-time password, shown once: the technician dials it on the phone as `*55*OTP`."""

    mac: Mac
    otp: Annotated[str, Keywords(pattern="^[0-9]{6}$", example="123456")]
    expires_at: datetime


@dataclass(frozen=True)
class PairingView:
    """What the user needs, shown once: the URL to open and the code to type there."""

    pairing_code: Annotated[str, Keywords(pattern="^[B-Z]{4}-[B-Z]{4}$", example="BCDF-GHJK")]
    authorization_url: Annotated[str, Keywords(format="uri", example="https://gateway.example/pair")]
    expires_at: datetime


@dataclass(frozen=True)
class CommandView:
    """A command to a device. `sip_status` is the phone's final answer, null before there is one."""

    id: CommandId
    mac: Mac
    type: CommandType
    state: CommandState
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None
    sip_status: int | None
    requested_by: str


@dataclass(frozen=True)
class EventView:
    """A line of a device's history. `type` is a past participle, such as `enrolled`; `detail` depends on it."""

    at: datetime
    type: str
    id: str
    detail: dict[str, str]


@dataclass(frozen=True)
class FileView:
    """A file as the phone gets it now, its secrets masked as `***`."""

    name: str
    content_type: str
    body: str
