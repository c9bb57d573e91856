"""The one root of errors and their stable codes: domain/errors.py."""

from __future__ import annotations

import re

import pytest

from chalicelib.contracts.codec import Problem
from chalicelib.domain import errors
from chalicelib.domain.errors import BadRequest, CallerFault, GatewayError, NotNow, OurFault

ALL = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, GatewayError)]
WHOSE_FAULT = {OurFault, CallerFault, NotNow}
KINDS = [error for error in ALL if error not in WHOSE_FAULT]

# Programs match on these: a code is added here, and never changed or taken away.
STABLE_CODES = {
    "GatewayError": "internal_error",
    "BadRequest": "bad_request",
    "NotAuthenticated": "not_authenticated",
    "RoleMissing": "role_missing",
    "NotFound": "not_found",
    "NotSeenYet": "not_seen_yet",
    "MethodNotAllowed": "method_not_allowed",
    "UnsupportedMediaType": "unsupported_media_type",
    "PayloadTooLarge": "payload_too_large",
    "IllegalMove": "illegal_state",
    "DeviceOwnedElsewhere": "device_owned_elsewhere",
    "TenantDisabled": "tenant_disabled",
    "UserUnknown": "user_unknown",
    "UserDisabled": "user_disabled",
    "UserWithoutNumber": "user_without_number",
    "UserWithoutPolicy": "user_without_policy",
    "NotCommonArea": "not_common_area",
    "DirectoryReadOnly": "directory_read_only",
    "NumberTaken": "number_taken",
    "PairingCodeWrong": "access_denied",
    "PairingCodeExpired": "expired_token",
    "SignInCancelled": "sign_in_cancelled",
    "SignInFailed": "sign_in_failed",
    "FormExpired": "form_expired",
    "IdempotencyKeyReused": "idempotency_key_reused",
    "IdempotencyReplayed": "idempotency_replayed",
    "IdempotencyInProgress": "idempotency_in_progress",
    "OtpWrong": "wrong_otp",
    "OtpExpired": "expired_otp",
    "OtpUsed": "used_otp",
    "NotOnboarded": "not_onboarded",
    "NotSignedIn": "not_signed_in",
    "ForwardingNotAllowed": "forwarding_not_allowed",
    "NumberNotUsable": "number_not_usable",
    "OwnNumber": "own_number",
    "EmergencyNumber": "emergency_number",
    "NoVoicemail": "no_voicemail",
    "EnrollmentLocked": "enrollment_locked",
    "SlowDown": "slow_down",
    "SaveConflict": "conflict",
    "IdentityProviderAway": "identity_provider_away",
    "DirectoryAway": "directory_away",
    "DirectoryRefused": "directory_refused",
    "StoreAway": "store_away",
}


@pytest.mark.parametrize("name", STABLE_CODES)
def test_a_code_stays_as_it_was_published(name: str) -> None:
    assert STABLE_CODES[name] == vars(errors)[name].code


def test_every_kind_of_error_is_published() -> None:
    assert set(STABLE_CODES) == {error.__name__ for error in KINDS}


def test_no_two_kinds_share_a_code() -> None:
    assert len(KINDS) == len({error.code for error in KINDS})


@pytest.mark.parametrize("error", ALL)
def test_a_code_is_snake_case(error: type[GatewayError]) -> None:
    assert re.fullmatch("[a-z]+(_[a-z]+)*", error.code)


@pytest.mark.parametrize("error", ALL)
def test_a_title_is_one_short_line_without_a_period(error: type[GatewayError]) -> None:
    assert re.fullmatch(r"[A-Z][^\n]{1,118}[^.\s]", error.title)


@pytest.mark.parametrize("error", [error for error in KINDS if error is not GatewayError])
def test_an_error_says_whose_fault_it_is(error: type[GatewayError]) -> None:
    assert 1 == sum(issubclass(error, fault) for fault in WHOSE_FAULT)


@pytest.mark.parametrize("error", [error for error in KINDS if issubclass(error, NotNow)])
def test_an_error_that_passes_says_when_to_try_again(error: type[NotNow]) -> None:
    assert 1 <= error.retry_after_seconds <= 900


@pytest.mark.parametrize("error", ALL)
def test_an_error_without_detail_says_its_title(error: type[GatewayError]) -> None:
    assert error.title == error().detail


def test_an_error_carries_its_detail_and_problems() -> None:
    error = BadRequest("Two fields are wrong.", (Problem("/mac", "is missing"),))

    assert ("Two fields are wrong.", (Problem("/mac", "is missing"),)) == (str(error), error.problems)
