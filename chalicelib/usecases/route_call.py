"""Where a call goes: to a user of the caller's tenant, out to the trunk, to voicemail, or nowhere. No write.

Tenants do not see each other: another tenant's number is a number of the outside world. Emergency numbers never come here; the
edge has them from the caller's credentials.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from chalicelib.contracts.edge import CallSettings, EdgeAddress, Route, RouteOutcome, RouteRequest
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.calls import Number, UserCalls, has_forwarding, settings_in_force
from chalicelib.domain.connection import connection_of
from chalicelib.domain.device import Connection, Device
from chalicelib.domain.directory import decide_sign_in
from chalicelib.domain.edge import Edge
from chalicelib.domain.errors import BadRequest, CallerFault, NotFound
from chalicelib.domain.identifiers import TenantId, Upn, parse_upn
from chalicelib.domain.installation import Installation, Profile, signed_in_profile, username_of
from chalicelib.domain.numbers import is_e164, read_number
from chalicelib.usecases.issue_credentials import load_account
from chalicelib.usecases.load_user import load_user_and_policy
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.user_phones import load_installations
from chalicelib.vendors.files import phone_language
from chalicelib.vendors.texts import translator


@dataclass(frozen=True)
class _Callee:
    """Whom a call is for; `number` is empty where the caller gave a name."""

    tenant_id: TenantId
    upn: Upn
    number: str = ""


def route_call(gateway: Gateway, request: RouteRequest) -> Route:
    """The route; never raises what the caller can be told.

    From phone to phone: the caller's installation, the number, the settings, each device, each edge; one query for the phones.
    """
    if not request.from_:
        return _route_from_trunk(gateway, request.to)
    try:
        caller, account = load_account(gateway, request.from_)
    except NotFound:
        return Route(RouteOutcome.REFUSED, reason="This phone is not known. Restart it.")
    _ = translator(phone_language(caller))
    if not account.may_call or caller.tenant_id is None or caller.profile.user is None:
        return Route(RouteOutcome.REFUSED, reason=_("Sign in to make calls"))
    dialled = _without_host(gateway, request.to)
    number = read_number(dialled, caller.profile.user.number)
    callee = _find_callee(gateway, caller.tenant_id, dialled, number)
    route = _route_to_user(gateway, callee) if callee else None
    if route is None and number:
        return Route(RouteOutcome.TRUNK, number=number)
    return route or Route(RouteOutcome.NOT_FOUND, reason=_("Nobody has this number or name"))


def _route_from_trunk(gateway: Gateway, dialled: str) -> Route:
    number = read_number(dialled)
    held = gateway.store.load(Number, number if is_e164(number) else f"+{number}") if number else None
    route = _route_to_user(gateway, _Callee(held.tenant_id, held.upn, held.number)) if held else None
    return route or Route(RouteOutcome.NOT_FOUND)


def _route_to_user(gateway: Gateway, callee: _Callee) -> Route | None:
    """None where the user has no such number, or may not use a SIP device."""
    phones = _load_phones(gateway, callee)
    profile = phones[0].profile if phones else _profile_of_absent(gateway, callee)
    if profile is None or profile.user is None:
        return None
    settings = settings_in_force(gateway.store.load(UserCalls, callee.tenant_id, callee.upn), profile)
    edges = _edges_of(gateway, phones)
    goes_to_voicemail = bool(profile.voicemail) and not edges and not has_forwarding(settings)
    colleagues = _load_phones_along(gateway, callee.tenant_id, settings, profile.user.number)
    return Route(
        outcome=RouteOutcome.VOICEMAIL if goes_to_voicemail else RouteOutcome.USER,
        aor=phones[0].account.aor if phones else profile.user.number,
        tenant_id=callee.tenant_id,
        user=callee.upn,
        display_name=profile.user.display_name,
        number=profile.user.number,
        edges=edges,
        call_settings=settings,
        voicemail=profile.voicemail,
        username=username_of(phones[0], phones[0].account) if phones else "",
        also_ring_aor=colleagues[0].account.aor if colleagues else "",
        also_ring_edges=_edges_of(gateway, colleagues),
    )


def _load_phones(gateway: Gateway, callee: _Callee) -> list[Installation]:
    found = load_installations(gateway, callee.tenant_id, callee.upn)
    return [phone for phone in found if not phone.blocked and callee.number in {"", phone.account.aor}]


def _load_phones_along(
    gateway: Gateway, tenant_id: TenantId, settings: CallSettings, own_number: str
) -> Sequence[Installation]:
    """The phones of the colleague who rings along; none where that is a number of the public network."""
    if not settings.also_ring:
        return ()
    colleague = _find_callee(gateway, tenant_id, settings.also_ring, read_number(settings.also_ring, own_number))
    return _load_phones(gateway, colleague) if colleague else ()


def _profile_of_absent(gateway: Gateway, callee: _Callee) -> Profile | None:
    """What a phone of a user who is signed in on none would have: such a user may still forward calls, or have voicemail."""
    tenant, user, policy = load_user_and_policy(gateway, callee.tenant_id, callee.upn)
    try:
        signed_in = decide_sign_in(tenant, user, policy)
    except CallerFault:
        return None
    return signed_in_profile(tenant, signed_in, policy) if callee.number in {"", signed_in.number} else None


def _edges_of(gateway: Gateway, phones: Sequence[Installation]) -> tuple[EdgeAddress, ...]:
    """Where these phones are registered now, with their newest accounts."""
    devices = gateway.store.load_many(Device, [(phone.mac,) for phone in phones]) if phones else []
    bound = [
        device
        for device, phone in zip(devices, phones, strict=True)
        if device and device.binding and device.binding.username == username_of(phone, phone.account)
    ]
    names = sorted({device.binding.edge_id for device in bound if device.binding})
    loaded = gateway.store.load_many(Edge, [(name,) for name in names]) if names else []
    edges = [edge or Edge(name) for name, edge in zip(names, loaded, strict=True)]
    return tuple(EdgeAddress(edge.edge_id, edge.contact) for edge in edges if _holds(gateway, edge, bound))


def _holds(gateway: Gateway, edge: Edge, devices: Sequence[Device]) -> bool:
    here = [device for device in devices if device.binding and device.binding.edge_id == edge.edge_id]
    return any(connection_of(device, edge, gateway.clock()) is Connection.ONLINE for device in here)


def _find_callee(gateway: Gateway, tenant_id: TenantId, dialled: str, number: str) -> _Callee | None:
    """`number` is what was dialled as a number, empty where it is none."""
    return _by_number(gateway, tenant_id, number) if number else _by_name(gateway, tenant_id, dialled)


def _by_number(gateway: Gateway, tenant_id: TenantId, number: str) -> _Callee | None:
    held = gateway.store.load(Number, number) if is_e164(number) else None
    return _Callee(tenant_id, held.upn, number) if held and held.tenant_id == tenant_id else None


def _by_name(gateway: Gateway, tenant_id: TenantId, dialled: str) -> _Callee | None:
    """By the whole user principal name, or by what stands before its `@` where that is one signed-in user's."""
    try:
        dialled.encode()
        upn = parse_upn(dialled if "@" in dialled else f"{dialled}@name")
    except (BadRequest, UnicodeEncodeError):  # JSON may name half a letter, such as \ud83d
        return None
    if "@" in dialled:
        return _Callee(tenant_id, upn)
    phones = gateway.store.find(Installation, tenant_id, prefix=upn.removesuffix("name"))
    upns = {phone.profile.user.upn for phone in phones.items if phone.profile.user}
    return _Callee(tenant_id, upns.pop()) if len(upns) == 1 else None


def _without_host(gateway: Gateway, dialled: str) -> str:
    """A phone adds the gateway's own host to what was typed, and escapes an `@` in it (RFC 3261 section 19.1.2)."""
    name, _, host = dialled.strip().rpartition("@")
    own = {gateway.settings.sip_host.lower(), gateway.settings.second_sip_server[0].lower()}
    return unquote(name if host.lower() in own else dialled.strip())
