"""One-time passwords for the technician: shown once, kept as digests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.enrollment import OTP_DIGITS, OTP_LIFETIME, issue_otp
from chalicelib.domain.errors import IllegalMove
from chalicelib.domain.identifiers import Mac, base_mac, is_port
from chalicelib.domain.secret import Secret
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_claimed
from chalicelib.usecases.history import mac_event
from chalicelib.usecases.ports import Caller, Gateway


@dataclass(frozen=True)
class IssuedOtp:
    """Shown once."""

    mac: Mac
    otp: Secret
    expires_at: datetime


def issue_otps(gateway: Gateway, caller: Caller, macs: Sequence[Mac]) -> tuple[IssuedOtp, ...]:
    """A new one-time password for each device; those before are void. The values are shown once.

    Raises NotFound where the inventory lacks one of them, IllegalMove for a further port; then none is issued.
    """
    wanted = list(dict.fromkeys(macs))
    for mac in wanted:
        if is_port(mac):
            raise IllegalMove(f"Port {mac} is enrolled with its base. Issue the one-time password for device {base_mac(mac)}.")
    for mac in wanted[1:]:
        load_claimed(gateway, caller.tenant_id, mac)
    return tuple(until_saved(partial(_issue_otp, gateway, caller, mac)) for mac in wanted)


def _issue_otp(gateway: Gateway, caller: Caller, mac: Mac) -> IssuedOtp:
    _, claim = load_claimed(gateway, caller.tenant_id, mac)
    now = gateway.clock()
    smallest = 10 ** (OTP_DIGITS - 1)  # none begins with 0, which a spreadsheet takes away from the technician's list
    otp = str(smallest + int(gateway.keys.digest("otp-number", gateway.random_text()), 16) % (9 * smallest))
    issued = issue_otp(claim, gateway.keys.digest("otp", mac, otp), now)
    gateway.store.save(issued, mac_event(gateway, mac, caller.tenant_id, "otp_issued", by=caller.actor))
    return IssuedOtp(mac, Secret(otp), now + OTP_LIFETIME)
