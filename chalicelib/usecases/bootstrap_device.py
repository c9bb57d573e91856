"""Stage 1: a phone that knows only the region's URL, and is known only by its MAC, gets an URL of its own.

It gets nothing else: no secret, and nobody else's anything. Known and unknown phones are answered alike.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.history import KEEP_HISTORY, DeviceEvent
from chalicelib.domain.identifiers import InstallationId, Language, Mac, TenantId
from chalicelib.domain.installation import CANDIDATE_LIFETIME, Account, Candidate, Installation, is_reusable
from chalicelib.domain.keys import installation_id_of
from chalicelib.observability import log
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.dossier import Dossier, connection, load_dossier
from chalicelib.usecases.history import SHOWN_TO_EVERY_CLAIMANT, mac_event
from chalicelib.usecases.ports import Gateway
from chalicelib.vendors import catalogue
from chalicelib.vendors.catalogue import Identity
from chalicelib.vendors.files import PhoneFile, render_bootstrap, render_unchanged
from chalicelib.vendors.firmware import render_upgrade

MOST_CANDIDATES_PER_MAC = 8
NEW_CANDIDATES_PER_ADDRESS = 1_000  # unclaimed MACs, in the window below: a building's personal phones after a power cut
NEW_CANDIDATES_PER_MAC = 20
RATE_WINDOW = timedelta(minutes=10)
REFUSALS_NOTED_A_DAY = 5
MOST_NAMED = 4  # of the phones that one request names: path, User-Agent, and what a certificate may hold


@dataclass(frozen=True)
class BootstrapRequest:
    """What stage 1 knows: the file asked for, who says to ask, and the words in the path."""

    file_name: str
    user_agent: str
    address: str
    language: Language | None = None
    tenant_id: TenantId | None = None
    certificate_subject: str = ""


def bootstrap_device(gateway: Gateway, request: BootstrapRequest) -> PhoneFile | None:
    """The bootstrap file, or None for everybody who gets the plain 404. One query, one read; writes only for a new phone."""
    identity = catalogue.identify(request.user_agent, request.file_name, request.certificate_subject)
    if identity is not None and identity.disagrees:
        _record_disagreement(gateway, identity)
    if identity is None or identity.mac is None or identity.model is None:
        return None
    if not catalogue.vendor(identity.vendor).is_bootstrap_file(request.file_name, identity.mac, identity.model):
        return None
    return until_saved(lambda: _answer(gateway, request, identity, Mac(identity.mac or "")))


def _answer(gateway: Gateway, request: BootstrapRequest, identity: Identity, mac: Mac) -> PhoneFile | None:
    dossier = load_dossier(gateway, mac)
    reason = catalogue.incompatible_reason(identity)
    if reason and (identity.firmware is None or identity.updater):
        return None  # a Poly's Updater asks before the application, which tells the firmware
    if reason:
        _record_incompatible(gateway, dossier, identity, reason)
    if dossier.device is not None and dossier.device.blocked:
        return None
    if reason:
        return _upgrade(gateway, request, identity)
    if _comes_from_its_own_binding(gateway, dossier.device, request.address):
        return render_unchanged(identity.vendor, request.file_name)
    installation = _repeated(gateway, dossier, request, identity) or _mint(gateway, dossier, request, identity)
    if installation is None:
        return None
    token = gateway.keys.token(installation.seed).reveal()
    return render_bootstrap(gateway.settings.public_url, installation, token, request.file_name)


def _upgrade(gateway: Gateway, request: BootstrapRequest, identity: Identity) -> PhoneFile | None:
    """What has a compatible model fetch newer firmware and ask again; None for other models, or without a mirror."""
    vendor = catalogue.vendor(identity.vendor)
    model = vendor.models.get(identity.model or "")
    if model is None:
        return None
    language = f"lang_{request.language}/" if request.language else ""
    tenant = f"tenantid/{request.tenant_id}/" if request.tenant_id else ""
    asked_at = f"{gateway.settings.public_url}/{language}{tenant}"
    return render_upgrade(gateway.settings.firmware_mirror_url, vendor, model, asked_at, request.file_name)


def _comes_from_its_own_binding(gateway: Gateway, device: Device | None, address: str) -> bool:
    """A phone that is registered and owned needs nothing from stage 1; its neighbours behind the same address neither."""
    if device is None or not device.owned or device.binding is None:
        return False
    same_address = device.binding.source.rpartition(":")[0].strip("[]") == address
    return same_address and connection(gateway, device, gateway.clock()) is Connection.ONLINE


def _repeated(gateway: Gateway, dossier: Dossier, request: BootstrapRequest, identity: Identity) -> Installation | None:
    candidate = next((candidate for candidate in dossier.candidates if candidate.address == request.address), None)
    if candidate is None:
        return None
    installation = gateway.store.load(Installation, candidate.installation_id)
    if installation is None or not is_reusable(installation, gateway.clock()) or installation.certified != identity.certified:
        return None  # what a certified phone was given is repeated to nobody behind its address who shows no certificate
    wanted = replace(
        installation,
        language=request.language or installation.language,
        tenant_hint=request.tenant_id or installation.tenant_hint,
    )
    if wanted != installation:
        gateway.store.save(wanted)
    return wanted


def _mint(gateway: Gateway, dossier: Dossier, request: BootstrapRequest, identity: Identity) -> Installation | None:
    others = [candidate for candidate in dossier.candidates if candidate.address != request.address]
    crowded = len(others) >= MOST_CANDIDATES_PER_MAC
    if (crowded or not dossier.claims) and _over_limit(gateway, dossier.mac, request.address):
        return None
    installation = new_candidate(gateway, request, identity, dossier.mac)
    former = next((candidate for candidate in dossier.candidates if candidate.address == request.address), None)
    pointer = Candidate(
        mac=dossier.mac,
        address=request.address,
        installation_id=installation.id,
        expires_at=gateway.clock() + CANDIDATE_LIFETIME,
        version=former.version if former else 0,
    )
    # Strangers must not keep the phone out: the oldest is no longer repeated to its address, and dies within a day.
    surplus = sorted(others, key=lambda candidate: candidate.expires_at)[:1] if crowded else []
    gateway.store.save(installation, pointer, *_notes(gateway, dossier, identity), remove=surplus)
    return installation


def new_candidate(gateway: Gateway, request: BootstrapRequest, identity: Identity, mac: Mac) -> Installation:
    """A candidate installation with a token and a temporary account of its own. Not saved."""
    seed = gateway.random_text()
    installation_id: InstallationId = installation_id_of(gateway.keys.token(seed).reveal())
    now = gateway.clock()
    return Installation(
        id=installation_id,
        mac=mac,
        seed=seed,
        vendor=identity.vendor,
        model=identity.model or "",
        firmware=identity.firmware or "",
        language=request.language or Language.EN,
        address=request.address,
        created_at=now,
        account=Account(version=1, aor=installation_id),
        tenant_hint=request.tenant_id,
        expires_at=now + CANDIDATE_LIFETIME,
        certified=identity.certified,
    )


def _over_limit(gateway: Gateway, mac: Mac, address: str) -> bool:
    """Counts a new candidate of an unclaimed MAC; a building's claimed phones boot behind one address uncounted."""
    now = gateway.clock()
    window = int(now.timestamp() // RATE_WINDOW.total_seconds())
    per_address = gateway.store.count_up(f"stage1#{address}#{window}", now + 2 * RATE_WINDOW)
    per_mac = gateway.store.count_up(f"stage1#{mac}#{window}", now + 2 * RATE_WINDOW)
    if per_address == NEW_CANDIDATES_PER_ADDRESS + 1:
        log().warning("stage_one_limited", extra={"address": address})
    return per_address > NEW_CANDIDATES_PER_ADDRESS or per_mac > NEW_CANDIDATES_PER_MAC


def _record_incompatible(gateway: Gateway, dossier: Dossier, identity: Identity, reason: str) -> None:
    """Tells the tenants that claim the device why it is not onboarded; once per reason, a few times a day at most.

    A device that is in use is not concerned by somebody who names its MAC.
    """
    device = dossier.device or Device(dossier.mac, identity.vendor, identity.model or "", identity.firmware or "")
    if not dossier.claims or device.owned or device.incompatible_reason == reason:
        return
    now = gateway.clock()
    if gateway.store.count_up(f"refused#{dossier.mac}#{now:%Y%m%d}", now + timedelta(days=1)) > REFUSALS_NOTED_A_DAY:
        return
    event = mac_event(gateway, dossier.mac, device.tenant_id, "onboarding_refused", reason=reason)
    gateway.store.save(replace(device, incompatible_reason=reason), event)


def _record_disagreement(gateway: Gateway, identity: Identity) -> None:
    """Path, User-Agent and certificate name different phones: told to the tenants that claim one of these, once a day."""
    now = gateway.clock()
    named = {place: str(mac) for place, mac in identity.named}
    for mac in dict.fromkeys(mac for _, mac in identity.named[:MOST_NAMED]):
        dossier = load_dossier(gateway, mac)
        counter = f"disagreement#{mac}#{now:%Y%m%d}"
        if dossier.claims and gateway.store.count_up(counter, now + timedelta(days=1)) == 1:
            owner = dossier.device.tenant_id if dossier.device else SHOWN_TO_EVERY_CLAIMANT
            gateway.store.save(mac_event(gateway, mac, owner, "identity_disagreement", **named))


def _notes(gateway: Gateway, dossier: Dossier, identity: Identity) -> list[DeviceEvent]:
    """What is worth a line in the history of a phone that gets a candidate: a certificate, and a MAC from a foreign block."""
    now, mac = gateway.clock(), dossier.mac
    notes = []
    if identity.certified and gateway.store.count_up(f"certified#{mac}#{now:%Y%m%d}", now + timedelta(days=1)) == 1:
        notes.append(mac_event(gateway, mac, SHOWN_TO_EVERY_CLAIMANT, "candidate_certified", vendor=identity.vendor))
    foreign = dossier.claims and catalogue.vendor(identity.vendor).is_foreign(mac)
    if foreign and gateway.store.count_up(f"foreign#{mac}", now + KEEP_HISTORY) == 1:
        notes.append(mac_event(gateway, mac, SHOWN_TO_EVERY_CLAIMANT, "foreign_mac_noted", vendor=identity.vendor))
    return notes
