"""Who may be signed in on a SIP device: domain/directory.py, and what a sync does about it: domain/sync.py."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from chalicelib.domain.directory import CallingPolicy, SignedInUser, User, decide_sign_in
from chalicelib.domain.errors import (
    CallerFault,
    TenantDisabled,
    UserDisabled,
    UserUnknown,
    UserWithoutNumber,
    UserWithoutPolicy,
)
from chalicelib.domain.installation import Profile, Stage
from chalicelib.domain.sync import SyncDecision, decide_sync
from chalicelib.domain.tenant import Emergency, Tenant
from tests.unit.domain.samples import ANNA, BEN, TENANT_ID, a_policy, a_tenant, a_user, an_installation

ENABLED, DISABLED = a_tenant(), a_tenant(enabled=False)
ALLOWING, FORBIDDING = a_policy(), a_policy(sip_devices_for_calls=False)
BERLIN = a_tenant(time_zone="Europe/Berlin", emergency=Emergency(("112",)), voicemail="+4989123499")
SIGNED_IN = Profile(ANNA, time_zone="Europe/Berlin", emergency=Emergency(("112",)), voicemail="+4989123499")
SIGNED_OUT = Profile(time_zone="Europe/Berlin", emergency=Emergency(("112",)))


def expected_refusal(tenant: Tenant, user: User | None, policy: CallingPolicy | None) -> type[CallerFault] | None:
    """The decision table: the first reason that applies."""
    table = [
        (not tenant.enabled, TenantDisabled),
        (user is None, UserUnknown),
        (user is not None and not user.enabled, UserDisabled),
        (user is not None and user.number == "", UserWithoutNumber),
        (policy is None, UserWithoutPolicy),
        (policy is not None and not policy.sip_devices_for_calls, UserWithoutPolicy),
    ]
    return next((reason for applies, reason in table if applies), None)


@pytest.mark.parametrize(
    ("tenant", "user", "policy"),
    list(
        product((ENABLED, DISABLED), (None, a_user(), a_user(number=""), a_user(enabled=False)), (None, ALLOWING, FORBIDDING))
    ),
)
def test_the_first_reason_that_applies_refuses_the_sign_in(
    tenant: Tenant, user: User | None, policy: CallingPolicy | None
) -> None:
    refusal: type[Any] | None = None
    try:
        decide_sign_in(tenant, user, policy)
    except CallerFault as error:
        refusal = type(error)

    assert expected_refusal(tenant, user, policy) is refusal


def test_the_device_knows_its_user_by_name_and_number() -> None:
    assert ANNA == decide_sign_in(ENABLED, a_user(), ALLOWING)


def test_a_user_without_a_display_name_is_shown_by_user_name() -> None:
    expected = SignedInUser(ANNA.upn, str(ANNA.upn), ANNA.number)

    assert expected == decide_sign_in(ENABLED, a_user(display_name=""), ALLOWING)


def test_nobody_may_use_a_policy_before_it_is_turned_on() -> None:
    with pytest.raises(UserWithoutPolicy, match="turn on “SIP devices can be used for calls”"):
        decide_sign_in(ENABLED, a_user(), CallingPolicy(TENANT_ID, "Sales"))


def test_a_policy_that_is_not_known_here_allows_nothing() -> None:
    with pytest.raises(UserWithoutPolicy, match="is not known here"):
        decide_sign_in(ENABLED, a_user(policy="Sales"), None)


def test_a_user_without_a_policy_of_their_own_has_the_global_one() -> None:
    with pytest.raises(UserWithoutPolicy, match="is not known here"):
        decide_sign_in(ENABLED, a_user(), None)


def test_a_sync_with_an_unchanged_directory_changes_nothing() -> None:
    installation = an_installation(stage=Stage.ACTIVE, profile=SIGNED_IN)

    assert SyncDecision(SIGNED_IN) == decide_sync(BERLIN, installation, a_user(), ALLOWING)


def test_a_sync_brings_another_number_to_the_device() -> None:
    installation = an_installation(stage=Stage.ACTIVE, profile=SIGNED_IN)
    decision = decide_sync(BERLIN, installation, a_user(number="+4989123455"), ALLOWING)

    assert "+4989123455" == (decision.profile.user and decision.profile.user.number)


def test_a_sync_brings_the_tenants_settings_to_a_signed_out_device() -> None:
    installation = an_installation(stage=Stage.ACTIVE)

    assert SyncDecision(SIGNED_OUT) == decide_sync(BERLIN, installation, None, None)


@pytest.mark.parametrize(
    ("tenant", "user", "policy", "reason"),
    [
        (DISABLED, a_user(), ALLOWING, "tenant_disabled"),
        (ENABLED, None, ALLOWING, "user_unknown"),
        (ENABLED, a_user(enabled=False), ALLOWING, "user_disabled"),
        (ENABLED, a_user(number=""), ALLOWING, "user_without_number"),
        (ENABLED, a_user(), FORBIDDING, "user_without_policy"),
        (ENABLED, a_user(), None, "user_without_policy"),
    ],
)
def test_a_sync_signs_out_who_lost_the_right_and_says_why(
    tenant: Tenant, user: User | None, policy: CallingPolicy | None, reason: str
) -> None:
    installation = an_installation(stage=Stage.ACTIVE, profile=SIGNED_IN)

    unknown = reason == "user_without_policy" and policy is None
    assert SyncDecision(Profile(), reason, unknown) == decide_sync(tenant, installation, user, policy)


def test_a_sync_never_signs_anybody_in() -> None:
    decision = decide_sync(BERLIN, an_installation(stage=Stage.ACTIVE, profile=SIGNED_OUT), a_user(upn=BEN.upn), ALLOWING)

    assert SyncDecision(SIGNED_OUT) == decision
