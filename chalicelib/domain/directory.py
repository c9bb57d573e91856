"""Users and calling policies, and the decision whether a user may be signed in on a SIP device."""

from __future__ import annotations

from enum import StrEnum

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import TenantDisabled, UserDisabled, UserUnknown, UserWithoutNumber, UserWithoutPolicy
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.tenant import Tenant

GLOBAL_POLICY = "Global"  # Teams' name of the policy that applies where none is assigned


class CallRedirect(StrEnum):
    """AllowCallRedirect of a Teams calling policy."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    USER_OVERRIDE = "user_override"


class Voicemail(StrEnum):
    """AllowVoicemail of a Teams calling policy."""

    ALWAYS_ENABLED = "always_enabled"
    ALWAYS_DISABLED = "always_disabled"
    USER_OVERRIDE = "user_override"


class BusyOnBusy(StrEnum):
    """BusyOnBusyEnabledType of a Teams calling policy."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    UNANSWERED = "unanswered"
    USER_OVERRIDE = "user_override"


@dataclass(frozen=True)
class CallingPolicy:
    """A Teams calling policy as far as a SIP device is concerned. Nobody may use one until `sip_devices_for_calls` is set."""

    tenant_id: TenantId
    name: str
    sip_devices_for_calls: bool = False
    call_redirect: CallRedirect = CallRedirect.ENABLED
    voicemail: Voicemail = Voicemail.USER_OVERRIDE
    common_area: bool = False
    busy_on_busy: BusyOnBusy = BusyOnBusy.DISABLED
    version: int = 0


@dataclass(frozen=True)
class User:
    """A user of the tenant's directory. `policy` empty means the Global policy; `number` empty means none is assigned.

    `extension` is what the directory has behind the number. Users who differ by it alone have the same number, and only one of
    them may use it here.
    """

    tenant_id: TenantId
    upn: Upn
    display_name: str = ""
    number: str = ""
    policy: str = ""
    extension: str = ""
    enabled: bool = True
    version: int = 0


@dataclass(frozen=True)
class SignedInUser:
    """What a device knows of its user."""

    upn: Upn
    display_name: str
    number: str


def decide_sign_in(tenant: Tenant, user: User | None, policy: CallingPolicy | None) -> SignedInUser:
    """The user as the device shall know them. Raises the reason where the user may not be signed in on a SIP device."""
    if not tenant.enabled:
        raise TenantDisabled("Ask your administrator to enable the SIP Gateway for your organisation.")
    if user is None:
        raise UserUnknown("Ask your administrator to add you to the directory of the SIP Gateway.")
    if not user.enabled:
        raise UserDisabled("Ask your administrator to enable your account, then sign in again.")
    if not user.number:
        raise UserWithoutNumber("Ask your administrator to assign you a phone number, then sign in again.")
    if policy is None:
        raise UserWithoutPolicy("Your calling policy is not known here. Ask your administrator to import it.")
    if not policy.sip_devices_for_calls:
        raise UserWithoutPolicy("Ask your administrator to turn on “SIP devices can be used for calls” in your calling policy.")
    return SignedInUser(upn=user.upn, display_name=user.display_name or user.upn, number=user.number)
