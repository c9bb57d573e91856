"""One life of a device between factory resets: domain/installation.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.directory import BusyOnBusy, CallRedirect, SignedInUser, Voicemail
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import (
    Account,
    PairingTicket,
    PhoneState,
    Profile,
    Stage,
    account_of,
    configure,
    is_over,
    is_reusable,
    keep_alive,
    mark_fetched,
    promote,
    signed_in_profile,
    signed_out_profile,
    split_username,
    username_of,
)
from chalicelib.domain.tenant import Emergency
from tests.unit.domain.samples import (
    ANNA,
    ANY_TEXT,
    BEN,
    INSTALLATION_ID,
    NOW,
    TENANT_ID,
    a_binding,
    a_policy,
    a_tenant,
    after,
    an_installation,
)

USERS = st.builds(
    SignedInUser,
    upn=st.sampled_from([Upn("anna@example.com"), Upn("ben@example.com")]),
    display_name=st.sampled_from(["Anna", "Ben", ""]),
    number=st.sampled_from(["+4989123401", "+4989123402"]),
)
PROFILES = st.builds(
    Profile,
    user=st.none() | USERS,
    time_zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    emergency=st.sampled_from([Emergency(), Emergency(("112",), when_signed_out=True)]),
    voicemail=st.sampled_from(["", "+4989123499"]),
)
CHANGES = st.lists(st.tuples(st.sampled_from([configure, lambda i, p: promote(i, a_tenant(), p)]), PROFILES), max_size=8)


# --- candidates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"fetched_version": 1}, False),
        ({"registered_at": NOW}, False),
        ({"stage": Stage.ACTIVE}, False),
        ({"expires_at": NOW}, False),
        ({"expires_at": NOW + timedelta(seconds=1)}, True),
        ({"expires_at": None}, True),
    ],
)
def test_a_candidate_is_repeated_until_it_is_used_or_over(changes: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    assert expected == is_reusable(an_installation(**changes), NOW)


@pytest.mark.parametrize(("hours", "expected"), [(0, False), (23.99, False), (24, True), (48, True)])
def test_a_candidate_is_over_after_24_hours(hours: float, expected: bool) -> None:  # noqa: FBT001
    assert expected == is_over(an_installation(), after(hours=hours))


def test_an_active_installation_is_never_over() -> None:
    active = promote(an_installation(), a_tenant(), Profile())

    assert not is_over(active, after(days=10_000))


@given(st.integers(0, 400))
def test_a_candidate_that_registered_lives_14_days_more_give_or_take_one(hours: int) -> None:
    installation = keep_alive(an_installation(), NOW)
    registered = keep_alive(installation, after(hours=hours))

    assert timedelta(days=13) < (registered.expires_at or NOW) - after(hours=hours) <= timedelta(days=14)


def test_a_registration_within_a_day_changes_nothing() -> None:
    registered = keep_alive(an_installation(), NOW)

    assert keep_alive(registered, after(hours=23)) is registered


def test_the_first_registration_is_remembered() -> None:
    registered = keep_alive(keep_alive(an_installation(), NOW), after(days=3))

    assert NOW == registered.registered_at


def test_an_active_installation_gets_no_end_by_registering() -> None:
    active = promote(an_installation(), a_tenant(), Profile())

    assert keep_alive(active, NOW).expires_at is None


# --- user names ----------------------------------------------------------------------------------------------------------


def test_a_user_name_names_installation_and_account_version() -> None:
    assert f"{INSTALLATION_ID}.7" == username_of(an_installation(), Account(7, INSTALLATION_ID))


@given(st.integers(0, 999_999))
def test_a_user_name_is_read_back(version: int) -> None:
    username = username_of(an_installation(), Account(version, INSTALLATION_ID))

    assert (INSTALLATION_ID, version) == split_username(username)


@pytest.mark.parametrize("username", ["", "x", ".1", "x.", "x.y", "x.-1", "x.1.", "x.1234567", "x.1_0", "x. 1", "x.²"])
def test_a_user_name_of_another_form_names_nothing(username: str) -> None:
    assert split_username(username) is None


@pytest.mark.parametrize("username", ["x.01", "x.001", "x.٣", "x.１"])
def test_an_account_has_only_one_user_name(username: str) -> None:
    assert split_username(username) is None


@given(ANY_TEXT | st.from_regex(r"[a-z2-7.]{0,26}\.\d{0,7}", fullmatch=True))
def test_what_a_user_name_names_is_spelled_only_so(username: str) -> None:
    named = split_username(username)

    assert named is None or f"{named[0]}.{named[1]}" == username


# --- accounts -------------------------------------------------------------------------------------------------------------


def test_the_account_counts_under_its_version() -> None:
    account = Account(2, ANNA.number, may_call=True)

    assert account == account_of(an_installation(account=account), 2)


def test_the_previous_account_counts_without_calls() -> None:
    installation = an_installation(account=Account(3, "x"), previous=Account(2, ANNA.number, may_call=True))

    assert Account(2, ANNA.number, may_call=False) == account_of(installation, 2)


@pytest.mark.parametrize("version", [0, 1, 4])
def test_no_other_version_counts(version: int) -> None:
    installation = an_installation(account=Account(3, "x"), previous=Account(2, "y"))

    assert account_of(installation, version) is None


# --- configurations -------------------------------------------------------------------------------------------------------


@given(PROFILES)
def test_configuring_an_equal_profile_changes_nothing(profile: Profile) -> None:
    installation = an_installation(profile=profile)

    assert configure(installation, replace(profile)) is installation


def test_another_profile_is_another_configuration() -> None:
    assert 2 == configure(an_installation(), Profile(time_zone="Europe/Berlin")).config_version


def test_another_time_zone_keeps_the_account() -> None:
    assert an_installation().account == configure(an_installation(), Profile(time_zone="Europe/Berlin")).account


def test_another_display_name_keeps_the_account() -> None:
    before = configure(an_installation(), Profile(ANNA))
    renamed = configure(before, Profile(replace(ANNA, display_name="Anna Berg-Alt")))

    assert (before.account, before.previous) == (renamed.account, renamed.previous)


def test_a_signed_in_user_gets_an_account_that_may_call() -> None:
    assert account_for(ANNA, 2, None) == configure(an_installation(), Profile(ANNA)).account


def test_the_account_before_stays_as_the_previous_one() -> None:
    before = an_installation()

    assert before.account == configure(before, Profile(ANNA)).previous


def test_another_user_gets_another_account() -> None:
    installation = configure(configure(an_installation(), Profile(ANNA)), Profile(BEN))

    assert account_for(BEN, 3, None) == installation.account


def test_another_number_is_another_account() -> None:
    installation = configure(an_installation(), Profile(ANNA))
    moved = configure(installation, Profile(replace(ANNA, number="+4989123455")))

    assert account_for(replace(ANNA, number="+4989123455"), 3, None) == moved.account


def test_a_signed_out_device_gets_an_account_that_may_not_call() -> None:
    installation = configure(configure(an_installation(), Profile(ANNA)), Profile())

    assert Account(3, INSTALLATION_ID, may_call=False) == installation.account


@given(CHANGES)
def test_an_account_version_never_repeats(changes: list[tuple[Any, Profile]]) -> None:
    installation = an_installation()
    seen = {installation.account.version: installation.account}
    for change, profile in changes:
        installation = change(installation, profile)
        assert installation.account == seen.setdefault(installation.account.version, installation.account)


@given(CHANGES)
def test_a_configuration_version_never_goes_back(changes: list[tuple[Any, Profile]]) -> None:
    installation = an_installation()
    for change, profile in changes:
        changed = change(installation, profile)
        assert (changed == installation) == (changed.config_version == installation.config_version)
        assert changed.config_version in {installation.config_version, installation.config_version + 1}
        installation = changed


@given(CHANGES)
def test_an_account_may_call_exactly_while_somebody_is_signed_in(changes: list[tuple[Any, Profile]]) -> None:
    installation = an_installation()
    for change, profile in changes:
        installation = change(installation, profile)
        assert (installation.profile.user is not None) == installation.account.may_call


@given(CHANGES)
def test_the_address_of_record_is_the_users_number_or_the_installation(changes: list[tuple[Any, Profile]]) -> None:
    installation = an_installation()
    for change, profile in changes:
        installation = change(installation, profile)
        assert (profile.user.number if profile.user else INSTALLATION_ID) == installation.account.aor


def test_a_fetched_configuration_is_settled() -> None:
    assert mark_fetched(configure(an_installation(), Profile(ANNA))).settled


def test_a_new_configuration_is_not_settled() -> None:
    assert not configure(mark_fetched(an_installation()), Profile(ANNA)).settled


# --- becoming active --------------------------------------------------------------------------------------------------------


def test_a_promoted_candidate_belongs_to_the_tenant() -> None:
    active = promote(an_installation(), a_tenant(), Profile())

    assert (Stage.ACTIVE, TENANT_ID, None) == (active.stage, active.tenant_id, active.expires_at)


def test_a_promoted_candidate_starts_with_a_clean_slate() -> None:
    candidate = an_installation(
        pairing=PairingTicket("nonce", "digest", NOW), binding=a_binding(), wrong_otps=4, locked_until=after(minutes=15)
    )
    active = promote(candidate, a_tenant(), Profile())

    assert (None, None, 0, None) == (active.pairing, active.binding, active.wrong_otps, active.locked_until)


def test_an_enrolled_candidate_keeps_its_account() -> None:
    assert an_installation().account == promote(an_installation(), a_tenant(), Profile()).account


def test_an_active_installation_that_changes_hands_gets_another_account() -> None:
    annas = promote(an_installation(), a_tenant(), Profile(ANNA))

    assert account_for(BEN, 3, TENANT_ID) == promote(annas, a_tenant(), Profile(BEN)).account


def test_promotion_is_always_a_new_configuration() -> None:
    active = promote(an_installation(), a_tenant(), Profile())

    assert active.config_version + 1 == promote(active, a_tenant(), Profile()).config_version


@pytest.mark.parametrize(
    ("stage", "user", "expected"),
    [
        (Stage.CANDIDATE, None, PhoneState.ONBOARDING),
        (Stage.ACTIVE, None, PhoneState.ENROLLED),
        (Stage.ACTIVE, ANNA, PhoneState.SIGNED_IN),
    ],
)
def test_the_phone_gets_the_configuration_of_its_state(stage: Stage, user: SignedInUser | None, expected: PhoneState) -> None:
    assert expected is an_installation(stage=stage, profile=Profile(user)).state


def test_a_signed_out_profile_has_the_tenants_time_and_emergency_numbers() -> None:
    tenant = a_tenant(time_zone="Europe/Berlin", emergency=Emergency(("112",)), voicemail="+4989123499")

    assert Profile(None, "Europe/Berlin", Emergency(("112",)), "") == signed_out_profile(tenant)


def account_for(user: SignedInUser, version: int, tenant_id: TenantId | None) -> Account:
    return Account(version, user.number, may_call=True, tenant_id=tenant_id, upn=user.upn)


@pytest.mark.parametrize(
    ("policy", "consequences"),
    [
        ({}, ("+4989123499", False, True)),
        ({"voicemail": Voicemail.ALWAYS_DISABLED}, ("", False, True)),
        ({"voicemail": Voicemail.ALWAYS_ENABLED}, ("+4989123499", False, True)),
        ({"busy_on_busy": BusyOnBusy.ENABLED}, ("+4989123499", True, True)),
        ({"busy_on_busy": BusyOnBusy.UNANSWERED}, ("+4989123499", False, True)),
        ({"busy_on_busy": BusyOnBusy.USER_OVERRIDE}, ("+4989123499", False, True)),
        ({"call_redirect": CallRedirect.DISABLED}, ("+4989123499", False, False)),
        ({"call_redirect": CallRedirect.USER_OVERRIDE}, ("+4989123499", False, True)),
    ],
    ids=str,
)
def test_a_policys_consequences_lie_in_the_profile(policy: dict[str, Any], consequences: tuple[object, ...]) -> None:
    profile = signed_in_profile(a_tenant(voicemail="+4989123499"), ANNA, a_policy(**policy))

    assert consequences == (profile.voicemail, profile.busy_on_busy, profile.may_forward)


def test_a_signed_in_profile_adds_user_and_voicemail() -> None:
    tenant = a_tenant(time_zone="Europe/Berlin", emergency=Emergency(("112",)), voicemail="+4989123499")

    assert Profile(ANNA, "Europe/Berlin", Emergency(("112",)), "+4989123499") == signed_in_profile(tenant, ANNA, None)
