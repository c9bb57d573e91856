"""Every error of the gateway that somebody outside is told about: one root, and below it whose fault it is.

`code` is stable: programs match on it, tests walk it, docs list it. `detail` is a sentence for a person and says what to do. It
never carries a secret. handlers/problems.py turns these into statuses, in one table.
"""

from __future__ import annotations

from typing import ClassVar

from chalicelib.contracts.codec import Problem


class GatewayError(Exception):
    """The root. `code` names the kind of error, `title` is its fixed short form, `detail` says what to do about this one."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong in the gateway"

    def __init__(self, detail: str = "", problems: tuple[Problem, ...] = ()) -> None:
        self.detail = detail or self.title
        self.problems = problems
        super().__init__(self.detail)


# --- whose fault -------------------------------------------------------------------------------------------------------


class OurFault(GatewayError):
    """The gateway is broken or wrongly set up; the caller can only tell its operator."""


class CallerFault(GatewayError):
    """The request cannot be carried out as it stands; the caller must change something."""


class NotNow(GatewayError):
    """The same request may succeed later. `retry_after_seconds` says when to try again."""

    retry_after_seconds = 5


# --- the caller's ------------------------------------------------------------------------------------------------------


class BadRequest(CallerFault):
    """A value or a body that cannot be read; `problems` names every field."""

    code = "bad_request"
    title = "The request cannot be read"


class NotAuthenticated(CallerFault):
    """No token, or one that does not prove who is calling."""

    code = "not_authenticated"
    title = "A valid bearer token is needed"


class RoleMissing(CallerFault):
    """The token is valid and does not carry a role that may do this."""

    code = "role_missing"
    title = "Your role may not do this"


class NotFound(CallerFault):
    """Nothing of that name in the caller's tenant."""

    code = "not_found"
    title = "There is no such thing"


class PayloadTooLarge(CallerFault):
    """A body over the limit of its endpoint."""

    code = "payload_too_large"
    title = "The body is too large"


class MethodNotAllowed(CallerFault):
    """The path exists, and not with this method."""

    code = "method_not_allowed"
    title = "This path does not have that method"


class UnsupportedMediaType(CallerFault):
    """The body's Content-Type is none that its endpoint reads."""

    code = "unsupported_media_type"
    title = "The body is of a type that is not read here"


class IllegalMove(CallerFault):
    """The device is not in a state that allows this; it stays as it was."""

    code = "illegal_state"
    title = "The device's state does not allow this"


class NotSeenYet(CallerFault):
    """The device is in the inventory, and the phone itself has made no contact with this tenant."""

    code = "not_seen_yet"
    title = "The device has not been seen yet"


class DeviceOwnedElsewhere(CallerFault):
    """The device is enrolled in another tenant."""

    code = "device_owned_elsewhere"
    title = "The device belongs to another organisation"


class TenantDisabled(CallerFault):
    """The tenant has not enabled the gateway."""

    code = "tenant_disabled"
    title = "Your organisation has not enabled the SIP Gateway"


class UserUnknown(CallerFault):
    """The directory has no such user."""

    code = "user_unknown"
    title = "The user is not in the directory"


class UserDisabled(CallerFault):
    """The user's account is disabled in the directory."""

    code = "user_disabled"
    title = "The user's account is disabled"


class UserWithoutNumber(CallerFault):
    """The user has no phone number."""

    code = "user_without_number"
    title = "The user has no phone number"


class UserWithoutPolicy(CallerFault):
    """The user's calling policy does not allow SIP devices, or is not known here."""

    code = "user_without_policy"
    title = "The user's calling policy does not allow SIP devices"


class NotCommonArea(CallerFault):
    """Only common-area accounts are signed in by an administrator."""

    code = "not_common_area"
    title = "The account is not a common-area account"


class DirectoryReadOnly(CallerFault):
    """Users come from Microsoft Graph: they are changed in Teams and Entra ID."""

    code = "directory_read_only"
    title = "Users come from Microsoft Graph"


class NumberTaken(CallerFault):
    """Another user, of this tenant or of another, holds the phone number in this region."""

    code = "number_taken"
    title = "The phone number belongs to somebody else"


class PairingCodeWrong(CallerFault):
    """access_denied of RFC 8628 section 3.5: no pending pairing has this code."""

    code = "access_denied"
    title = "The pairing code is not right"


class PairingCodeExpired(CallerFault):
    """expired_token of RFC 8628 section 3.5: the code was right, its 15 minutes or its one use are over."""

    code = "expired_token"
    title = "The pairing code has expired"


class SignInCancelled(CallerFault):
    """The person cancelled at the identity provider, or consent was refused."""

    code = "sign_in_cancelled"
    title = "The sign-in was cancelled"


class SignInFailed(CallerFault):
    """The identity provider's answer cannot be used: replayed, too old, or not begun in this browser."""

    code = "sign_in_failed"
    title = "The sign-in could not be completed"


class FormExpired(CallerFault):
    """A form was posted without the token of this browser's session (CSRF), or the session is over."""

    code = "form_expired"
    title = "The page has expired"


class IdempotencyKeyReused(CallerFault):
    """The Idempotency-Key was sent before, with another body."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"


class IdempotencyReplayed(CallerFault):
    """The request was carried out before with this Idempotency-Key, and its answer is not kept."""

    code = "idempotency_replayed"
    title = "This was done already, and its answer is not kept"


# --- enrollment's verdicts (feature code *55*) -------------------------------------------------------------------------


class OtpWrong(CallerFault):
    """No claim for this device has that one-time password."""

    code = "wrong_otp"
    title = "Wrong code"


class OtpExpired(CallerFault):
    """Right, and older than 24 hours."""

    code = "expired_otp"
    title = "Code expired"


class OtpUsed(CallerFault):
    """Right, and used before."""

    code = "used_otp"
    title = "Code already used"


class NotOnboarded(CallerFault):
    """The device is not waiting for enrollment."""

    code = "not_onboarded"
    title = "Phone is not ready to be enrolled"


# --- calls -------------------------------------------------------------------------------------------------------------


class NotSignedIn(CallerFault):
    """A feature code for the user's calls was dialled on a phone without a user."""

    code = "not_signed_in"
    title = "Sign in first"


class ForwardingNotAllowed(CallerFault):
    """The user's calling policy has call_redirect disabled."""

    code = "forwarding_not_allowed"
    title = "Call forwarding is not allowed"


class NumberNotUsable(CallerFault):
    """What was dialled after the code is no telephone number."""

    code = "number_not_usable"
    title = "This number cannot be used"


class OwnNumber(CallerFault):
    """Calls cannot be forwarded to the number that they came in for."""

    code = "own_number"
    title = "This is your own number"


class EmergencyNumber(CallerFault):
    """Calls are never forwarded to an emergency number."""

    code = "emergency_number"
    title = "This is an emergency number"


class NoVoicemail(CallerFault):
    """The tenant has no voicemail, or the user's calling policy has it disabled."""

    code = "no_voicemail"
    title = "You have no voicemail"


# --- not now -----------------------------------------------------------------------------------------------------------


class EnrollmentLocked(NotNow):
    """Five wrong one-time passwords: this phone's enrollment is locked for 15 minutes."""

    code = "enrollment_locked"
    title = "Too many wrong codes"
    retry_after_seconds = 900


class SlowDown(NotNow):
    """slow_down of RFC 8628 section 3.5: too many tries from this person or address."""

    code = "slow_down"
    title = "Too many tries"
    retry_after_seconds = 60


class SaveConflict(NotNow):
    """Somebody else changed the same record at the same moment; nothing was saved. Use cases try again by themselves."""

    code = "conflict"
    title = "Somebody else changed this at the same moment"
    retry_after_seconds = 1


class IdempotencyInProgress(NotNow):
    """The first request with this Idempotency-Key has not ended yet."""

    code = "idempotency_in_progress"
    title = "The first request with this Idempotency-Key is not done yet"
    retry_after_seconds = 2


class IdentityProviderAway(NotNow):
    """The identity provider does not answer."""

    code = "identity_provider_away"
    title = "The sign-in service does not answer"
    retry_after_seconds = 30


class DirectoryAway(NotNow):
    """Microsoft Graph does not answer, throttles, or answers what cannot be read. Nothing was decided upon it."""

    code = "directory_away"
    title = "Microsoft Graph does not answer"

    retry_after_seconds = 30

    def __init__(self, detail: str = "", retry_after_seconds: int = 30) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class DirectoryRefused(DirectoryAway):
    """Microsoft Graph, or the token for it, is refused: an administrator must give consent first."""

    code = "directory_refused"
    title = "Microsoft Graph does not let the gateway in"


class StoreAway(NotNow):
    """The database does not answer or throttles."""

    code = "store_away"
    title = "The gateway's database does not answer"
    retry_after_seconds = 5
