"""Claims and one-time passwords: how a technician ties a phone to an organisation by dialling `*55*OTP`.

Adding a MAC is a claim, not a possession: claims of several tenants live side by side, and the one-time password dialled on the
phone decides. Tries are counted per installation, so that a stranger with the same MAC locks only themselves; over all
installations together an OTP survives 25 wrong tries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hmac import compare_digest

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import EnrollmentLocked, NotOnboarded, OtpExpired, OtpUsed, OtpWrong
from chalicelib.domain.identifiers import Mac, TenantId
from chalicelib.domain.installation import Installation, Stage

OTP_DIGITS = 6
OTP_LIFETIME = timedelta(hours=24)
OTP_TRIES = 5
OTP_LOCK = timedelta(minutes=15)
OTP_TRIES_IN_ALL = 25
KEEP_OTP = timedelta(days=7)  # after its end: whoever still dials it is told that it has expired, or was used


@dataclass(frozen=True)
class Otp:
    """An issued one-time password: `digest` stands for it."""

    digest: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    wrong_tries: int = 0


@dataclass(frozen=True)
class Claim:
    """A tenant's entry for one MAC. Its newest one-time password voids those before."""

    tenant_id: TenantId
    mac: Mac
    location: str
    added_at: datetime
    otp: Otp | None = None
    version: int = 0


def issue_otp(claim: Claim, digest: str, now: datetime) -> Claim:
    """The claim with a new one-time password; the old one is void."""
    return replace(claim, otp=Otp(digest=digest, issued_at=now, expires_at=now + OTP_LIFETIME))


def check_lock(installation: Installation, now: datetime) -> None:
    """Raises EnrollmentLocked while the installation's enrollment is locked, NotOnboarded where it is enrolled already."""
    if installation.locked_until and now < installation.locked_until:
        raise EnrollmentLocked("Too many wrong codes. Try again in 15 minutes.")
    if installation.stage is not Stage.CANDIDATE:
        raise NotOnboarded("This phone is already enrolled.")


def decide_enrollment(claims: Sequence[Claim], digest: str, now: datetime) -> Claim:
    """The claim that the dialled one-time password redeems, marked as used. Raises OtpWrong, OtpUsed or OtpExpired."""
    for claim in claims:
        otp = claim.otp
        if otp is None or not compare_digest(otp.digest, digest):
            continue
        if otp.used_at is not None:
            raise OtpUsed("This code was already used. Ask your administrator for a new one.")
        if now >= otp.expires_at or otp.wrong_tries >= OTP_TRIES_IN_ALL:
            raise OtpExpired("This code has expired. Ask your administrator for a new one.")
        return replace(claim, otp=replace(otp, used_at=now))
    raise OtpWrong("Wrong code. Check the code and dial again.")


def count_wrong_try(installation: Installation, now: datetime) -> Installation:
    """After a wrong one-time password: the fifth locks this installation's enrollment for 15 minutes."""
    tries = (0 if installation.locked_until and now >= installation.locked_until else installation.wrong_otps) + 1
    return replace(installation, wrong_otps=tries, locked_until=now + OTP_LOCK if tries >= OTP_TRIES else None)


def charge_wrong_try(claim: Claim) -> Claim:
    """The claim after a wrong try on its device, whoever made it."""
    return replace(claim, otp=replace(claim.otp, wrong_tries=claim.otp.wrong_tries + 1)) if claim.otp else claim


def forget_old_otp(claim: Claim, now: datetime) -> Claim:
    """Without a one-time password that ended a week ago; else the same claim."""
    return replace(claim, otp=None) if claim.otp and claim.otp.expires_at + KEEP_OTP <= now else claim
