"""The move that every proof of presence ends in: this installation is the device's from now on, and its former one ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.contracts.edge import EdgeCommand
from chalicelib.domain.binding import Binding
from chalicelib.domain.device import Device, Move, move
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.identifiers import is_port
from chalicelib.domain.installation import Installation, Profile, Stage, promote
from chalicelib.domain.tenant import Tenant
from chalicelib.usecases.base_ports import EnrolledPorts, enroll_ports
from chalicelib.usecases.change_profile import Change
from chalicelib.usecases.claim_number import claim_number
from chalicelib.usecases.dossier import Dossier
from chalicelib.usecases.history import event_of
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.request_command import account_commands


def become_active(gateway: Gateway, installation: Installation, dossier: Dossier, tenant: Tenant, profile: Profile) -> Change:
    """Decides; nothing is saved. The tenant gets a claim where it had none: a personal phone joins its user's inventory.

    Raises NumberTaken where somebody else has the user's number.
    """
    now = gateway.clock()
    ports = _ports(gateway, installation, promote(installation, tenant, profile))
    active = ports.base
    before = dossier.device or device_of(installation)
    own_binding = _own_binding(before, installation)
    moved = move(before, Move.SIGN_IN if profile.user else Move.ENROLL, now)
    device = replace(
        _described(moved, active),
        tenant_id=tenant.tenant_id,
        user=profile.user,
        binding=own_binding,
        edge_id=own_binding.edge_id if own_binding else before.edge_id,
        enrolled_at=moved.enrolled_at if _still_enrolled(before, tenant, profile) else None,
        signed_in_at=moved.signed_in_at if profile.user else None,
    )
    # Saved again by its own user, so that one who takes it over at this moment meets a conflict.
    numbers = (claim_number(gateway, tenant.tenant_id, profile.user.upn, profile.user.number),) if profile.user else ()
    former = _former(gateway, dossier.device, active)
    claim = dossier.claim_of(tenant.tenant_id)
    event = event_of(gateway, device, "signed_in" if profile.user else "enrolled", **_detail(claim, profile))
    return Change(
        installation=active,
        device=device,
        also=(
            *ports.save,
            event,
            *numbers,
            *(() if claim else (Claim(tenant.tenant_id, active.mac, location="", added_at=now),)),
        ),
        remove=(*ports.remove, *((former,) if former else ())),
        tell=(*account_commands(gateway, installation, active), *ports.tell, *_ended(gateway, former)),
        reach_by=own_binding,
    )


def device_of(installation: Installation) -> Device:
    """A device seen for the first time, as its installation describes it."""
    return Device(
        mac=installation.mac,
        vendor=installation.vendor,
        model=installation.model,
        firmware=installation.firmware,
        language=installation.language,
    )


def _ports(gateway: Gateway, before: Installation, active: Installation) -> EnrolledPorts:
    """The base's ports where presence was proven anew, or for another tenant; else they stay as they are."""
    stays = before.stage is Stage.ACTIVE and before.tenant_id == active.tenant_id
    return EnrolledPorts(active) if stays or is_port(active.mac) else enroll_ports(gateway, active)


def _described(device: Device, active: Installation) -> Device:
    """The device as its active installation describes it."""
    return replace(
        device,
        installation_id=active.id,
        model=active.model,
        firmware=active.firmware,
        language=active.language,
        config_version=active.config_version,
        applied_version=active.fetched_version,
        incompatible_reason="",
    )


def _still_enrolled(before: Device, tenant: Tenant, profile: Profile) -> bool:
    return profile.user is None or before.tenant_id == tenant.tenant_id


def _detail(claim: Claim | None, profile: Profile) -> dict[str, str]:
    if profile.user:
        return {"user": profile.user.upn}
    return {"location": claim.location} if claim else {}


def _former(gateway: Gateway, device: Device | None, active: Installation) -> Installation | None:
    if device is None or device.installation_id in {None, active.id} or not device.owned:
        return None
    former = gateway.store.load(Installation, str(device.installation_id))
    return former if former and former.stage is Stage.ACTIVE else None


def _ended(gateway: Gateway, former: Installation | None) -> Sequence[EdgeCommand]:
    return account_commands(gateway, former, None) if former else ()


def _own_binding(device: Device, installation: Installation) -> Binding | None:
    """Where this installation itself is registered; the device's binding may be its former installation's."""
    binding = device.binding
    return binding if binding and binding.username.startswith(f"{installation.id}.") else installation.binding
