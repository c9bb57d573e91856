"""The files that a device gets now, as its administrator may see them: the same rendering, its secrets masked."""

from __future__ import annotations

from chalicelib.domain.errors import NotFound, NotSeenYet
from chalicelib.domain.identifiers import InstallationId, Mac, base_mac, is_port
from chalicelib.domain.installation import Installation
from chalicelib.domain.keys import Keys
from chalicelib.domain.secret import Secret
from chalicelib.usecases.dossier import load_owned
from chalicelib.usecases.ports import Caller, Gateway
from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.files import PhoneFile, PhoneFileRequest, render_file

MASK = "***"


class MaskedKeys(Keys):
    """Keys whose passwords are masks."""

    def sip_password(self, installation_id: InstallationId, account_version: int) -> Secret:
        """A mask."""
        del installation_id, account_version
        return Secret(MASK)

    def admin_password(self, installation_id: InstallationId) -> Secret:
        """A mask."""
        del installation_id
        return Secret(MASK)


def show_files(gateway: Gateway, caller: Caller, mac: Mac) -> list[PhoneFile]:
    """In the order in which the phone asks; of a port, its base's. Raises NotFound where the tenant does not own the device."""
    try:
        _, device = load_owned(gateway, caller.tenant_id, mac)
    except NotSeenYet as refusal:
        raise NotFound(refusal.detail) from None
    if is_port(mac):
        return show_files(gateway, caller, base_mac(mac))
    installation = gateway.store.load(Installation, str(device.installation_id)) if device.owned else None
    if installation is None:
        raise NotFound(f"Device {mac} is {device.state}; only an enrolled or signed-in device has files to show.")
    known = vendor(installation.vendor)
    keys = MaskedKeys(Secret(MASK))
    names = [known.file_name(file.name, installation.mac, installation.model) for file in known.serve]
    requests = (PhoneFileRequest(installation, name, MASK, gateway.settings, keys, gateway.trust_anchor) for name in names)
    return [file for file in map(render_file, requests) if file is not None]
