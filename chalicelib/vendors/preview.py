"""Every file that a phone of one model gets in one state, with made-up values: for `sipgw render` and the golden files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.identifiers import InstallationId, Language, Mac, TenantId, Upn
from chalicelib.domain.installation import Account, Installation, PhoneState, Profile, Stage, configure
from chalicelib.domain.keys import Keys
from chalicelib.domain.port import new_port, with_port
from chalicelib.domain.secret import Secret
from chalicelib.settings import Settings
from chalicelib.vendors.catalogue import vendor as vendor_of
from chalicelib.vendors.catalogue import vendors
from chalicelib.vendors.files import PhoneFile, PhoneFileRequest, render_bootstrap, render_file
from chalicelib.vendors.firmware import render_upgrade

SAMPLE_TOKEN = "SAMPLE-TOKEN"  # noqa: S105 - stands for a token in printed samples
_SETTINGS = Settings(
    public_url="https://gateway.example",
    sip_host="sip.gateway.example",
    sip_second="sip2.gateway.example",
    ntp_servers="0.ntp.example,1.ntp.example",
)
_NOBODYS_OUI = "020000"  # locally administered (IEEE 802)
_YEAR = 2026  # so that a printed sample is the same next year
_TRUST_ANCHOR = "-----BEGIN CERTIFICATE-----\nU0FNUExF\n-----END CERTIFICATE-----\n"


class UnknownModel(LookupError):
    """No folder describes this vendor and model; the message lists what could be asked for."""


def preview(vendor: str, model: str, state: PhoneState, language: Language, ports: int = 1) -> list[PhoneFile]:
    """The files in the order of vendor.toml, with so many ports in use. Raises UnknownModel, ValueError for too many ports."""
    installation = _with_ports(_sample(vendor, model, state, language), ports)
    if state is PhoneState.BOOTSTRAP:
        known = vendor_of(vendor)
        name = known.file_name(known.models[model].bootstrap or known.bootstrap[-1], installation.mac, model)
        return [render_bootstrap(_SETTINGS.public_url, installation, SAMPLE_TOKEN, name)]
    known = vendor_of(vendor)
    names = [known.file_name(file.name, installation.mac, model) for file in known.serve]
    requests = (
        PhoneFileRequest(installation, name, SAMPLE_TOKEN, _SETTINGS, Keys(Secret("sample")), _TRUST_ANCHOR, _YEAR)
        for name in names
    )
    return [file for file in map(render_file, requests) if file is not None]


def preview_upgrade(vendor: str, model: str) -> PhoneFile | None:
    """What a phone of this model gets whose firmware is too old. Raises UnknownModel."""
    mac = _sample(vendor, model, PhoneState.BOOTSTRAP, Language.EN).mac
    known = vendor_of(vendor)
    asked = known.models[model]
    name = known.file_name(asked.bootstrap or known.bootstrap[-1], mac, model)
    return render_upgrade(f"{_SETTINGS.public_url}/firmware", known, asked, f"{_SETTINGS.public_url}/", name)


def _sample(vendor: str, model: str, state: PhoneState, language: Language) -> Installation:
    known = vendors().get(vendor)
    if known is None:
        raise UnknownModel(f"There is no vendor {vendor}. There are: {', '.join(vendors())}.")
    if model not in known.models:
        raise UnknownModel(f"{known.label} {model} is not known. There are: {', '.join(known.models)}.")
    mac = Mac(f"{min(known.ouis, default=_NOBODYS_OUI)}123456")
    blank = Installation(
        id=InstallationId("sampleinstallation234567ab"),
        mac=mac,
        seed="sample",
        vendor=vendor,
        model=model,
        firmware=known.models[model].approved_firmware,
        language=language,
        address="203.0.113.7",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        account=Account(1, "sampleinstallation234567ab"),
    )
    enrolled = replace(blank, stage=Stage.ACTIVE, tenant_id=TenantId("d0000000-0000-4000-8000-000000000001"))
    user = SignedInUser(Upn("anna@example.com"), "Anna Berg", "+4989123401")
    profile = Profile(user, time_zone="Europe/Berlin", voicemail="+4989123499")
    signed_in = replace(enrolled, profile=profile, account=Account(2, "+4989123401", may_call=True))
    return {PhoneState.ENROLLED: enrolled, PhoneState.SIGNED_IN: signed_in}.get(state, blank)


def _with_ports(base: Installation, ports: int) -> Installation:
    """The base with further ports: in each someone is signed in where someone is at the base."""
    most = vendor_of(base.vendor).models[base.model].ports
    if not 1 <= ports <= most:
        raise ValueError(f"A {base.model} has {most} ports." if most > 1 else f"A {base.model} has no further ports.")
    for number in range(2, ports + 1):
        port = new_port(base, number, ("sample", InstallationId(f"sampleport{number:03}x234567abcdef")), base.created_at)
        if base.profile.user:
            user = SignedInUser(Upn(f"ben{number}@example.com"), f"Ben {number}", f"+49891234{number:02}")
            port = configure(port, replace(base.profile, user=user))
        base = with_port(base, port)
    return base
