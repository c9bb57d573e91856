"""What a user set for their calls, and what their policy leaves of it: domain/calls.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.edge import CallSettings
from chalicelib.domain.calls import UserCalls, check_target, has_forwarding, settings_in_force, without_forwarding
from chalicelib.domain.errors import CallerFault, EmergencyNumber, ForwardingNotAllowed, NumberNotUsable, OwnNumber
from chalicelib.domain.installation import Profile
from chalicelib.domain.tenant import Emergency
from tests.unit.domain.samples import ANNA, BEN, SOME_DIGITS, TENANT_ID

PROFILE = Profile(ANNA, emergency=Emergency(("110", "112")))
TARGETS = st.sampled_from(["", "+4989123402", "+12025550123", "116117"])
SETTINGS = st.builds(
    CallSettings,
    do_not_disturb=st.booleans(),
    forward_to=TARGETS,
    forward_on_timeout_to=TARGETS,
    also_ring=TARGETS,
    ring_seconds=st.integers(5, 120),
    busy_on_busy=st.booleans(),
)


def test_a_number_is_kept_as_e164() -> None:
    assert "+4989123402" == check_target("089 123402", ANNA, PROFILE)


@pytest.mark.parametrize(
    ("dialled", "refusal"),
    [
        ("112", EmergencyNumber),
        ("110", EmergencyNumber),
        ("911", EmergencyNumber),  # not the tenant's, and still somebody's
        ("12", NumberNotUsable),
        ("+12", NumberNotUsable),
        ("", NumberNotUsable),
        ("089123401", OwnNumber),
        (ANNA.number, OwnNumber),
    ],
)
def test_a_number_that_calls_may_not_go_to_is_refused(dialled: str, refusal: type[CallerFault]) -> None:
    with pytest.raises(refusal):
        check_target(dialled, ANNA, PROFILE)


def test_a_policy_without_call_redirect_allows_no_number_at_all() -> None:
    with pytest.raises(ForwardingNotAllowed):
        check_target(BEN.number, ANNA, replace(PROFILE, may_forward=False))


@given(SOME_DIGITS)
def test_no_call_is_ever_forwarded_to_oneself_or_to_an_emergency_number(dialled: str) -> None:
    try:
        number = check_target(dialled, ANNA, PROFILE)
    except CallerFault:
        return
    assert number not in {"", ANNA.number, "110", "112", "911"}


@given(SETTINGS, st.booleans(), st.booleans())
def test_the_policy_counts_more_than_what_was_set(settings: CallSettings, may_forward: bool, busy: bool) -> None:  # noqa: FBT001
    profile = replace(PROFILE, may_forward=may_forward, busy_on_busy=busy)
    in_force = settings_in_force(UserCalls(TENANT_ID, ANNA.upn, settings), profile)

    assert (settings.do_not_disturb, settings.ring_seconds, busy) == (
        in_force.do_not_disturb,
        in_force.ring_seconds,
        in_force.busy_on_busy,
    )
    assert has_forwarding(in_force) is (may_forward and has_forwarding(settings))


def test_a_user_who_set_nothing_has_what_the_policy_says() -> None:
    assert CallSettings(busy_on_busy=True) == settings_in_force(None, replace(PROFILE, busy_on_busy=True))


@given(SETTINGS)
def test_forwarding_taken_away_leaves_the_rest(settings: CallSettings) -> None:
    bare = without_forwarding(settings)

    assert not has_forwarding(bare)
    assert replace(settings, forward_to="", forward_on_timeout_to="", also_ring="") == bare
