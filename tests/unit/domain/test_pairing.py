"""A pairing code's life: domain/pairing.py."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import PairingCodeExpired, PairingCodeWrong
from chalicelib.domain.pairing import Pairing, PairingState, check_pairing, redeem, void
from tests.unit.domain.samples import INSTALLATION_ID, MAC, NOW, after

PENDING = Pairing("digest", INSTALLATION_ID, MAC, issued_at=NOW, expires_at=after(minutes=15))


@pytest.mark.parametrize("minutes", [0, 1, 14.99])
def test_a_pending_pairing_may_be_redeemed_for_15_minutes(minutes: float) -> None:
    assert PENDING == check_pairing(PENDING, after(minutes=minutes))


def test_a_code_without_a_pairing_is_wrong() -> None:
    with pytest.raises(PairingCodeWrong):
        check_pairing(None, NOW)


@pytest.mark.parametrize("minutes", [15, 16, 1000])
def test_a_pairing_expires_after_15_minutes(minutes: float) -> None:
    with pytest.raises(PairingCodeExpired):
        check_pairing(PENDING, after(minutes=minutes))


@pytest.mark.parametrize("end", [redeem, void])
def test_a_pairing_that_ended_may_not_be_redeemed(end: object) -> None:
    assert callable(end)
    with pytest.raises(PairingCodeExpired):
        check_pairing(end(PENDING), NOW)


def test_a_redeemed_pairing_stays_redeemed_after_back() -> None:
    assert void(redeem(PENDING)).state is PairingState.REDEEMED


def test_voiding_twice_is_voiding_once() -> None:
    assert void(PENDING) == void(void(PENDING))
