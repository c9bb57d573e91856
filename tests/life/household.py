"""A gateway with short registrations on loopback, and three phones: signed in, onboarded, and one that comes and goes."""

from __future__ import annotations

from pathlib import Path

from local.virtual_phone.phone import VirtualPhone
from local.virtual_phone.provisioning import DeviceIdentity
from tests.life.gateway import Gateway
from tests.life.phones import Office

SIGNED_IN, ONBOARDED, RESTLESS = "805ec0000001", "805ec0000002", "805ec0000003"
SHORTEST_EXPIRY = {"SIPGW_REGISTRATION_EXPIRY_SECONDS": "60"}
RESYNC = ["command_requested", "command_acknowledged"]


def new_gateway(folder: Path) -> Gateway:
    return Gateway(folder / "state", SHORTEST_EXPIRY)


def plugged_in(office: Office, mac: str) -> VirtualPhone:
    trust = office.gateway.trust
    return office.onboard(VirtualPhone(DeviceIdentity(mac), dhcp_url="https://localhost:8443/", factory_trust=trust))
