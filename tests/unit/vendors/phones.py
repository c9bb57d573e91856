"""Phones to render files for."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.installation import Installation, Profile, configure, promote
from chalicelib.domain.keys import Keys
from chalicelib.domain.secret import Secret
from chalicelib.domain.tenant import DEFAULT_EMERGENCY, Emergency
from chalicelib.settings import Settings
from chalicelib.vendors.files import PhoneFile, PhoneFileRequest, render_file
from tests.unit.domain.samples import ANNA, a_tenant, an_installation

SETTINGS = Settings(public_url="https://gateway.example", sip_host="sip.gateway.example", ntp_servers="0.ntp.example")
KEYS = Keys(Secret("region key"))
FILES = ("805ec0123456.boot", "y000000000066.cfg", "805ec0123456.cfg")


def a_phone(
    user: SignedInUser | None = ANNA, emergency: Emergency = DEFAULT_EMERGENCY, voicemail: str = "", zone: str = "UTC"
) -> Installation:
    """An enrolled phone, signed in where there is a user."""
    active = promote(an_installation(), a_tenant(), Profile())
    return configure(active, Profile(user, zone, emergency, voicemail))


def named(display_name: str) -> Installation:
    return a_phone(replace(ANNA, display_name=display_name))


def numbered(number: str) -> Installation:
    return a_phone(replace(ANNA, number=number))


def render(installation: Installation, name: str, trust_anchor: str = "") -> PhoneFile | None:
    return render_file(PhoneFileRequest(installation, name, "TOKEN", SETTINGS, KEYS, trust_anchor))


def text_of(installation: Installation, name: str = "805ec0123456.cfg", trust_anchor: str = "") -> str:
    file = render(installation, name, trust_anchor)
    assert file is not None
    return file.body
