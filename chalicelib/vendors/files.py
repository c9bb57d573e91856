"""The files of one phone, rendered from its installation: nothing else is read."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.installation import Installation, Port
from chalicelib.domain.keys import Keys
from chalicelib.domain.overrides import merge_overrides
from chalicelib.domain.port import port_username
from chalicelib.settings import Settings
from chalicelib.vendors.catalogue import Vendor
from chalicelib.vendors.catalogue import vendor as vendor_of
from chalicelib.vendors.rendering import choose_template, clean, render
from chalicelib.vendors.texts import translator
from chalicelib.vendors.time_zones import DaylightSaving, daylight_saving, format_offset, standard_offset

VOICEMAIL_CODE = "*99*"


@dataclass(frozen=True)
class PhoneFile:
    """A file as it is served. `etag` is a strong validator with its quotes (RFC 9110 8.8.3)."""

    name: str
    content_type: str
    body: str
    carries_account: bool = False

    @property
    def etag(self) -> str:
        """Over the bytes of the body."""
        return f'"{hashlib.sha256(self.body.encode()).hexdigest()[:32]}"'


@dataclass(frozen=True)
class PhoneFileRequest:
    """What a file is rendered from. `year` is that of the dates in it; 0 is the present one."""

    installation: Installation
    file_name: str
    token: str
    settings: Settings
    keys: Keys
    trust_anchor: str = ""
    year: int = 0


@dataclass(frozen=True)
class AccountView:
    """One account as the templates see it. `message_waiting`: its user has a voicemail to be told of."""

    number: int  # the port, from 1
    label: str
    display_name: str
    aor: str
    username: str
    password: str
    voicemail: str
    message_waiting: bool


@dataclass(frozen=True)
class PhoneView(AccountView):
    """What the templates see of a phone: its first account, and all that its accounts have in common."""

    mac: str
    model: str
    family: str
    common: str
    lines: int
    data: dict[str, Any]  # of the model, from models.toml
    state: str
    token_url: str  # the provisioning URL without the language
    provisioning_url: str
    trust_anchor_url: str
    trust_anchor_lines: tuple[str, ...]  # the PEM itself, for phones that take no URL; a template joins its lines
    ports: tuple[AccountView, ...]  # the further ones, in use
    unused_ports: tuple[int, ...]
    admin_password: str
    sip_host: str
    sip_port: int
    second_sip_host: str  # empty where there is no second server
    second_sip_port: int
    expiry_seconds: int
    vendor_language: str
    vendor_time_zone: str
    utc_offset: str
    utc_offset_seconds: int
    daylight_saving: DaylightSaving | None
    year: int  # for phones whose daylight saving begins and ends on dates
    locale: str  # the language in its own words: `de`
    ntp_servers: tuple[str, str]
    emergency_numbers: tuple[str, ...]
    overrides: tuple[tuple[str, str], ...]  # the organisation's own settings, last in the file that carries the account

    @property
    def accounts(self) -> tuple[AccountView, ...]:
        """Every account of the phone, in order."""
        return (self, *self.ports)

    def screen_url(self, name: str) -> str:
        """Where a key opens one of the gateway's screens."""
        return f"{self.token_url}ui/{name}"


def provisioning_url(public_url: str, token: str, language: str) -> str:
    """The phone's own URL, with its trailing slash."""
    return f"{public_url}/d/{token}/lang_{language}/"


def render_bootstrap(public_url: str, installation: Installation, token: str, file_name: str) -> PhoneFile:
    """Stage 1: one setting, the phone's own provisioning URL."""
    vendor = vendor_of(installation.vendor)
    phone = {"provisioning_url": provisioning_url(public_url, token, installation.language)}
    model = vendor.models.get(installation.model)
    template = choose_template(vendor.name, vendor.bootstrap_template, model.family if model else "", installation.model)
    return PhoneFile(file_name, vendor.content_type, render(vendor.name, template, phone=phone))


def render_unchanged(vendor_name: str, file_name: str) -> PhoneFile | None:
    """A valid file that changes nothing; None where the plain 404 does."""
    vendor = vendor_of(vendor_name)
    if not vendor.unchanged_template:
        return None
    return PhoneFile(file_name, vendor.content_type, render(vendor_name, vendor.unchanged_template))


def render_file(request: PhoneFileRequest) -> PhoneFile | None:
    """One of the phone's own files, or None where it has none of that name."""
    installation = request.installation
    vendor = vendor_of(installation.vendor)
    file = vendor.find_file(request.file_name, installation.mac, installation.model)
    if file is None:
        return None
    if file.trust_anchor:
        anchor = request.trust_anchor
        return PhoneFile(request.file_name, "application/x-pem-file", anchor) if anchor else None
    language = phone_language(installation)
    phone = _view(request, language)
    template = choose_template(vendor.name, file.template, phone.family, phone.model)
    body = render(vendor.name, template, phone=phone, _=translator(language))
    return PhoneFile(request.file_name, file.content_type or vendor.content_type, body, file.carries_account)


def phone_language(installation: Installation) -> str:
    """The language of the phone's texts: English where the vendor's phones lack the one asked for."""
    return installation.language.value if installation.language.value in vendor_of(installation.vendor).languages else "en"


def _view(request: PhoneFileRequest, language: str) -> PhoneView:
    installation, settings = request.installation, request.settings
    vendor = vendor_of(installation.vendor)
    model = vendor.models[installation.model]
    own, *ports = _accounts(request, vendor, language)
    url = provisioning_url(settings.public_url, request.token, installation.language)
    offset = standard_offset(installation.profile.time_zone)
    second_sip_host, second_sip_port = settings.second_sip_server
    return PhoneView(
        **vars(own),
        ports=tuple(ports),
        unused_ports=tuple(number for number in range(2, model.ports + 1) if number not in {port.number for port in ports}),
        mac=installation.mac,
        model=installation.model,
        family=model.family,
        common=model.common,
        lines=model.lines,
        data=model.data,
        token_url=f"{settings.public_url}/d/{request.token}/",
        state=installation.state.value,
        provisioning_url=url,
        trust_anchor_url=f"{url}ca.pem" if request.trust_anchor else "",
        trust_anchor_lines=tuple(request.trust_anchor.splitlines()),
        admin_password=request.keys.admin_password(installation.id).reveal(),
        sip_host=settings.sip_host,
        sip_port=settings.sip_port,
        second_sip_host=second_sip_host,
        second_sip_port=second_sip_port,
        expiry_seconds=settings.registration_expiry_seconds,
        vendor_language=vendor.languages[language],
        vendor_time_zone=vendor.time_zones.get(installation.profile.time_zone, ""),
        utc_offset=format_offset(offset),
        utc_offset_seconds=int(offset.total_seconds()),
        daylight_saving=daylight_saving(installation.profile.time_zone),
        year=request.year or datetime.now(UTC).year,
        locale=language,
        ntp_servers=_two(settings.ntp_servers),
        emergency_numbers=installation.profile.emergency.numbers,
        overrides=_overrides(vendor, installation),
    )


def _accounts(request: PhoneFileRequest, vendor: Vendor, language: str) -> list[AccountView]:
    """The installation's own account, then those of its ports."""
    installation, _ = request.installation, translator(language)
    profile = installation.profile
    own = Port(1, installation.id, installation.account, installation.config_version, profile.user, profile.voicemail)
    return [
        AccountView(
            number=port.number,
            label=vendor.names.label(clean(user.display_name), clean(user.number)) if user else _("Not signed in"),
            display_name=vendor.names.fit(clean(user.display_name)) if user else _("Not signed in"),
            aor=port.account.aor,
            username=port_username(port),
            password=request.keys.sip_password(port.installation_id, port.account.version).reveal(),
            voicemail=VOICEMAIL_CODE if user else "",
            message_waiting=bool(user and port.voicemail),
        )
        for port in (own, *installation.ports)
        for user in (port.user,)
    ]


def _overrides(vendor: Vendor, installation: Installation) -> tuple[tuple[str, str], ...]:
    """The tenant's own settings for the vendor's phones; the device's own count more."""
    return merge_overrides(vendor.overrides, installation.profile.overrides.get(vendor.name, {}), installation.overrides)


def _two(servers: str) -> tuple[str, str]:
    names = [name.strip() for name in servers.split(",") if name.strip()]
    return (names[0], names[1] if len(names) > 1 else names[0]) if names else ("", "")
