"""One-time passwords: issued, dialled, wrong, used, expired, locked: domain/enrollment.py."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.enrollment import (
    Claim,
    Otp,
    charge_wrong_try,
    check_lock,
    count_wrong_try,
    decide_enrollment,
    issue_otp,
)
from chalicelib.domain.errors import EnrollmentLocked, NotOnboarded, OtpExpired, OtpUsed, OtpWrong
from chalicelib.domain.identifiers import TenantId
from chalicelib.domain.installation import Installation, Stage
from tests.unit.domain.samples import MAC, NOW, TENANT_ID, after, an_installation

RIGHT, WRONG = "a" * 64, "b" * 64
CLAIM = Claim(TENANT_ID, MAC, "Lobby", NOW)
OTHERS_CLAIM = Claim(TenantId("e0000000-0000-4000-8000-000000000002"), MAC, "Hall", NOW)
ISSUED = issue_otp(CLAIM, RIGHT, NOW)


def tried(times: int, installation: Installation | None = None) -> Installation:
    """The installation after so many wrong tries at once."""
    result = installation or an_installation()
    for _ in range(times):
        result = count_wrong_try(result, NOW)
    return result


def test_an_issued_otp_is_valid_for_24_hours() -> None:
    assert Otp(RIGHT, issued_at=NOW, expires_at=after(hours=24)) == ISSUED.otp


def test_a_new_otp_voids_the_old_one() -> None:
    with pytest.raises(OtpWrong):
        decide_enrollment([issue_otp(ISSUED, WRONG, NOW)], RIGHT, NOW)


def test_a_new_otp_has_all_its_tries() -> None:
    worn = charge_wrong_try(ISSUED)

    assert 0 == (issue_otp(worn, WRONG, NOW).otp or worn.otp).wrong_tries


def test_the_right_otp_redeems_its_claim() -> None:
    expected = replace(ISSUED, otp=replace(ISSUED.otp, used_at=after(hours=1)))

    assert expected == decide_enrollment([ISSUED], RIGHT, after(hours=1))


def test_the_otp_decides_between_the_claims_of_several_tenants() -> None:
    claims = [OTHERS_CLAIM, issue_otp(OTHERS_CLAIM, WRONG, NOW), ISSUED]

    assert TENANT_ID == decide_enrollment(claims, RIGHT, NOW).tenant_id


def test_a_device_that_nobody_claimed_has_no_right_otp() -> None:
    with pytest.raises(OtpWrong):
        decide_enrollment([], RIGHT, NOW)


def test_a_claim_without_an_otp_has_no_right_otp() -> None:
    with pytest.raises(OtpWrong):
        decide_enrollment([CLAIM], RIGHT, NOW)


def test_a_wrong_otp_is_wrong() -> None:
    with pytest.raises(OtpWrong):
        decide_enrollment([ISSUED], WRONG, NOW)


def test_an_otp_is_used_once() -> None:
    used = decide_enrollment([ISSUED], RIGHT, NOW)
    with pytest.raises(OtpUsed):
        decide_enrollment([used], RIGHT, after(minutes=1))


def test_a_used_otp_stays_used_after_its_expiry() -> None:
    used = decide_enrollment([ISSUED], RIGHT, NOW)
    with pytest.raises(OtpUsed):
        decide_enrollment([used], RIGHT, after(days=2))


@pytest.mark.parametrize("hours", [24, 25, 1000])
def test_an_otp_expires_after_24_hours(hours: int) -> None:
    with pytest.raises(OtpExpired):
        decide_enrollment([ISSUED], RIGHT, after(hours=hours))


def test_an_otp_is_good_to_its_last_second() -> None:
    assert decide_enrollment([ISSUED], RIGHT, after(hours=24) - timedelta(seconds=1)).otp is not None


def test_an_otp_survives_24_wrong_tries() -> None:
    worn = replace(ISSUED, otp=replace(ISSUED.otp, wrong_tries=24))

    assert TENANT_ID == decide_enrollment([worn], RIGHT, NOW).tenant_id


def test_an_otp_ends_with_the_25th_wrong_try() -> None:
    worn = charge_wrong_try(replace(ISSUED, otp=replace(ISSUED.otp, wrong_tries=24)))
    with pytest.raises(OtpExpired):
        decide_enrollment([worn], RIGHT, NOW)


def test_a_wrong_try_is_charged_to_the_otp() -> None:
    charged = charge_wrong_try(ISSUED)

    assert 1 == (charged.otp and charged.otp.wrong_tries)


def test_a_claim_without_an_otp_is_not_charged() -> None:
    assert CLAIM == charge_wrong_try(CLAIM)


def test_four_wrong_tries_do_not_lock() -> None:
    assert (4, None) == (tried(4).wrong_otps, tried(4).locked_until)


def test_the_fifth_wrong_try_locks_for_15_minutes() -> None:
    assert after(minutes=15) == tried(5).locked_until


def test_a_locked_installation_may_not_try() -> None:
    with pytest.raises(EnrollmentLocked):
        check_lock(tried(5), after(minutes=14.9))


def test_a_locked_installation_may_try_after_15_minutes() -> None:
    assert check_lock(tried(5), after(minutes=15)) is None


def test_the_count_starts_anew_after_a_lock() -> None:
    again = count_wrong_try(tried(5), after(minutes=15))

    assert (1, None) == (again.wrong_otps, again.locked_until)


def test_a_new_candidate_is_not_locked_by_another_ones_tries() -> None:
    tried(5)

    assert check_lock(an_installation(), NOW) is None


def test_an_enrolled_installation_is_not_enrolled_again() -> None:
    with pytest.raises(NotOnboarded):
        check_lock(an_installation(stage=Stage.ACTIVE), NOW)


@given(st.lists(st.integers(0, 40), max_size=40))
def test_never_more_than_five_tries_within_15_minutes(waits: list[int]) -> None:
    installation, moment, tries = an_installation(), NOW, []
    for minutes in waits:
        moment += timedelta(minutes=minutes)
        with suppress(EnrollmentLocked):
            check_lock(installation, moment)
            tries.append(moment)
            installation = count_wrong_try(installation, moment)

    assert all(sixth - first >= timedelta(minutes=15) for first, sixth in zip(tries, tries[5:], strict=False))


@given(st.sampled_from([RIGHT, WRONG]), st.integers(0, 30), st.integers(0, 48), st.booleans())
def test_only_an_open_otp_enrolls(digest: str, wrong_tries: int, hours: int, used: bool) -> None:  # noqa: FBT001
    otp = replace(ISSUED.otp, wrong_tries=wrong_tries, used_at=NOW if used else None)
    enrolled = False
    with suppress(OtpWrong, OtpUsed, OtpExpired):
        enrolled = decide_enrollment([replace(ISSUED, otp=otp)], digest, after(hours=hours)).otp is not None

    assert (digest == RIGHT and wrong_tries < 25 and hours < 24 and not used) == enrolled
