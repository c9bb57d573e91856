"""Pairing codes: how a web sign-in finds the phone it is for. Words and errors are those of RFC 8628."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import PairingCodeExpired, PairingCodeWrong
from chalicelib.domain.identifiers import InstallationId, Mac

PAIRING_LIFETIME = timedelta(minutes=15)
PAIRING_TRIES = 10  # wrong codes per person and per 15 minutes, and ten times that per address
KEEP_AFTER_EXPIRY = timedelta(hours=24)  # so that an old code is called expired, not wrong


class PairingState(StrEnum):
    """A pairing is redeemed once, or voided by *Back* or by a newer one."""

    PENDING = "authorization_pending"
    REDEEMED = "redeemed"
    VOIDED = "voided"


@dataclass(frozen=True)
class Pairing:
    """One pairing code's life. `digest` stands for the code."""

    digest: str
    installation_id: InstallationId
    mac: Mac
    issued_at: datetime
    expires_at: datetime
    state: PairingState = PairingState.PENDING
    version: int = 0


def check_pairing(pairing: Pairing | None, now: datetime) -> Pairing:
    """The pairing, if its code may still be redeemed. Raises PairingCodeWrong or PairingCodeExpired."""
    if pairing is None:
        raise PairingCodeWrong("No phone is waiting with this code. Check the code on the phone's screen and type it again.")
    if pairing.state is not PairingState.PENDING or now >= pairing.expires_at:
        raise PairingCodeExpired("This code is no longer valid. Press Back and then Sign in on the phone to get a new one.")
    return pairing


def redeem(pairing: Pairing) -> Pairing:
    """After its one use."""
    return replace(pairing, state=PairingState.REDEEMED)


def void(pairing: Pairing) -> Pairing:
    """After *Back*; a redeemed one stays redeemed."""
    return replace(pairing, state=PairingState.VOIDED) if pairing.state is PairingState.PENDING else pairing
