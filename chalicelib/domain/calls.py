"""One user's calls: what they set by feature codes, what their policy leaves of it, and the messages that wait for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from chalicelib.contracts.edge import NO_CALL_SETTINGS, CallSettings
from chalicelib.contracts.frozen import dataclass
from chalicelib.contracts.schema import Keywords
from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.errors import EmergencyNumber, ForwardingNotAllowed, NumberNotUsable, OwnNumber
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Profile
from chalicelib.domain.numbers import read_number
from chalicelib.domain.tenant import DEFAULT_EMERGENCY

MOST_MESSAGES = 9999
SHORTEST_RING_SECONDS = 5
LONGEST_RING_SECONDS = 120


@dataclass(frozen=True)
class Number:
    """Whose a telephone number is in this region: an address of record belongs to one user of one tenant.

    It counts while its user has the number in their directory, or a phone is signed in with it; after that another may have it.
    """

    number: str  # E.164
    tenant_id: TenantId
    upn: Upn
    claimed_at: datetime
    version: int = 0


@dataclass(frozen=True)
class Messages:
    """How many messages wait in a user's voicemail box."""

    new: Annotated[int, Keywords(minimum=0, maximum=MOST_MESSAGES)] = 0
    old: Annotated[int, Keywords(minimum=0, maximum=MOST_MESSAGES)] = 0


@dataclass(frozen=True)
class UserCalls:
    """What is kept of one user's calls. `messages` None: nobody has ever told. The policy's part is not kept here."""

    tenant_id: TenantId
    upn: Upn
    settings: CallSettings = NO_CALL_SETTINGS
    messages: Messages | None = None
    version: int = 0


def settings_in_force(calls: UserCalls | None, profile: Profile) -> CallSettings:
    """What the user set, as far as their policy allows it now, with what the policy itself says."""
    settings = calls.settings if calls else NO_CALL_SETTINGS
    allowed = settings if profile.may_forward else without_forwarding(settings)
    return replace(allowed, busy_on_busy=profile.busy_on_busy)


def without_forwarding(settings: CallSettings) -> CallSettings:
    """No call goes to, or rings at, another number."""
    return replace(settings, forward_to="", forward_on_timeout_to="", also_ring="")


def has_forwarding(settings: CallSettings) -> bool:
    """Whether some call goes to, or rings at, another number."""
    return settings != without_forwarding(settings)


def check_target(dialled: str, user: SignedInUser, profile: Profile) -> str:
    """The number that the user's calls may be sent to. Raises the reason where it may not be."""
    if not profile.may_forward:
        raise ForwardingNotAllowed("Your calling policy does not allow call forwarding. Ask your administrator.")
    number = read_number(dialled, user.number)
    if number in {*profile.emergency.numbers, *DEFAULT_EMERGENCY.numbers}:
        raise EmergencyNumber("Calls cannot be forwarded to an emergency number.")
    if not number:
        raise NumberNotUsable("Dial the number as you would call it, or with a plus and the country code.")
    if number == user.number:
        raise OwnNumber("This is your own number: a call cannot be forwarded to where it came in.")
    return number
