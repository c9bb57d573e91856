"""A pairing begins: at the phone by its *Sign in* key, or by an administrator for an enrolled device."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import IllegalMove, NotFound
from chalicelib.domain.identifiers import Mac
from chalicelib.domain.installation import Installation, PairingTicket
from chalicelib.domain.keys import format_pairing_code
from chalicelib.domain.pairing import PAIRING_LIFETIME, Pairing, void
from chalicelib.domain.secret import Secret
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import load_owned
from chalicelib.usecases.history import event_of
from chalicelib.usecases.ports import Caller, Gateway


@dataclass(frozen=True)
class PairingOffer:
    """What the user needs: where to go and what to type. `code` is as shown on the screen."""

    code: Secret
    authorization_url: str
    expires_at: datetime


def start_pairing(gateway: Gateway, installation_id: str) -> PairingOffer:
    """A new code for the installation; the code it had before is void. One read, or two; two writes, or three."""
    return until_saved(lambda: _start(gateway, installation_id))


def start_remote_pairing(gateway: Gateway, caller: Caller, mac: Mac) -> PairingOffer:
    """As start_pairing, by an administrator. Raises NotFound, NotSeenYet, or IllegalMove where the device is not enrolled."""
    _, device = load_owned(gateway, caller.tenant_id, mac)
    if not device.owned or device.installation_id is None:
        raise IllegalMove(f"Device {mac} is {device.state}; only an enrolled device is signed in from here. Enroll it first.")
    offer = start_pairing(gateway, device.installation_id)
    gateway.store.save(event_of(gateway, device, "pairing_started", by=caller.actor))
    return offer


def show_pairing(gateway: Gateway, installation: Installation) -> PairingOffer | None:
    """The code that the phone's screen shows now, or None where none is pending. No read: the installation carries it."""
    ticket = installation.pairing
    if ticket is None or gateway.clock() >= ticket.expires_at:
        return None
    return _offer(gateway, installation, ticket)


def void_pairing(gateway: Gateway, installation_id: str) -> None:
    """*Back* on the phone: its code is void."""
    until_saved(lambda: _void(gateway, installation_id))


def _start(gateway: Gateway, installation_id: str) -> PairingOffer:
    now = gateway.clock()
    installation = gateway.store.load(Installation, installation_id)
    if installation is None:
        raise NotFound("This phone is no longer known. Restart it.")
    nonce = gateway.random_text()
    code = gateway.keys.pairing_code(installation.id, nonce)
    ticket = PairingTicket(nonce, gateway.keys.digest("pairing", code.reveal()), now + PAIRING_LIFETIME)
    pairing = Pairing(ticket.digest, installation.id, installation.mac, issued_at=now, expires_at=ticket.expires_at)
    voided = _voided(gateway, installation)
    gateway.store.save(replace(installation, pairing=ticket), pairing, *voided)
    return _offer(gateway, installation, ticket)


def _void(gateway: Gateway, installation_id: str) -> None:
    installation = gateway.store.load(Installation, installation_id)
    if installation is not None and installation.pairing is not None:
        gateway.store.save(replace(installation, pairing=None), *_voided(gateway, installation))


def _voided(gateway: Gateway, installation: Installation) -> list[Pairing]:
    if installation.pairing is None:
        return []
    former = gateway.store.load(Pairing, installation.pairing.digest)
    return [void(former)] if former and void(former) != former else []


def _offer(gateway: Gateway, installation: Installation, ticket: PairingTicket) -> PairingOffer:
    code = gateway.keys.pairing_code(installation.id, ticket.nonce)
    return PairingOffer(Secret(format_pairing_code(code)), f"{gateway.settings.browser_url}/pair", ticket.expires_at)
