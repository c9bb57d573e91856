"""The device's state machine, walked completely: domain/device.py."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import product

import pytest

from chalicelib.domain.device import TRANSITIONS, DeviceState, Move, move
from chalicelib.domain.errors import IllegalMove
from tests.unit.domain.samples import ANNA, NOW, a_binding, a_device, after

EVERY_STEP = list(product(DeviceState, Move))
LEGAL = {
    ("added", "onboard"): "onboarded",
    ("onboarded", "onboard"): "onboarded",
    ("offboarded", "onboard"): "onboarded",
    ("added", "enroll"): "enrolled",
    ("onboarded", "enroll"): "enrolled",
    ("enrolled", "enroll"): "enrolled",
    ("signed_in", "enroll"): "enrolled",
    ("offboarded", "enroll"): "enrolled",
    ("added", "sign_in"): "signed_in",
    ("onboarded", "sign_in"): "signed_in",
    ("enrolled", "sign_in"): "signed_in",
    ("signed_in", "sign_in"): "signed_in",
    ("offboarded", "sign_in"): "signed_in",
    ("signed_in", "sign_out"): "enrolled",
    ("onboarded", "offboard"): "offboarded",
    ("enrolled", "offboard"): "offboarded",
    ("signed_in", "offboard"): "offboarded",
}
ILLEGAL = [step for step in EVERY_STEP if step not in LEGAL]


def test_the_table_holds_these_moves_and_no_others() -> None:
    assert LEGAL == {(state.value, step.value): to.value for (state, step), to in TRANSITIONS.items()}


@pytest.mark.parametrize(("state", "step"), [step for step in EVERY_STEP if step in LEGAL])
def test_a_legal_move_ends_in_its_state(state: DeviceState, step: Move) -> None:
    device = a_device(state=state, enrolled_at=NOW)

    assert LEGAL[state.value, step.value] == move(device, step, after(hours=1)).state


@pytest.mark.parametrize(("state", "step"), ILLEGAL)
def test_an_illegal_move_is_refused(state: DeviceState, step: Move) -> None:
    with pytest.raises(IllegalMove):
        move(a_device(state=state), step, NOW)


@pytest.mark.parametrize(("state", "step"), ILLEGAL)
def test_an_illegal_move_leaves_the_device_as_it_was(state: DeviceState, step: Move) -> None:
    device = a_device(state=state, user=ANNA, binding=a_binding(), enrolled_at=NOW)
    before = replace(device)
    with suppress(IllegalMove):
        move(device, step, after(hours=1))

    assert before == device


def test_an_illegal_move_says_what_cannot_be_done() -> None:
    with pytest.raises(IllegalMove, match="A device that is onboarded cannot sign out"):
        move(a_device(state=DeviceState.ONBOARDED), Move.SIGN_OUT, NOW)


@pytest.mark.parametrize("step", Move)
def test_nothing_moves_a_blocked_device(step: Move) -> None:
    with pytest.raises(IllegalMove):
        move(a_device(state=DeviceState.BLOCKED), step, NOW)


def test_onboarding_sets_its_time() -> None:
    assert NOW == move(a_device(), Move.ONBOARD, NOW).onboarded_at


def test_enrolling_sets_its_time() -> None:
    assert NOW == move(a_device(), Move.ENROLL, NOW).enrolled_at


def test_signing_in_sets_its_time() -> None:
    assert NOW == move(a_device(), Move.SIGN_IN, NOW).signed_in_at


def test_signing_in_keeps_the_time_of_the_enrollment() -> None:
    device = a_device(state=DeviceState.ENROLLED, enrolled_at=NOW)

    assert NOW == move(device, Move.SIGN_IN, after(hours=1)).enrolled_at


def test_a_personal_phone_is_onboarded_again_after_its_sign_out() -> None:
    device = a_device(state=DeviceState.SIGNED_IN, user=ANNA)

    assert move(device, Move.SIGN_OUT, NOW).state is DeviceState.ONBOARDED


def test_an_enrolled_phone_is_enrolled_again_after_its_sign_out() -> None:
    device = a_device(state=DeviceState.SIGNED_IN, user=ANNA, enrolled_at=NOW)

    assert move(device, Move.SIGN_OUT, NOW).state is DeviceState.ENROLLED


def test_a_sign_out_takes_the_user_and_the_time_away() -> None:
    signed_out = move(a_device(state=DeviceState.SIGNED_IN, user=ANNA, signed_in_at=NOW), Move.SIGN_OUT, NOW)

    assert (None, None) == (signed_out.user, signed_out.signed_in_at)


def test_a_sign_out_keeps_the_registration() -> None:
    device = a_device(state=DeviceState.SIGNED_IN, user=ANNA, binding=a_binding())

    assert a_binding() == move(device, Move.SIGN_OUT, NOW).binding


def test_offboarding_takes_user_registration_and_proofs_away() -> None:
    device = a_device(state=DeviceState.SIGNED_IN, user=ANNA, binding=a_binding(), enrolled_at=NOW, signed_in_at=NOW)
    offboarded = move(device, Move.OFFBOARD, NOW)

    actual = (offboarded.user, offboarded.binding, offboarded.enrolled_at, offboarded.signed_in_at)
    assert (None, None, None, None) == actual


@pytest.mark.parametrize("state", DeviceState)
def test_a_device_is_owned_once_presence_was_proven(state: DeviceState) -> None:
    assert (state in {"enrolled", "signed_in"}) == a_device(state=state).owned
