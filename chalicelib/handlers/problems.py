"""Errors to statuses, in one table, and their RFC 9457 problem document."""

from __future__ import annotations

from typing import Any

from chalicelib.contracts.codec import Problem, to_json
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain import errors
from chalicelib.domain.errors import GatewayError

TYPE_BASE = "urn:sip-gateway:error:"

STATUSES: dict[type[GatewayError], int] = {
    errors.BadRequest: 400,
    errors.NotAuthenticated: 401,
    errors.RoleMissing: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.IllegalMove: 409,
    errors.NotSeenYet: 409,
    errors.DeviceOwnedElsewhere: 409,
    errors.TenantDisabled: 409,
    errors.UserUnknown: 422,
    errors.UserDisabled: 422,
    errors.UserWithoutNumber: 422,
    errors.UserWithoutPolicy: 422,
    errors.NotCommonArea: 422,
    errors.DirectoryReadOnly: 409,
    errors.NumberTaken: 409,
    errors.NotSignedIn: 409,
    errors.ForwardingNotAllowed: 422,
    errors.NumberNotUsable: 422,
    errors.OwnNumber: 422,
    errors.EmergencyNumber: 422,
    errors.NoVoicemail: 404,
    errors.PairingCodeWrong: 422,
    errors.PairingCodeExpired: 410,
    errors.SignInCancelled: 400,
    errors.SignInFailed: 400,
    errors.FormExpired: 403,
    errors.IdempotencyKeyReused: 422,
    errors.IdempotencyReplayed: 409,
    errors.IdempotencyInProgress: 409,
    errors.OtpWrong: 422,
    errors.OtpExpired: 410,
    errors.OtpUsed: 410,
    errors.NotOnboarded: 409,
    errors.EnrollmentLocked: 429,
    errors.SlowDown: 429,
    errors.SaveConflict: 409,
    errors.IdentityProviderAway: 503,
    errors.DirectoryAway: 503,
    errors.DirectoryRefused: 503,
    errors.StoreAway: 503,
    errors.OurFault: 500,
    errors.GatewayError: 500,
}


def status_of(error: GatewayError) -> int:
    """The status of the nearest class in the table."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


@dataclass(frozen=True)
class ProblemDocument:
    """An error (RFC 9457). `code` is stable; `errors` names every wrong field by its JSON Pointer, where fields are wrong."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[Problem, ...] = ()


def problem_of(error: GatewayError, request_id: str) -> dict[str, Any]:
    """The problem document of an error."""
    document = ProblemDocument(
        type=f"{TYPE_BASE}{error.code}",
        title=error.title,
        status=status_of(error),
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        errors=error.problems,
    )
    rendered: dict[str, Any] = to_json(document)  # type: ignore[assignment]  # a dataclass is rendered as an object
    return rendered if error.problems else {name: value for name, value in rendered.items() if name != "errors"}
